"""Debian packages of any architecture, fetched and unpacked; nothing is installed on the system.

apt works for this as it is configured on the machine (its sources, keys and proxies), but with lists, a
cache and, where asked for, a package status of its own, in a folder that goes away afterwards.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from pipeline.targets.tools import call, need

INSTALLED = Path("/var/lib/dpkg/status")
TIP = (
    "The set-up needs the network, and sources in /etc/apt that have packages for {}. It keeps nothing that "
    "is not whole: run the same command again."
)


def own_architecture() -> str:
    """This machine's architecture as Debian names it."""
    dpkg = need("dpkg", "The set-up of the emulation", "It is made from Debian's packages: use Debian or a "
                "system made from it.")  # fmt: skip
    return call([dpkg, "--print-architecture"], "dpkg does not answer", "").strip()


def unpack_packages(
    names: Sequence[str], architecture: str, into: Path, work: Path, beside_installed: bool = False
) -> list[str]:
    """Fetch packages with all that they depend on, and unpack them into a folder.

    Args:
        names: of the packages.
        architecture: as Debian names it.
        work: a folder for lists and archives, removed at the end.
        beside_installed: leave out what they depend on and is installed here; False: nothing is there yet.

    Returns:
        What was unpacked, "name_version_architecture" each, sorted.

    Raises:
        VerificationError: no apt or dpkg, no network, no such package.
    """
    what = f"Fetching packages for {architecture}"
    apt = need("apt-get", what, "It is made from Debian's packages: use Debian or a system made from it.")
    dpkg = need("dpkg", what, "It is part of Debian.")
    for folder in ("lists/partial", "cache/archives/partial"):
        (work / folder).mkdir(parents=True)
    status = INSTALLED
    if not beside_installed:
        status = work / "status"
        status.touch()
    settings = {
        "APT::Architecture": architecture,
        "APT::Architectures::": architecture,
        "APT::Sandbox::User": "",  # the folders are ours alone
        "Acquire::Languages": "none",
        "Debug::NoLocking": "true",
        "Dir::State": work,
        "Dir::State::lists": work / "lists",
        "Dir::State::status": status,
        "Dir::Cache": work / "cache",
    }
    options = [text for name, value in settings.items() for text in ("-o", f"{name}={value}")]
    tip = TIP.format(architecture)
    call([apt, *options, "update", "--error-on=any"], "The lists of packages could not be fetched", tip)
    call(
        [apt, *options, "install", "--reinstall", "--download-only", "--no-install-recommends", "--yes",
         *names],
        f"The packages {', '.join(names)} ({architecture}) could not be fetched", tip,
    )  # fmt: skip
    archives = sorted((work / "cache/archives").glob("*.deb"))
    into.mkdir(exist_ok=True)
    for archive in archives:
        call([dpkg, "-x", str(archive), str(into)], f"{archive.name} could not be unpacked", tip)
    shutil.rmtree(work)
    return [archive.stem for archive in archives]
