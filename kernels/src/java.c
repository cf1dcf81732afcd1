/* The door for Java: a class that implements org.tensorflow.lite.Delegate hands the address of a delegate to the
 * interpreter as a long. Nothing of the Java virtual machine is called, so jni.h is not needed; the first two
 * arguments are its environment and the class. See android/fuselage/kernels/LstmDelegate.java. */
#include "tflite_abi.h"

#define FL_EXPORT __attribute__((visibility("default")))

struct tf_delegate *tflite_plugin_create_delegate(char **, char **, size_t, void (*)(const char *));
void tflite_plugin_destroy_delegate(struct tf_delegate *);

FL_EXPORT int64_t Java_fuselage_kernels_LstmDelegate_create(void *environment, void *class);
FL_EXPORT void Java_fuselage_kernels_LstmDelegate_destroy(void *environment, void *class, int64_t handle);

int64_t Java_fuselage_kernels_LstmDelegate_create(void *environment, void *class) {
    (void)environment, (void)class;
    return (int64_t)(intptr_t)tflite_plugin_create_delegate(NULL, NULL, 0, NULL);
}

void Java_fuselage_kernels_LstmDelegate_destroy(void *environment, void *class, int64_t handle) {
    (void)environment, (void)class;
    tflite_plugin_destroy_delegate((struct tf_delegate *)(intptr_t)handle);
}
