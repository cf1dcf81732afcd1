"""A phone by adb, Android's debug bridge.

A phone has no Python, and the wheels of the interpreter need glibc, which Android has not. So the arm64 root
of the emulation goes to the phone, once, and its own loader starts its Python there: the same libraries as
under qemu, run by the phone's processor. With --python a Python that is already there is used instead.
"""

from __future__ import annotations

import re
import shlex
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from models.errors import InputError, VerificationError
from pipeline.progress import Progress
from pipeline.targets import emulator
from pipeline.targets.cache import cache_folder
from pipeline.targets.remote import Remote
from pipeline.targets.target import Options, target
from pipeline.targets.tools import need

PARENT = "/data/local/tmp"  # where a shell by adb may write and run programs
_SERIAL = re.compile(r"[A-Za-z0-9_\[][\w.:\-\[\]]*")
_LOADER = "lib/ld-linux-aarch64.so.1"
_TIP = "Switch on USB debugging, connect the phone and allow this computer; `adb devices` lists it."


@dataclass
class Adb(Remote):
    """A phone, or what else adb reaches.

    Args:
        serial: which one, as `adb devices` lists it; "": the only one.
        cache: where the emulation is set up, whose root is used.
        interpreter: a Python there; None: that of the root.
    """

    name: str
    serial: str
    cache: Path
    interpreter: str | None
    parent: str = PARENT
    _root: str = field(default="", init=False)

    def shell(self, script: str) -> list[str]:
        return [*self._adb(), "shell", script]

    def push(self, sources: Sequence[Path], into: str) -> list[str]:
        return [*self._adb(), "push", *map(str, sources), f"{into}/"]

    def pull(self, source: str, into: Path) -> list[str]:
        return [*self._adb(), "pull", source, str(into)]

    def python(self) -> str:
        if self.interpreter is not None:
            return shlex.quote(self.interpreter)
        root = f"{self._root}/root"
        settings = {
            "PYTHONHOME": f"{root}/usr",
            "PYTHONPATH": f"{self._root}/site",
            "OPENBLAS_NUM_THREADS": "1",
            "LC_ALL": "C.UTF-8",
        }
        words = [f"{name}={shlex.quote(value)}" for name, value in settings.items()]
        program = [f"{root}/{_LOADER}", "--library-path", f"{root}/usr/lib/aarch64-linux-gnu"]
        return " ".join([*words, *program, f"{root}/usr/bin/python3", "-S"])

    def prepare(self, progress: Progress) -> Mapping[str, str]:
        """Find the phone; bring the root there if it is not, or look at the Python that was named."""
        tip = "Install Android's platform tools, on Debian: apt-get install adb"
        need("adb", f"The target {self.name}", tip)
        self.call([*self._adb(), "get-state"], f"adb reaches no device for {self.name}", _TIP)
        about = {
            key: self.ask(f"getprop {name}", f"{self.name} does not say what it is")
            for key, name in {"model": "ro.product.model", "android": "ro.build.version.release",
                              "abi": "ro.product.cpu.abi"}.items()
        }  # fmt: skip
        if self.interpreter is not None:
            self.look_for_python(self.python())
            return about
        if about["abi"] != "arm64-v8a":
            raise VerificationError(
                f"{self.name} runs '{about['abi']}'; the root that is brought along is for arm64-v8a.",
                "Name a Python that is there, with numpy and ai_edge_litert: --python PATH.",
            )
        machine = emulator.set_up(self.cache, progress)
        self._root = f"{PARENT}/fuselage-{machine.folder.name}"
        self._bring(machine.folder, progress)
        return {**about, **{name: text for name, text in machine.versions.items() if name != "qemu"}}

    def _bring(self, folder: Path, progress: Progress) -> None:
        """Copy the root to the phone under another name first, so that it is whole or absent there."""
        there = self._root
        if self.ask(f"if [ -d {there} ]; then echo yes; fi", f"{self.name} does not answer") == "yes":
            return
        progress.start(f"Copying the arm64 root to {self.name} (on first use)", None)
        with tempfile.TemporaryDirectory() as name, self._folder() as part:
            archive = Path(name) / "root.tar"  # adb itself keeps no symbolic links
            with tarfile.open(archive, "w") as tar:
                for one in ("root", "site"):
                    tar.add(folder / one, one)
            what = f"The arm64 root could not be copied to {self.name}"
            tip = f"It needs {_megabytes(archive)} MB twice in {PARENT}."
            self.call(self.push([archive], part), what, tip)
            self.ask(f"cd {part} && mkdir whole && tar xf root.tar -C whole && mv whole {there}", what, tip)
        progress.finish()

    def _adb(self) -> list[str]:
        return ["adb", *(["-s", self.serial] if self.serial else [])]


def _megabytes(path: Path) -> int:
    return round(path.stat().st_size / 1e6)


@target("adb", "adb[:SERIAL]", ("cache", "python"))
def _adb(rest: str, options: Options) -> Adb:
    if rest and not _SERIAL.fullmatch(rest):
        raise InputError(f"'{rest}' is no serial number of adb; `adb devices` lists those there are.")
    name = f"adb:{rest}" if rest else "adb"
    return Adb(name, rest, cache_folder(options.cache), options.python)
