"""Running a file: in a child, whatever it does to the interpreter."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from int8_lstm_file import Int8Lstm, build, with_lengths

from converters import schema
from converters.findings import experiment, measure
from converters.findings.measurement import Measurement, from_json
from models.errors import InputError


def test_the_child_finds_what_this_process_finds(tiny: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(tiny["int8"])
    assert measure(path) == experiment.run(tiny["int8"])


def test_a_measurement_survives_json(tiny: dict[str, bytes]) -> None:
    found = experiment.run(tiny["int8"])
    assert found.lstms
    assert found.changes
    assert found.row_sums
    assert from_json(json.loads(json.dumps(dataclasses.asdict(found), allow_nan=False))) == found


def test_a_file_that_ends_the_interpreter_is_a_result(tiny: dict[str, bytes]) -> None:
    """A softmax that writes text: LiteRT 2.3 ends with a segmentation fault."""
    model = schema.read_model(tiny["float"])
    (softmax,) = schema.operators(model, model.subgraphs[0], "SOFTMAX")
    model.subgraphs[0].tensors[softmax.outputs[0]].type = 5  # STRING
    assert measure(schema.write_model(model)) == Measurement(refused="Its process was ended by SIGSEGV.")


def test_a_file_that_never_ends_is_a_result(tiny: dict[str, bytes]) -> None:
    """The loop's counters come out as they went in."""
    model = schema.read_model(tiny["use_bias"])
    (loop,) = schema.operators(model, model.subgraphs[0], "WHILE")
    body = model.subgraphs[schema.loop_subgraphs(loop)[1]]
    body.outputs = np.array([*body.inputs[:2], *body.outputs[2:]], np.int32)
    found = measure(schema.write_model(model), limit_s=2)
    assert found == Measurement(refused="It did not come to an end in time.")


def test_a_failure_of_ours_does_not_accuse_the_file(
    tiny: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = np.zeros((1, 6, 3), np.float32)
    monkeypatch.setattr(np, "save", lambda path, *_, **__: Path(path).write_bytes(b"no array"))
    found = measure(tiny["float"], broken)
    assert found.refused == ""
    assert found.skipped.startswith("Measuring it failed: ")


def test_windows_of_ones_own(tiny: dict[str, bytes]) -> None:
    windows = np.zeros((3, 6, 3), np.float32)
    found = measure(tiny["float"], windows, "mine.npz")
    assert found.inputs == "3 windows of mine.npz"


@pytest.mark.parametrize("shape", [(3, 5, 3), (0, 6, 3), (6, 3)])
def test_windows_that_do_not_fit(tiny: dict[str, bytes], shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"The model takes windows of shape \[6, 3\]"):
        measure(tiny["float"], np.zeros(shape, np.float32))


def test_padding_is_left_out_of_what_is_seen() -> None:
    """Whatever stands behind the steps that count."""
    random = np.random.default_rng(0)
    weights = random.integers(-127, 128, (4, 4, 7)).astype(np.int8)
    content = with_lengths(build(Int8Lstm(
        weights[..., :3], weights[..., 3:], np.full((4, 4), 900, np.int32), (0.02,) * 4, (0.02,) * 4,
        steps=6, cell_scale=2.0**-15,
    )))  # fmt: skip
    windows, lengths = random.normal(size=(4, 6, 3)).astype(np.float32), np.array([1, 2, 4, 6])
    other = np.where(np.arange(6)[:, np.newaxis] < lengths[:, np.newaxis, np.newaxis], windows, -3)
    told, same = (measure(content, one, lengths=lengths) for one in (windows, other.astype(np.float32)))
    assert told == same
    assert told.lstms[0].cell_saturated
    assert told != measure(content, windows)
    with pytest.raises(InputError, match="The model has no input 'lengths'"):
        measure(build(Int8Lstm(
            weights[..., :3], weights[..., 3:], np.zeros((4, 4), np.int32), (0.02,) * 4, (0.02,) * 4, steps=6
        )), windows, lengths=lengths)  # fmt: skip


def test_the_effect_of_untied_scales(tiny: dict[str, bytes]) -> None:
    found = experiment.run(tiny["int8"])
    (lstm,) = found.lstms
    assert lstm.error is not None
    assert lstm.error_if_tied is not None
    assert lstm.error > 5 * lstm.error_if_tied
    assert {change.name for change in found.changes} == {"logits", "attention_weights"}
    assert max(change.largest for change in found.changes) > 0.01


def test_a_state_is_reset_before_every_input(tiny: dict[str, bytes]) -> None:
    """The same window twice: the same answers, so the same error."""
    window = np.random.default_rng(1).normal(size=(1, 6, 3)).astype(np.float32)
    once, twice = (
        experiment.run(tiny["float"], np.repeat(window, count, axis=0)).lstms[0] for count in (1, 2)
    )
    assert once.error is not None
    assert twice.error == pytest.approx(once.error, rel=1e-6)  # a state that is kept: 0.1 and more
    assert once.error < 1e-6


def test_no_tensorflow_is_needed(tiny: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(tiny["int8"])
    script = (
        "import sys, pathlib\n"
        "sys.modules.update(dict.fromkeys(['tensorflow', 'tf_keras', 'keras']))\n"  # importing them fails
        "from converters.findings import experiment\n"
        "found = experiment.job(pathlib.Path(sys.argv[1]), {'name': '', 'limit_s': 30})\n"
        "assert found['lstms'][0]['error_if_tied'] > 0, found\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", script, tmp_path], env=environment, check=True)


@pytest.mark.slow
def test_flex_is_refused_and_resource_variables_are_survived(fusion: dict[str, bytes]) -> None:
    assert "Select TensorFlow op" in experiment.run(fusion["flex"]).refused
    assert experiment.run(fusion["stateful"]).inputs == "16 seeded inputs"
