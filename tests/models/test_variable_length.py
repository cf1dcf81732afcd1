"""A sequence in a longer window is computed as at its own length; what stands behind it has no influence."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tf_keras

from converters.convert import convert_float
from converters.export import export_saved_model
from converters.quantizer import quantize
from converters.ranges import Quantity, RangeTable
from models.classifier import build_model
from models.config import ATTENTION_KINDS, AttentionConfig, ModelConfig, RecurrentConfig
from models.inputs import take
from models.quantization import calibrate, quantize_model
from models.quantization.transfer import observed_quantities

STEPS, FEATURES, UNITS, OUTPUTS = 9, 3, 8, 4
INT16_STEP = 2.0**-15


def config(kind: str = "scaled-dot", **changes: Any) -> ModelConfig:
    usual = ModelConfig(
        STEPS, FEATURES, OUTPUTS, recurrent=RecurrentConfig((UNITS,)),
        attention=AttentionConfig(kind, heads=2), variable_length=True,
    )  # fmt: skip
    return dataclasses.replace(usual, **changes)


def built(of: ModelConfig, seed: int = 0) -> tf_keras.Model:
    """Weights four times the initializer's, so that the attention is not uniform."""
    tf_keras.utils.set_random_seed(seed)
    model = build_model(of)
    model.set_weights([4 * weight for weight in model.get_weights()])
    return model


def windows(seed: int = 1) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    lengths = np.arange(1, STEPS + 1, dtype=np.int32)
    features = rng.normal(size=(STEPS, STEPS, FEATURES)).astype(np.float32)
    return {"features": features, "lengths": lengths}


def with_other_padding(inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    behind = np.arange(STEPS) >= inputs["lengths"][:, np.newaxis]
    features = np.where(behind[..., np.newaxis], np.float32(7.0), inputs["features"])
    return {**inputs, "features": features}


@pytest.mark.parametrize("kind", ATTENTION_KINDS)
def test_the_float_model_computes_each_sequence_as_at_its_own_length(kind: str) -> None:
    model, inputs = built(config(kind)), windows()
    padded = model(inputs)
    for row, length in enumerate(inputs["lengths"]):
        own = build_model(config(kind, steps=int(length), variable_length=False))
        own.set_weights(model.get_weights())
        alone = own(inputs["features"][row : row + 1, :length])
        # The same sums in another order: a few roundings of float32.
        np.testing.assert_allclose(padded["logits"][row], alone["logits"][0], atol=1e-5)
        weights = padded["attention_weights"][row]
        np.testing.assert_allclose(weights[..., :length], alone["attention_weights"][0], atol=1e-6)
        assert not np.any(weights[..., length:])


@pytest.mark.parametrize("kind", ATTENTION_KINDS)
@pytest.mark.parametrize("precision", ["int8", "int16", "float32"])
def test_what_stands_behind_the_end_has_no_influence_on_the_twin(kind: str, precision: str) -> None:
    twin, inputs = quantize_model(built(config(kind)), precision), windows()
    calibrate(twin, inputs)
    first, second = twin(inputs), twin(with_other_padding(inputs))
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])


def test_every_step_has_a_label_of_its_own() -> None:
    of = config(task="per-step", attention=AttentionConfig(query="all"))
    model, inputs = built(of), windows()
    own = build_model(dataclasses.replace(of, steps=4, variable_length=False))
    own.set_weights(model.get_weights())
    padded, alone = model(take(inputs, slice(3, 4))), own(inputs["features"][3:4, :4])
    np.testing.assert_allclose(padded["logits"][:, :4], alone["logits"], atol=1e-5)


def converted(twin: tf_keras.Model, plain: tf_keras.Model, of: ModelConfig, folder: Path) -> bytes:
    """The quantized file; its probe window is one of full length, in which nothing is masked."""
    export_saved_model(plain, folder, of.steps, FEATURES, of.variable_length)
    probe: Any = windows()["features"][-1][: of.steps]
    seen = {"features": probe, "lengths": np.int32(of.steps)} if of.variable_length else probe
    quantities = [Quantity(q.name, q.range, q.probe, q.precision) for q in observed_quantities(twin, seen)]
    table = RangeTable(probe, tuple(quantities), of.steps if of.variable_length else None)
    return quantize(convert_float(folder, ["lstm"]), table)[0]


def answers(content: bytes, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    from ai_edge_litert.interpreter import Interpreter

    from converters import schema

    (signature,) = schema.read_model(content).signatureDefs
    taken = {schema.name(one): one.tensorIndex for one in signature.inputs}
    given = {schema.name(one): one.tensorIndex for one in signature.outputs}
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    found: dict[str, list[np.ndarray]] = {name: [] for name in given}
    for row in range(len(inputs["features"])):
        interpreter.reset_all_variables()
        for name, index in taken.items():
            interpreter.set_tensor(index, inputs[name][row : row + 1])
        interpreter.invoke()
        for name, index in given.items():
            found[name].append(interpreter.get_tensor(index)[0])
    return {name: np.stack(rows) for name, rows in found.items()}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["scaled-dot", "additive", "multi-head"])
@pytest.mark.parametrize("precision", ["int8", "int16"])
def test_a_file_computes_each_sequence_as_the_file_of_its_length(
    kind: str, precision: str, tmp_path: Path
) -> None:
    """int8: to the last bit. int16: its kernel takes what lies 10 below the largest score for exp(-10), at
    most two steps of the sum for each masked step: a share of 2 STEPS / 32768 for the others."""
    model, inputs = built(config(kind)), windows()
    twin = quantize_model(model, precision)
    calibrate(twin, inputs)
    content = converted(twin, model, config(kind), tmp_path / "padded")
    padded, other = answers(content, inputs), answers(content, with_other_padding(inputs))
    for name in padded:
        np.testing.assert_array_equal(padded[name], other[name])
    tolerance = 0.0 if precision == "int8" else (2 * STEPS + 1) * INT16_STEP
    for length in (2, 5, 8):
        own = config(kind, steps=length, variable_length=False)
        alone = build_model(own)
        alone.set_weights(model.get_weights())
        own_twin = quantize_model(alone, precision)
        for layer in own_twin.layers:
            if layer.weights:  # the ranges are weights, too
                layer.set_weights(twin.get_layer(layer.name).get_weights())
        # Masked scores need room below; without it the other file would have other steps.
        own_twin.get_layer("attention")._below.update(twin.get_layer("attention")._below)
        file = converted(own_twin, alone, own, tmp_path / str(length))
        row = slice(length - 1, length)
        answer = answers(file, {"features": inputs["features"][row, :length]})
        weights = padded["attention_weights"][row]
        np.testing.assert_allclose(weights[..., :length], answer["attention_weights"], atol=tolerance, rtol=0)
        assert not np.any(weights[..., length:])
        if precision == "int8":
            np.testing.assert_array_equal(padded["logits"][row], answer["logits"])
