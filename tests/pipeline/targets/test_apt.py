"""apt and dpkg as they are called: nothing of the system is touched, and what fails is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from models.errors import VerificationError
from pipeline.targets.apt import own_architecture, unpack_packages

# "fetches" two archives into the cache it is told to use, and notes how it was called
APT = """#!/bin/sh
echo "$@" >> {calls}
case "$*" in
*install*)
  for word in "$@"; do case $word in Dir::Cache=*) cache=${{word#Dir::Cache=}};; esac; done
  touch $cache/archives/b_1_arm64.deb $cache/archives/a_2_arm64.deb;;
esac
"""
DPKG = """#!/bin/sh
if [ "$1" = --print-architecture ]; then echo amd64; exit; fi
mkdir -p "$3/usr" && touch "$3/usr/$(basename "$2")"
"""


def test_packages_are_fetched_for_the_architecture_and_unpacked(
    tmp_path: Path, on_path: Callable[[str, str], Path]
) -> None:
    calls, into, work = tmp_path / "calls", tmp_path / "root", tmp_path / "work"
    on_path("apt-get", APT.format(calls=calls))
    on_path("dpkg", DPKG)
    assert unpack_packages(["a", "b"], "arm64", into, work) == ["a_2_arm64", "b_1_arm64"]
    assert sorted(path.name for path in (into / "usr").iterdir()) == ["a_2_arm64.deb", "b_1_arm64.deb"]
    assert not work.exists()
    update, install = calls.read_text().splitlines()
    for line in (update, install):
        for private in ("Dir::State", "Dir::State::lists", "Dir::State::status", "Dir::Cache"):
            assert f"{private}={work}" in line
        assert "APT::Architecture=arm64" in line
    assert "--download-only" in install
    assert install.endswith("a b")


def test_beside_what_is_installed_the_systems_status_is_read(
    tmp_path: Path, on_path: Callable[[str, str], Path]
) -> None:
    calls = tmp_path / "calls"
    on_path("apt-get", APT.format(calls=calls))
    on_path("dpkg", DPKG)
    unpack_packages(["a"], "amd64", tmp_path / "root", tmp_path / "work", beside_installed=True)
    assert "Dir::State::status=/var/lib/dpkg/status" in calls.read_text()


def test_without_a_network_the_last_lines_and_a_tip_are_told(
    tmp_path: Path, on_path: Callable[[str, str], Path]
) -> None:
    on_path("apt-get", "#!/bin/sh\necho 'E: Could not resolve the name' >&2\nexit 100\n")
    with pytest.raises(VerificationError, match="Could not resolve the name") as caught:
        unpack_packages(["a"], "arm64", tmp_path / "root", tmp_path / "work")
    assert "arm64" in caught.value.tip


def test_without_apt_the_error_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(VerificationError, match="'apt-get', which is not installed"):
        unpack_packages(["a"], "arm64", tmp_path / "root", tmp_path / "work")
    with pytest.raises(VerificationError, match="'dpkg', which is not installed"):
        own_architecture()


def test_the_own_architecture_is_dpkgs(on_path: Callable[[str, str], Path]) -> None:
    on_path("dpkg", DPKG)
    assert own_architecture() == "amd64"
