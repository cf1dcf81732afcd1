"""The machine is told by what it says of itself."""

from pathlib import Path

import pytest

from pipeline.benchmark.environment import Environment, cpu_name, describe


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("processor\t: 0\nmodel name\t: Some  CPU @ 2.0GHz\n", "Some CPU @ 2.0GHz"),
        ("processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0b\n", "Arm implementer 0x41 part 0xd0b"),
    ],
)
def test_the_name_of_the_processor(tmp_path: Path, text: str, name: str) -> None:
    (tmp_path / "cpuinfo").write_text(text)
    assert cpu_name(tmp_path / "cpuinfo") == name


def test_a_machine_that_says_nothing_still_has_a_name(tmp_path: Path) -> None:
    assert cpu_name(tmp_path / "none")


def test_what_is_not_installed_has_no_version() -> None:
    found = describe(3, ["numpy", "no-such-package-anywhere"])
    assert found.threads == 3
    assert found.cores >= 1
    assert set(found.versions) == {"fuselage", "python", "numpy"}


@pytest.mark.parametrize(("load", "busy"), [(0.9, False), (1.0, False), (1.1, True)])
def test_busy_is_more_than_half_of_the_cores(load: float, busy: bool) -> None:
    assert Environment("", "", 2, load, 1, "", {}).busy is busy
