"""A phone for adb that is a folder here: put as `adb` on the PATH, it does what adb does with one.

FAKE_PHONE is the folder; /data/local/tmp of the phone is its `tmp`. FAKE_ABI is its processor. What the shell
runs is run by this machine's, but for an arm64 loader, before which FAKE_EMULATOR is put, which has to be
something that runs it. Every call is noted in `calls`.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

THERE = "/data/local/tmp"
PROPERTIES = {"ro.product.model": "Cardboard", "ro.build.version.release": "14"}


def main(arguments: list[str]) -> int:
    phone = Path(os.environ["FAKE_PHONE"])
    here = phone / "tmp"
    here.mkdir(exist_ok=True)
    with (phone / "calls").open("a") as calls:
        print(*arguments, file=calls)
    if arguments[0] == "-s":
        serial, arguments = arguments[1], arguments[2:]
        if serial != "cardboard-1":
            print(f"error: device '{serial}' not found", file=sys.stderr)
            return 1
    action, *rest = arguments
    if action == "get-state":
        print("device")
        return 0
    if action == "shell":
        (script,) = rest
        if found := re.fullmatch("getprop (.*)", script):
            print({**PROPERTIES, "ro.product.cpu.abi": os.environ["FAKE_ABI"]}[found[1]])
            return 0
        script = script.replace(THERE, str(here))
        emulator = os.environ.get("FAKE_EMULATOR", "")
        script = re.sub(r"\S+/lib/ld-linux-aarch64\.so\.1", rf"{emulator} \g<0>", script)
        done = subprocess.run(["sh", "-c", script], stdout=subprocess.PIPE, text=True, check=False)
        print(done.stdout.replace(str(here), THERE), end="", flush=True)
        return done.returncode
    *sources, into = (word.replace(THERE, str(here)) for word in rest)
    for source in map(Path, sources):
        if source.is_dir():
            shutil.copytree(source, Path(into) / source.name)
        else:
            shutil.copy(source, into)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
