"""The APK as `make -C android_demo apk` builds it, what its check refuses, and the tests on the JVM."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from android_app import APP, ASSETS, missing_tools
from scripts import load_script

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(bool(missing_tools()), reason=f"not installed: {', '.join(missing_tools())}"),
]

MODEL = "assets/model.tflite"
FIRST, LIBRARY = (f"lib/{abi}/libtensorflowlite_jni.so" for abi in ("arm64-v8a", "x86_64"))


check = load_script(APP / "check_apk.py")


def make(target: str) -> str:
    done = subprocess.run(
        ["make", "-C", str(APP), target], capture_output=True, text=True, env={**os.environ, "MAKEFLAGS": ""}
    )
    if done.returncode and re.search(
        "Could not (transfer|resolve|find)|Unknown host", done.stdout + done.stderr
    ):
        pytest.skip("Maven Central cannot be reached, and its packages are not here yet")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def apk() -> Path:
    """The finished APK; what make finds up to date is not made again."""
    make("apk")
    return APP / "build" / "fuselage.apk"


def test_every_check_holds(apk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main(apk) == 0
    out = capsys.readouterr().out
    assert out.count("\nok ") + out.startswith("ok ") == len(check.CHECKS) == 6


def test_the_model_in_it_is_the_committed_one(apk: Path) -> None:
    with zipfile.ZipFile(apk) as archive:
        assert archive.getinfo(MODEL).compress_type == zipfile.ZIP_STORED
        for name in ("model.tflite", "model.json", "golden.json"):
            assert archive.read(f"assets/{name}") == (ASSETS / name).read_bytes()


def test_nothing_in_it_tells_when_it_was_built(apk: Path) -> None:
    with zipfile.ZipFile(APP / "build" / "unsigned.apk") as archive:
        assert {entry.date_time[:3] for entry in archive.infolist()} <= {(1981, 1, 1), (1980, 1, 1)}


Change = Mapping[str, Callable[[bytes], bytes | None]]


def rewritten(apk: Path, to: Path, change: Change, stored: bool = True) -> Path:
    """A copy whose entries of these names are changed, or left out where the change gives None."""
    with zipfile.ZipFile(apk) as before, zipfile.ZipFile(to, "w") as after:
        for entry in before.infolist():
            content = change.get(entry.filename, lambda same: same)(before.read(entry))
            if content is not None:
                kind = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
                after.writestr(
                    entry.filename, content, kind if entry.filename in change else entry.compress_type
                )
    return to


def flipped(content: bytes) -> bytes:
    return content[:20_000] + bytes([content[20_000] ^ 1]) + content[20_001:]


REFUSED = {
    "model compressed": (0, {MODEL: lambda same: same}, False, "is compressed"),
    "model absent": (0, {MODEL: lambda _: None}, True, "no assets/model.tflite"),
    "model changed": (0, {MODEL: flipped}, True, "not the one of the sources"),
    "card of another": (0, {"assets/model.json": lambda _: b'{"sha256": "00"}'}, True, "says sha256 00"),
    "golden of another": (0, {"assets/golden.json": lambda _: b'{"sha256": "00"}'}, True, "another model"),
    "library absent": (1, {LIBRARY: lambda _: None}, True, "native libraries"),
    "library compressed": (1, {FIRST: lambda same: same}, False, "is compressed"),
    "library off its page": (1, {LIBRARY: lambda same: same}, True, "not on a page"),
    "not aligned": (2, {}, True, "zipalign fails"),
    "signature gone": (3, {}, True, "apksigner fails"),
    "no code": (4, {"classes.dex": lambda _: None}, True, "dexdump fails"),
    "no manifest": (5, {"AndroidManifest.xml": lambda _: None}, True, "aapt2 fails"),
}


@pytest.mark.parametrize(("index", "change", "stored", "said"), REFUSED.values(), ids=REFUSED)
def test_the_check_refuses(
    apk: Path, tmp_path: Path, index: int, change: Change, stored: bool, said: str
) -> None:
    damaged = rewritten(apk, tmp_path / "damaged.apk", change, stored)
    with pytest.raises(check.CheckError, match=re.escape(said)):
        check.CHECKS[index](damaged)
    assert check.main(damaged) == 1


def test_a_library_for_another_machine_is_refused(apk: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(apk) as archive:
        other = archive.read(FIRST)
    damaged = rewritten(apk, tmp_path / "damaged.apk", {LIBRARY: lambda _: other})
    aligned = tmp_path / "aligned.apk"
    subprocess.run(["zipalign", "-p", "4", damaged, aligned], check=True)
    with pytest.raises(check.CheckError, match="another machine"):
        check.native_libraries_are_stored_and_of_their_machine(aligned)


def test_a_changed_byte_breaks_the_signature(apk: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.apk"
    content = bytearray(apk.read_bytes())
    content[content.index(b"TFL3") + 1000] ^= 1
    damaged.write_bytes(content)
    with pytest.raises(check.CheckError, match="apksigner fails"):
        check.signature_is_valid(damaged)


LAMBDA = (
    "class L { Runnable r() { return () -> {}; } java.time.Instant t() { return java.time.Instant.now(); } }"
)


def test_code_with_a_lambda_or_a_later_class_is_refused(apk: Path, tmp_path: Path) -> None:
    (tmp_path / "L.java").write_text(LAMBDA)
    subprocess.run(
        ["javac", "--release", "8", "-Xlint:-options", "-d", tmp_path, tmp_path / "L.java"], check=True
    )
    dx = ["java", "-cp", APP / "build/libraries/dalvik-dx.jar", "com.android.dx.command.Main", "--dex"]
    refused = subprocess.run(
        [*dx, "--min-sdk-version=24", f"--output={tmp_path / 'L.dex'}", "L.class"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert refused.returncode != 0  # so the build itself stops at API 24
    subprocess.run(
        [*dx, "--min-sdk-version=26", f"--output={tmp_path / 'L.dex'}", "L.class"], cwd=tmp_path, check=True
    )
    code = (tmp_path / "L.dex").read_bytes()
    with pytest.raises(check.CheckError, match="invoke-custom"):
        check.code_runs_on_android(rewritten(apk, tmp_path / "lambda.apk", {"classes.dex": lambda _: code}))


def test_the_tests_on_the_jvm_pass(apk: Path) -> None:
    out = make("test")
    print(out)
    (total,) = re.findall(r"^\[.*\] Tests run: (\d+), Failures: 0, Errors: 0, Skipped: 0$", out, re.MULTILINE)
    assert int(total) >= 58
    assert re.search(r"Golden vectors: 8 of 8 windows, largest difference [01] steps", out)
    for name in ("recording", "live", "turned", "night"):
        picture = (APP / "build" / "screenshots" / f"{name}.png").read_bytes()
        assert picture.startswith(b"\x89PNG")


def test_an_exported_model_is_what_the_next_apk_holds(apk: Path, tmp_path: Path) -> None:
    """In a copy of the app, as a person does it: export, then make."""
    from android_app import build_of_the_demo

    from pipeline.export.android import export_android

    app = tmp_path / "app"
    shutil.copytree(
        APP, app, symlinks=True, ignore=shutil.ignore_patterns("test-classes", "robolectric", "javacpp")
    )
    names = ["a", "b", "c", "d"]
    export_android(build_of_the_demo(tmp_path / "build", class_names=names), app)
    done = subprocess.run(["make", "-C", app, "apk"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert "6 of 6 checks hold" in done.stdout
    with zipfile.ZipFile(app / "build" / "fuselage.apk") as archive:
        assert archive.read(MODEL) != (ASSETS / "model.tflite").read_bytes()
