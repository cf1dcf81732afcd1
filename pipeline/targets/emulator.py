"""The aarch64 interpreter on this machine: qemu's user emulation and a small arm64 root for it.

    CACHE/qemu-<key>/       qemu-aarch64, only where it is not installed
    CACHE/arm64-<key>/root  libc, Python, libstdc++: Debian's arm64 packages, unpacked
                     /site  numpy and ai-edge-litert, the aarch64 wheels of the versions used here
                     /cpus  for each processor a view of the root with its /proc/cpuinfo
                     /versions.json

The first run of Python, at the end of the set-up, leaves compiled modules behind: later ones start in a
second.
"""

from __future__ import annotations

import importlib.metadata
import json
import platform
import shutil
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from models.errors import VerificationError
from pipeline.progress import Progress, Silence
from pipeline.targets.apt import own_architecture, unpack_packages
from pipeline.targets.cache import cached
from pipeline.targets.cpus import CPUS
from pipeline.targets.tools import call

QEMU = "qemu-aarch64"
PACKAGES = ("python3-minimal", "libpython3-stdlib", "libstdc++6")
WHEELS = ("ai-edge-litert", "numpy")
RECIPE = "1"  # of this file: another one is another folder in the cache
_IMPORTS = "import numpy, ai_edge_litert.interpreter, json, platform, zipfile"


@dataclass(frozen=True)
class Emulator:
    """A way to run Python with the interpreter as arm64 code.

    Attributes:
        qemu: the program.
        libraries: where the libraries are that came with it; None of an installed one.
        folder: of the root, in the cache.
        versions: of qemu, Python, the wheels and every package of the root.
    """

    qemu: Path
    libraries: Path | None
    folder: Path
    versions: dict[str, str]

    def command(
        self, cpu: str, arguments: list[str], plugin: str | None = None
    ) -> tuple[list[str], dict[str, str]]:
        """A command line that runs Python with these arguments, and the environment it needs.

        Args:
            cpu: a name of `CPUS`.
            plugin: of qemu, as its option `-plugin` takes it.
        """
        options = ["-L", str(self.folder / "cpus" / cpu), "-cpu", cpu, "-U", "LD_LIBRARY_PATH"]
        options += ["-seed", "1"]  # of what is random in the process, so that two runs are the same run
        options += ["-plugin", plugin] if plugin else []
        return [str(self.qemu), *options, str(_python(self.folder)), "-S", *arguments], _environment(
            self.folder, self.libraries
        )


def set_up(cache: Path, progress: Progress | None = None) -> Emulator:
    """The emulator, fetched into the cache where it is not there yet.

    Raises:
        VerificationError: it cannot be set up here: no apt, no network, no such package.
        InputError: the cache cannot be written.
    """
    progress = progress or Silence()
    qemu, libraries = _qemu(cache, progress)
    wheels = {name: importlib.metadata.version(name) for name in WHEELS}
    made_of = {"recipe": RECIPE, "system": _system(), **wheels}
    folder = cached(cache, "arm64", made_of, lambda part: _make_root(part, wheels, qemu, libraries, progress),
                    progress)  # fmt: skip
    versions = json.loads((folder / "versions.json").read_text("utf-8"))
    return Emulator(qemu, libraries, folder, {"qemu": qemu_version(qemu, libraries), **versions})


def qemu_version(qemu: Path, libraries: Path | None) -> str:
    """As it says itself: "7.2.22"."""
    said = call([str(qemu), "--version"], f"{qemu} does not run", "", _environment(None, libraries))
    words = said.split()
    return words[words.index("version") + 1] if "version" in words else said.strip()


def _qemu(cache: Path, progress: Progress) -> tuple[Path, Path | None]:
    """The installed qemu, else one in the cache and where its libraries are."""
    if installed := shutil.which(QEMU):
        return Path(installed), None
    architecture = own_architecture()

    def make(part: Path) -> None:
        progress.start(f"Setting up {QEMU} (on first use)", None)
        unpack_packages(["qemu-user"], architecture, part, part / "work", beside_installed=True)
        for other in (part / "usr/bin").iterdir():  # it comes with three dozen other processors
            if other.name != QEMU:
                other.unlink()
        progress.finish()

    made_of = {"recipe": RECIPE, "system": _system(), "architecture": architecture}
    folder = cached(cache, "qemu", made_of, make, progress)
    libraries = next((one.parent for one in sorted(folder.glob("usr/lib/*/*.so*"))), None)
    return folder / "usr/bin" / QEMU, libraries


def _make_root(
    part: Path, wheels: dict[str, str], qemu: Path, libraries: Path | None, progress: Progress
) -> None:
    progress.start("Setting up arm64 emulation (on first use)", 4)
    root, site = part / "root", part / "site"
    (root / "usr/lib").mkdir(parents=True)
    (root / "lib").symlink_to("usr/lib")  # as on a Debian system: packages unpack into either
    packages = unpack_packages(PACKAGES, "arm64", root, part / "work")
    progress.advance(note="packages")
    python = _python(part).name
    _unpack_wheels(wheels, python.removeprefix("python"), site, part / "wheels")
    progress.advance(note="wheels")
    for cpu in CPUS.values():
        view = part / "cpus" / cpu.name
        (view / "proc").mkdir(parents=True)
        for name in ("lib", "usr"):
            (view / name).symlink_to(f"../../root/{name}")
        (view / "proc/cpuinfo").write_text(cpu.cpuinfo, "utf-8")
    versions = {"python": python, **wheels, "packages": " ".join(packages)}
    (part / "versions.json").write_text(json.dumps(versions, indent=1) + "\n", "utf-8")
    progress.advance(note="first start")
    emulator = Emulator(qemu, libraries, part, versions)
    command, environment = emulator.command("cortex-a76", ["-c", _IMPORTS])
    call(command, "The arm64 interpreter does not start under qemu", "", environment)
    progress.advance()
    progress.finish()


def _unpack_wheels(wheels: dict[str, str], python: str, site: Path, work: Path) -> None:
    """The aarch64 wheels for this Python ("3.11"), by the pip of this environment, as it is configured."""
    abi = f"cp{python.replace('.', '')}"
    call(
        [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(work), "--only-binary=:all:",
         "--no-deps", "--python-version", python, "--implementation", "cp", "--abi", abi, "--abi", "none",
         "--platform", "manylinux_2_27_aarch64", *(f"{name}=={version}" for name, version in wheels.items())],
        f"The aarch64 wheels for Python {python} could not be fetched",
        "The set-up needs pip in this environment, and the network. It keeps nothing that is not whole: run "
        "the same command again.",
    )  # fmt: skip
    for wheel in work.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)
    shutil.rmtree(work)


def _python(folder: Path) -> Path:
    """The Python of a root: the one with a version in its name."""
    found = sorted((folder / "root/usr/bin").glob("python3.*[0-9]"))
    if not found:
        raise VerificationError(f"The arm64 packages in {folder} have no Python.", "Remove it and try again.")
    return found[-1]


def _environment(folder: Path | None, libraries: Path | None) -> dict[str, str]:
    """Only what is needed: the program is not to find Python modules or libraries of this machine.

    With one thread and a fixed hash seed two runs execute the same instructions.
    """
    environment = {"PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1", "LC_ALL": "C.UTF-8"}
    if folder is not None:
        environment["PYTHONHOME"] = str(folder / "root/usr")
        environment["PYTHONPATH"] = str(folder / "site")
    if libraries is not None:
        environment["LD_LIBRARY_PATH"] = str(libraries)
    return environment


def _system() -> str:
    """Which distribution the packages come from, and for what the wheels of this Python are."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        release = {}
    return f"{release.get('ID', 'unknown')} {release.get('VERSION_ID', '')}".strip()
