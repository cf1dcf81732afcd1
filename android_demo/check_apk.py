#!/usr/bin/env python3
"""Check a finished APK: what it has to hold, how it has to hold it, and what must not be in it.

    python3 check_apk.py build/fuselage.apk

Needs zipalign, apksigner, aapt2 and dexdump. Prints a line for each check; exit code 1 if one fails.
That the app runs on a phone is not among them.
"""

import hashlib
import json
import re
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

ASSETS = Path(__file__).parent / "app/src/main/assets"
MODEL, CARD, GOLDEN = "assets/model.tflite", "assets/model.json", "assets/golden.json"
MACHINES = {"arm64-v8a": 183, "x86_64": 62}  # e_machine of ELF: EM_AARCH64, EM_X86_64
LIBRARY = "lib/{}/libtensorflowlite_jni.so"
PAGE = 4096
MIN_SDK, TARGET_SDK = 24, 35

# What javac knows of Java 8 and Android 7 has not, or (java.lang.invoke) cannot link.
TOO_NEW = (
    "Ljava/lang/invoke/",
    "Ljava/nio/file/",
    "Ljava/time/",
    "Ljava/util/Base64",
    "Ljava/util/concurrent/Flow",
)


class CheckError(Exception):
    """The APK is not what it has to be."""


def need(condition: object, what: str) -> None:
    if not condition:
        raise CheckError(what)


def run(*command: object) -> str:
    """The output of a tool; a CheckError with it where the tool fails."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    need(done.returncode == 0, f"{command[0]} fails: {(done.stdout + done.stderr).strip()[-500:]}")
    return done.stdout


def model_is_stored_and_whole(apk: Path) -> str:
    with zipfile.ZipFile(apk) as archive:
        need(MODEL in archive.namelist(), f"no {MODEL}")
        need(archive.getinfo(MODEL).compress_type == zipfile.ZIP_STORED, f"{MODEL} is compressed")
        model = archive.read(MODEL)
        card, golden = json.loads(archive.read(CARD)), json.loads(archive.read(GOLDEN))
    checksum = hashlib.sha256(model).hexdigest()
    need(model == (ASSETS / "model.tflite").read_bytes(), f"{MODEL} is not the one of the sources")
    need(checksum == card["sha256"], f"{CARD} says sha256 {card['sha256'][:8]}, the model has {checksum[:8]}")
    need(checksum == golden["sha256"], f"{GOLDEN} belongs to another model")
    return f"{len(model):,} bytes, stored, sha256 {checksum[:8]}..."


def native_libraries_are_stored_and_of_their_machine(apk: Path) -> str:
    with zipfile.ZipFile(apk) as archive, apk.open("rb") as file:
        there = sorted(name for name in archive.namelist() if name.startswith("lib/"))
        need(there == sorted(map(LIBRARY.format, MACHINES)), f"native libraries: {there}")
        for abi, machine in MACHINES.items():
            entry = archive.getinfo(LIBRARY.format(abi))
            need(entry.compress_type == zipfile.ZIP_STORED, f"{entry.filename} is compressed")
            file.seek(entry.header_offset + 26)
            start = entry.header_offset + 30 + sum(struct.unpack("<HH", file.read(4)))
            need(start % PAGE == 0, f"{entry.filename} starts at {start}, not on a page of {PAGE} bytes")
            head = archive.read(entry)[:20]
            need(head[:5] == b"\x7fELF\x02", f"{entry.filename} is no 64-bit library")
            need(struct.unpack("<H", head[18:20])[0] == machine, f"{entry.filename} is for another machine")
    return f"{', '.join(MACHINES)}, stored, on pages of {PAGE} bytes"


def entries_are_aligned(apk: Path) -> str:
    run("zipalign", "-c", "-p", "4", apk)
    return "zipalign -c -p 4"


def signature_is_valid(apk: Path) -> str:
    said = run("apksigner", "verify", "--verbose", "--min-sdk-version", MIN_SDK, apk)
    schemes = re.findall(r"Verified using v(\d) scheme.*: true", said)
    need("2" in schemes, f"not signed with scheme v2: {said.strip()}")
    return f"schemes v{', v'.join(schemes)}"


def code_runs_on_android(apk: Path) -> str:
    """dx at a higher API level accepts lambdas, which become invoke-custom, which Android cannot link."""
    code = run("dexdump", "-d", apk)
    for instruction in ("invoke-custom", "invoke-polymorphic"):
        need(instruction not in code, f"{instruction} in the code: a lambda or method reference?")
    for name in TOO_NEW:
        need(name not in code, f"the code uses {name}..., which Android {MIN_SDK} has not")
    need("'Lfuselage/demo/MainActivity;'" in code, "the activity is not in the code")
    need("'Lorg/tensorflow/lite/Interpreter;'" in code, "TensorFlow Lite's Interpreter is not in the code")
    return "no invoke-custom, nothing that its oldest Android has not"


def manifest_is_as_said(apk: Path) -> str:
    said = run("aapt2", "dump", "badging", apk)
    need(f"sdkVersion:'{MIN_SDK}'" in said, f"minSdkVersion is not {MIN_SDK}")
    need(f"targetSdkVersion:'{TARGET_SDK}'" in said, f"targetSdkVersion is not {TARGET_SDK}")
    need("launchable-activity: name='fuselage.demo.MainActivity'" in said, "nothing to launch")
    permissions = re.findall("uses-permission.*", said)
    need(not permissions, f"asks for {permissions}")
    need("application-debuggable" not in said, "debuggable")
    return f"API {MIN_SDK} to {TARGET_SDK}, no permissions"


CHECKS: tuple[Callable[[Path], str], ...] = (
    model_is_stored_and_whole,
    native_libraries_are_stored_and_of_their_machine,
    entries_are_aligned,
    signature_is_valid,
    code_runs_on_android,
    manifest_is_as_said,
)


def main(apk: Path) -> int:
    failed = 0
    for check in CHECKS:
        name = check.__name__.replace("_", " ")
        try:
            print(f"ok      {name}: {check(apk)}")
        except CheckError as error:
            failed += 1
            print(f"FAILED  {name}: {error}")
    print(f"{apk}: {apk.stat().st_size:,} bytes, {len(CHECKS) - failed} of {len(CHECKS)} checks hold")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
