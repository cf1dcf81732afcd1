"""`pipeline data list`."""

from typing import Any

from pipeline.data.registry import names


def test_every_registered_data_set_is_listed_with_its_source(invoke: Any) -> None:
    done = invoke("data", "list")
    assert done.code == 0
    lines = done.out.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == list(names())
    assert "9 classes, 270 training and 370 test windows" in done.out
    assert "CC BY 4.0" in done.out
