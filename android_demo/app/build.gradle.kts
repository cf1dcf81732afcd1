// What Android Studio builds. `make apk` builds the same sources without Gradle: keep the numbers in step
// with ../Makefile and ../pom.xml (a test compares them).
plugins {
    id("com.android.application")
}

android {
    namespace = "fuselage.demo"
    compileSdk = 35

    defaultConfig {
        applicationId = "fuselage.demo"
        minSdk = 24
        targetSdk = 35
        versionCode = 1
        versionName = "1.0"
        ndk { abiFilters += listOf("arm64-v8a", "x86_64") }
    }

    // The app maps the model: it has to lie in the APK as it is.
    androidResources { noCompress += "tflite" }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_1_8
        targetCompatibility = JavaVersion.VERSION_1_8
    }

    testOptions {
        unitTests {
            isIncludeAndroidResources = true
            all { it.jvmArgs("--add-opens=java.base/java.io=ALL-UNNAMED") }
        }
    }
}

dependencies {
    implementation("org.tensorflow:tensorflow-lite:2.16.1")

    testImplementation("junit:junit:4.13.2")
    testImplementation("org.robolectric:robolectric:4.16.1")
    testImplementation("org.bytedeco:tensorflow-lite-platform:2.19.0-1.5.12")
    testImplementation("org.json:json:20240303") // the android.jar of unit tests has only stubs of it
}
