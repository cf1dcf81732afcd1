"""A tiny classifier with attention, its calibrated twin and its files; each made once a session."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from converters.ranges import Quantity, RangeTable
from models.config import ModelConfig, RecurrentConfig

STEPS, FEATURES, UNITS, CLASSES = 6, 3, 5, 3
CONFIG = ModelConfig(STEPS, FEATURES, CLASSES, recurrent=RecurrentConfig((UNITS,)))


def windows(count: int = 24, seed: int = 0, steps: int = STEPS, features: int = FEATURES) -> Any:
    """[count, steps, features] float32 of uneven scale and offset."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(count, steps, features)) * np.linspace(0.5, 2.0, features) + 0.3
    return x.astype(np.float32)


@cache
def model() -> Any:
    """With weights several times the initial ones, so that its attention and decisions are not all alike."""
    from models.classifier import build_model
    from models.training import set_seed

    set_seed(0)
    made = build_model(CONFIG)
    made.set_weights([3.0 * weight for weight in made.get_weights()])
    return made


@cache
def twin() -> Any:
    """Calibrated on ``windows()``. Not to be changed: see ``copy_of``."""
    from models.quantization import calibrate, quantize_model

    made = quantize_model(model())
    calibrate(made, windows(), "min-max")
    return made


def copy_of(made: Any) -> Any:
    """A model of its own with equal weights."""
    copy = type(made).from_config(made.get_config())
    copy.set_weights(made.get_weights())
    return copy


def range_table(of_twin: Any, window: Any) -> RangeTable:
    """The quantities of a twin."""
    from models.quantization.transfer import observed_quantities

    observed = observed_quantities(of_twin, window)
    return RangeTable(window, tuple(Quantity(q.name, q.range, q.probe, q.precision) for q in observed))


@cache
def table() -> RangeTable:
    """The ranges of ``twin()``."""
    return range_table(twin(), windows()[0])


def convert_float(of_model: Any, layers: Sequence[str] = ("lstm",)) -> bytes:
    """A float .tflite by way of a SavedModel; the model tells its own shape."""
    from converters.convert import convert_float
    from converters.export import export_saved_model

    with tempfile.TemporaryDirectory() as folder:
        export_saved_model(of_model, Path(folder), *of_model.input_shape[1:])
        return convert_float(Path(folder), layers)


@cache
def float_file() -> bytes:
    """The float .tflite of ``model()``."""
    return convert_float(model())


@cache
def int8_file(io: str = "float32") -> bytes:
    """The int8 .tflite of ``model()`` with the ranges of ``twin()``."""
    from converters.convert import quantize_int8

    content, _ = quantize_int8(float_file(), table(), io)
    return content
