"""Small float .tflite files of functions, and the quantities that a trained twin would give them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from converters import schema
from converters.inner_tensors import all_tensors
from converters.lint import SAME_VALUES
from converters.lstm_op import FUSED_LSTM
from converters.ranges import Quantity, RangeTable
from models.quantization.number_formats import HIDDEN_RANGE, SOFTMAX_RANGE, Range

STEPS, FEATURES = 6, 4
UNIT = Range(-1.0, 127 / 128)
KNOWN = {
    FUSED_LSTM: HIDDEN_RANGE,
    "SOFTMAX": SOFTMAX_RANGE,
    "LOGISTIC": SOFTMAX_RANGE,
    "TANH": UNIT,
    "L2_NORMALIZATION": UNIT,
}
"""Ranges of results that are known by construction, which the kernels' fixed formats are made for."""

HEADROOM = 1.05
"""Rounded hidden states lead to scores a little beyond those of the float model."""

Precision = Callable[[str, str], str]


def windows(count: int = 8, seed: int = 0, steps: int = STEPS, features: int = FEATURES) -> np.ndarray:
    """[count, steps, features] float32."""
    return np.random.default_rng(seed).normal(size=(count, steps, features)).astype(np.float32)


def float_graph(
    function: Callable[..., Any],
    variables: Sequence[Any] = (),
    steps: int = STEPS,
    features: int = FEATURES,
    lengths: bool = False,
) -> bytes:
    """A float .tflite of ``function(features)`` or ``function(features, lengths)``, without a cell clip.

    Args:
        function: of [1, steps, features] (and [1] int32); returns a dict of outputs.
        variables: that it uses.
    """
    import tensorflow as tf

    from converters.flatbuffer import set_cell_clip
    from converters.lstm_op import lstm_nodes

    specs = [tf.TensorSpec([1, steps, features], tf.float32, "features")]
    specs += [tf.TensorSpec([1], tf.int32, "lengths")] if lengths else []
    module = tf.Module()
    module.serve = tf.function(function, input_signature=specs)
    module.held = list(variables)
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures={"serving_default": module.serve})
        content = bytes(tf.lite.TFLiteConverter.from_saved_model(folder).convert())
    return set_cell_clip(content, 0.0) if lstm_nodes(schema.read_model(content)) else content


def output_index(model: schema.ModelT, name: str) -> int:
    """The tensor of an output, by its name in the signature."""
    (signature,) = model.signatureDefs
    (index,) = [entry.tensorIndex for entry in signature.outputs if schema.name(entry) == name]
    return int(index)


def everything(precision: str) -> Precision:
    """All values in one precision, where there is a kernel for it."""
    return lambda kind, output: "int8" if kind in (FUSED_LSTM, "L2_NORMALIZATION") else precision


def observed(
    content: bytes, precision: Precision, x: np.ndarray | None = None, length: int | None = None
) -> RangeTable:
    """A quantity for each value that a model computes (not for those it only moves), and for its input.

    Args:
        content: a float .tflite.
        precision: of a value, from the kind of its op ("INPUT" for the input) and the name of the model's
            output that it is, else "".
        x: windows that the ranges cover; the first is the probe window.
        length: of the probe, for a model with lengths.
    """
    x = windows() if x is None else x
    model = schema.read_model(content)
    (graph,) = model.subgraphs
    made_by = dict.fromkeys(schema.indices(graph.inputs), "INPUT")
    for operator in graph.operators:
        made_by.update(
            {int(index): schema.operator_name(model, operator) for index in schema.indices(operator.outputs)}
        )
    outputs = {
        entry.tensorIndex: schema.name(entry)
        for signature in model.signatureDefs or []
        for entry in signature.outputs
    }
    table = RangeTable(x[0], (), length)
    runs = [all_tensors(content, window, **table.probe_inputs) for window in x]
    quantities = []
    for index, kind in made_by.items():
        tensor = graph.tensors[index]
        if not schema.is_float(tensor) or kind in SAME_VALUES:
            continue
        values = np.stack([run[index][1] for run in runs])
        value_range = KNOWN.get(kind, Range(HEADROOM * float(values.min()), HEADROOM * float(values.max())))
        layer = f"{kind.lower()}_{index}"
        role = "hidden" if kind == FUSED_LSTM else "output"
        quantities.append(
            Quantity(f"{layer}/{role}", value_range, values[0], precision(kind, outputs.get(index, "")))
        )
        if kind == FUSED_LSTM:
            quantities.append(Quantity(f"{layer}/cell", Range(-4.0, 4.0), None))
    return RangeTable(x[0], tuple(quantities), length)
