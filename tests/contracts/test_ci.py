"""The whole check says of every tool that is missing what will not be tested."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from android_app import DEBIAN
from source_tree import ROOT

SCRIPT = ROOT / ".ci" / "run"


def test_nothing_is_skipped_in_silence(tmp_path: Path) -> None:
    """Nobody is root, and there is no tool at all but what the script itself is made of."""
    for name in ("dirname", "sh"):
        (tmp_path / name).symlink_to(shutil.which(name) or "")
    for name, does in (("id", "echo 1000"), ("make", 'echo "make $*"')):
        (tmp_path / name).write_text(f"#!/bin/sh\n{does}\n")
        (tmp_path / name).chmod(0o755)
    done = subprocess.run(
        ["sh", SCRIPT], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "make test\n")
    told = re.findall(r"^(.*) could not be installed: .* will be skipped$", done.stderr, re.MULTILINE)
    assert len(told) == len(done.stderr.splitlines())
    wanted = re.findall(r'^install "[^"]+" (\S+) (.+)$', SCRIPT.read_text(), re.MULTILINE)
    assert told == [packages for sign, packages in wanted if not os.path.exists(sign)]
    signs = {sign for sign, _ in wanted}
    assert {"chromium", "qemu-aarch64", "/usr/sbin/sshd", "cc"} <= signs
    assert set(DEBIAN) - signs == {"java", "jar", "keytool"}  # with javac


def test_packages_are_installed_in_one_place() -> None:
    assert SCRIPT.read_text().count("apt-get install") == 1
