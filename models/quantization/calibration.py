"""Observe what a float model does, and set the ranges of its fake-quantized twin."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import tf_keras
from numpy.typing import NDArray

from models.errors import QuantizationError
from models.inputs import Inputs, take, windows_in
from models.quantization.range_rules import BINS, RULES, Histogram
from models.quantization.twin import FakeQuantizedLayer, float_forward, twins


def calibrate(
    model: tf_keras.Model, x: Inputs, rule: str = "mse", batch_size: int = 1024
) -> None:
    """Set the ranges of a fake-quantized model from what its float forward does on ``x``.

    Every time step counts, and the state starts at zero for every window, so
    neither the order of the windows nor the batch size matters. The cell state
    is int16 and always keeps its largest magnitude.

    Args:
        model: from ``quantize_model``, without dropout or noise (``models.classifier.inference_config``).
        x: [n, steps, features] float32, standardized; finite; with ``lengths`` where the model takes them.
        rule: "min-max", "percentile" or "mse" (``range_rules``). With "min-max" the
            ranges go on growing in training; the others then stand still.

    Raises:
        QuantizationError: an unknown rule, data that are empty or not finite, or nothing to calibrate.
    """
    if rule not in RULES:
        raise QuantizationError(f"Unknown calibration rule '{rule}'. Known: {', '.join(RULES)}.")
    windows = windows_in(x)
    if not len(windows) or not np.isfinite(windows).all():
        raise QuantizationError(
            "Calibration needs windows of finite values; the representative dataset has "
            f"{len(windows)} windows" + (", among them NaN or infinity." if len(windows) else ".")
        )
    if not twins(model):
        raise QuantizationError(
            "The model has no fake-quantized layer to calibrate.", "Call quantize_model first."
        )
    for layer in twins(model):
        layer.growing = True  # an earlier calibration may have ended it
    for _ in _float_batches(model, x, batch_size, training=True):  # twins observe in training mode
        pass
    if rule == "min-max":
        return
    histograms: dict[tuple[FakeQuantizedLayer, str], Histogram] = {}
    for layer, role, values in _float_batches(model, x, batch_size, training=False):
        value_range = layer.observed(role)
        counts, _ = np.histogram(values, bins=BINS, range=(value_range.minimum, value_range.maximum))
        before = histograms.get((layer, role))
        total = counts if before is None else counts + before.counts
        histograms[layer, role] = Histogram(value_range.minimum, value_range.maximum, total)
    for (layer, role), histogram in histograms.items():
        layer.set_range(role, RULES[rule](histogram))
        layer.growing = False


def _float_batches(
    model: tf_keras.Model, x: Inputs, batch_size: int, training: bool
) -> Iterator[tuple[FakeQuantizedLayer, str, NDArray[np.float32]]]:
    """Run the float forward batch by batch; yields the values of every observed activation."""
    with float_forward(model) as layers:
        for start in range(0, len(windows_in(x)), batch_size):
            model(take(x, slice(start, start + batch_size)), training=training)
            for layer in layers:
                for role in layer.activations:
                    yield layer, role, np.asarray(layer.taps[role])
