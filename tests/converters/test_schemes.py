from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_classifier import convert_float, float_file, int8_file, model, table, windows

from converters import schema
from converters.inner_tensors import all_tensors
from converters.lint import integer_only_problems
from converters.lstm_op import lstm_nodes
from converters.schemes import SCHEMES, Source, convert
from models.errors import ConversionError

KINDS = {"float32": "float32", "float16": "float32", "dynamic": "hybrid", "int8": "int8 8x8_16"}


def source() -> Source:
    return Source(float_file(), float_file(), table())


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_scheme_makes_a_file_that_runs(scheme: str) -> None:
    made = convert(scheme, source())
    (node,) = lstm_nodes(schema.read_model(made.content))
    assert (node.kind, node.cell_clip) == (KINDS[scheme], 0.0)
    assert bool(made.ranges) == (scheme == "int8")
    assert (not integer_only_problems(made.content)) == (scheme == "int8")
    values = all_tensors(made.content, windows(1)[0])
    assert all(np.isfinite(value).all() for _, value in values.values())


def test_schemes_are_named_by_their_functions() -> None:
    assert set(SCHEMES) == set(KINDS)


def test_float32_and_int8_are_the_files_they_always_were() -> None:
    assert convert("float32", source()).content == float_file()
    assert convert("int8", source()).content == int8_file()
    assert convert("int8", replace(source(), io="int8")).content == int8_file("int8")


def test_attention_in_int16_is_a_table_with_other_precisions() -> None:
    wide = replace(
        table(),
        quantities=tuple(
            replace(q, precision="int16" if q.name.startswith("attention/") else "int8")
            for q in table().quantities
        ),
    )
    # The context and the last state are joined, and the layer that takes them has no quantity for its input.
    with pytest.raises(ConversionError, match="joins values of different formats"):
        convert("int8", replace(source(), table=wide))


@pytest.mark.parametrize("missing", ["trained", "table"])
def test_an_integer_file_needs_weights_and_ranges(missing: str) -> None:
    with pytest.raises(ConversionError, match="needs the weights that bear rounding and their ranges"):
        convert("int8", replace(source(), **{missing: None}))


def test_an_unknown_scheme_is_refused() -> None:
    with pytest.raises(ConversionError, match=r"scheme 'int4'\. Known: float32, float16, dynamic, int8\."):
        convert("int4", source())


@pytest.mark.slow
def test_a_scheme_converts_in_the_job(tmp_path: Path) -> None:
    from converters.convert import convert_job
    from converters.export import export_saved_model

    export_saved_model(model(), tmp_path / "saved_model", *model().input_shape[1:])
    table().save(tmp_path / "ranges.npz")
    result = convert_job(
        str(tmp_path),
        {
            "float_saved_model": str(tmp_path / "saved_model"),
            "quantized": {},
            "io": "float32",
            "lstm_layers": ["lstm"],
            "schemes": {
                name: {"file": f"model_{name}.tflite", "conversion": name, "attention": None}
                for name in ("float16", "dynamic")
            },
            "metadata": METADATA,
        },
    )
    assert result == {"float16": {"ranges": []}, "dynamic": {"ranges": []}}
    assert sorted(path.name for path in tmp_path.glob("*.tflite")) == [
        "model_dynamic.tflite", "model_float16.tflite",
    ]  # fmt: skip
    assert convert_float(model())  # the conversion left the model as it was


METADATA = {
    "name": "tiny",
    "class_names": ["a", "b", "c"],
    "channel_names": ["x", "y", "z"],
    "preprocessing": {"mean": [0.0] * 3, "std": [1.0] * 3, "steps": 6, "features": 3, "padding": "none"},
    "provenance": {},
}
