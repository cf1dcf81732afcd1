"""`pipeline quantize`: its flags; what it does is in tests/pipeline/brought."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.cli.flags import brought_options
from pipeline.cli.quantize import quantize


def flags() -> set[str]:
    return {name for parameter in quantize.params for name in parameter.opts}


def test_what_shapes_a_model_or_its_float_training_is_no_flag() -> None:
    assert {"--qat-epochs", "--calibration", "--io", "--limit-accuracy-drop", "--seed"} <= flags()
    assert not {"--units", "--attention", "--epochs", "--learning-rate", "--patience"} & flags()


def test_every_flag_of_a_brought_model_is_there() -> None:
    def command() -> None: ...

    brought_options(command)
    added = {name for option in command.__click_params__ for name in option.opts}  # type: ignore[attr-defined]
    assert added <= flags()


def test_data_are_needed(invoke: Any) -> None:
    done = invoke("quantize", "model.keras")
    assert done.code == 2
    assert "--data" in done.err


def test_a_model_that_is_not_there_is_told_at_once(invoke: Any, tmp_path: Path) -> None:
    done = invoke("quantize", tmp_path / "no.keras", "--data", "japanese-vowels")
    assert done.code == 2
    assert "There is no model" in done.err


@pytest.mark.parametrize("flag", ["--qat-epochs", "--limit-accuracy-drop"])
def test_a_bad_value_is_told_before_anything_is_read(invoke: Any, tmp_path: Path, flag: str) -> None:
    (tmp_path / "m.keras").write_bytes(b"")
    done = invoke("quantize", tmp_path / "m.keras", "--data", "japanese-vowels", flag, "-1")
    assert done.code == 2
    assert "-1" in done.err
