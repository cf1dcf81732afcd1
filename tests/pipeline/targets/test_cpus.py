"""What a program reads about an emulated processor agrees with it."""

import pytest

from pipeline.targets.cpus import CPUS, DEFAULT


def test_the_default_is_one_of_them() -> None:
    assert DEFAULT in CPUS
    assert "max" not in CPUS


def test_the_text_is_that_of_a_cortex_a76() -> None:
    lines = dict(line.split(":", 1) for line in CPUS["cortex-a76"].cpuinfo.strip().splitlines())
    found = {name.strip(): value.strip() for name, value in lines.items()}
    assert found["CPU implementer"] == "0x41"
    assert found["CPU part"] == "0xd0b"
    assert found["CPU variant"] == "0x4"
    assert {"asimddp", "fphp", "atomics"} <= set(found["Features"].split())


@pytest.mark.parametrize("name", ["cortex-a53", "cortex-a72"])
def test_older_processors_have_no_dot_product(name: str) -> None:
    assert not {"asimddp", "fphp", "atomics"} & set(CPUS[name].features.split())
