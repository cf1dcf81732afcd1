"""What can be said of the app without Java: two build systems that agree, and texts in one place."""

import hashlib
import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest
from android_app import APP, ASSETS

MAIN = APP / "app" / "src" / "main"
GRADLE = (APP / "app" / "build.gradle.kts").read_text()
MAKE = (APP / "Makefile").read_text()
POM = (APP / "pom.xml").read_text()
JAVA = sorted((MAIN / "java").rglob("*.java"))
NAME = "{http://schemas.android.com/apk/res/android}name"


def gradle(key: str) -> str:
    (value,) = re.findall(rf"^\s*{key} = \"?([^\"\n]+)\"?$", GRADLE, re.MULTILINE)
    return value


def make(key: str) -> str:
    (value,) = re.findall(rf"^{key} := (.+)$", MAKE, re.MULTILINE)
    return value


def test_gradle_and_make_build_the_same_app() -> None:
    for in_gradle, in_make in {
        "minSdk": "MIN_SDK",
        "targetSdk": "TARGET_SDK",
        "namespace": "PACKAGE",
    }.items():
        assert gradle(in_gradle) == make(in_make)
    assert f"--version-code {gradle('versionCode')} --version-name {gradle('versionName')}" in MAKE
    assert (
        re.findall('"([^"]+)"', GRADLE[GRADLE.index("abiFilters") :].splitlines()[0]) == make("ABIS").split()
    )
    assert 'noCompress += "tflite"' in GRADLE
    assert "-0 .tflite" in MAKE


def test_the_check_expects_what_is_built() -> None:
    check = (APP / "check_apk.py").read_text()
    assert f"MIN_SDK, TARGET_SDK = {make('MIN_SDK')}, {make('TARGET_SDK')}" in check
    assert all(f'"{abi}":' in check for abi in make("ABIS").split())


@pytest.mark.parametrize("artifact", ["tensorflow-lite", "robolectric", "junit"])
def test_gradle_and_maven_take_the_same_versions(artifact: str) -> None:
    (wanted,) = set(re.findall(rf'"(?:org\.tensorflow|org\.robolectric|junit):{artifact}:([^"]+)"', GRADLE))
    assert f">{wanted}<" in POM


def test_the_manifest_asks_for_no_permission() -> None:
    manifest = ElementTree.parse(MAIN / "AndroidManifest.xml").getroot()
    assert not [one for one in manifest.iter() if "permission" in one.tag]
    assert "package" not in manifest.attrib  # Gradle would refuse it


def strings(folder: str) -> dict[str, str]:
    texts = ElementTree.parse(MAIN / "res" / folder / "strings.xml").getroot()
    return {one.attrib["name"]: one.text or "" for one in texts.iter("string")}


def test_every_text_is_used() -> None:
    sources = "".join(path.read_text() for path in [*JAVA, *MAIN.rglob("*.xml")])
    unused = [
        name for name in strings("values") if not re.search(rf"(R\.string\.|@string/){name}\b", sources)
    ]
    assert not unused


@pytest.mark.parametrize(
    "path", sorted(MAIN.glob("res/layout*/*.xml")), ids=lambda path: str(path.relative_to(MAIN))
)
def test_layouts_hold_no_text_of_their_own(path: Path) -> None:
    texts = [
        value for one in ElementTree.parse(path).iter() for key, value in one.items() if key.endswith("}text")
    ]
    assert all(text.startswith("@string/") for text in texts)


def test_day_and_night_have_the_same_colours() -> None:
    day, night = (
        {one.attrib["name"] for one in ElementTree.parse(MAIN / "res" / folder / "colors.xml").iter("color")}
        for folder in ("values", "values-night")
    )
    assert night <= day
    assert day - night == {"icon"}


def test_no_lambda_in_the_app() -> None:
    """dx refuses them at API 24 too; this says it where no Java is installed."""
    for path in JAVA:
        assert not re.search(
            r"->|\w::\w", re.sub(r"//.*|/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
        ), path


def test_the_plain_classes_know_nothing_of_android() -> None:
    for path in (MAIN / "java" / "fuselage" / "demo" / "core").glob("*.java"):
        assert not re.search(r"^import (android|org\.tensorflow)", path.read_text(), re.MULTILINE), path


def test_the_readme_names_the_committed_model() -> None:
    model = (ASSETS / "model.tflite").read_bytes()
    readme = (APP / "README.md").read_text()
    assert hashlib.sha256(model).hexdigest() in readme
    assert f"{len(model):,} bytes" in readme


def test_make_names_what_is_missing_before_it_makes_anything(tmp_path: Path) -> None:
    """With a PATH on which there is only what make itself needs here."""
    for tool in ("make", "find", "java"):
        (tmp_path / tool).symlink_to(shutil.which(tool) or "/bin/true")
    for target in ("apk", "test"):
        done = subprocess.run(
            [tmp_path / "make", "-C", APP, target, f"BUILD={tmp_path}/build"],
            env={"PATH": str(tmp_path)}, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode != 0
        assert done.stderr.startswith("Missing: javac jar keytool mvn aapt2 zipalign apksigner dexdump")
        assert f"apt-get install {make('DEBIAN')}\n" in done.stderr
        assert "Maven Central" in done.stderr
        assert not (tmp_path / "build").exists()


def test_the_readme_names_the_packages_that_make_does() -> None:
    said = " ".join((APP / "README.md").read_text().split())
    assert f"`{make('DEBIAN')}`" in said
