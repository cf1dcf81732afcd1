"""What all fake-quantized layers share: ranges that are observed, and taps on what they bound."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf
import tf_keras

from models.quantization.fake_quant import (
    fake_quantize,
    fake_quantize_int16,
    fake_quantize_known,
    fake_quantize_known_int16,
)
from models.quantization.number_formats import Range


class FakeQuantizedLayer(tf_keras.layers.Layer):
    """A layer that computes what its int8 counterpart computes, and learns the ranges it needs.

    In training mode a range grows to hold every value seen; in inference it
    stands still. Ranges and weights are Keras weights: they are saved,
    restored and copied with the model.

    Attributes:
        fake_quantization: False lets the layer compute in float (set by ``float_forward``).
        growing: False lets the ranges stand still in training too (set by ``calibrate``).
        taps: the last eager call's value of every named quantity, while ``recording`` is on.
    """

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.fake_quantization = True
        self.recording = False
        self.growing = True
        self.taps: dict[str, tf.Tensor] = {}
        self._ranges: dict[str, tuple[tf.Variable, tf.Variable]] = {}
        self._headroom: dict[str, float] = {}
        self._below: dict[str, float] = {}
        self._known: dict[str, Range] = {}
        self._shared: dict[str, str] = {}
        self._precisions: dict[str, str] = {}

    def add_range(
        self,
        name: str,
        initial: float = 0.0,
        headroom: float = 0.0,
        precision: str = "int8",
        below: float = 0.0,
    ) -> None:
        """Declare an observed quantity of this layer.

        Args:
            initial: it is bounded at first by [-initial, initial].
            headroom: share of what was seen, largest minus smallest, that is added at either end.
            precision: what it is computed in: "int8", "int16" or "float32".
            below: what is added at the lower end, in the quantity's own unit.
        """
        self._headroom[name], self._below[name] = headroom, below
        self._precisions[name] = precision
        bounds = []
        for end, value in (("minimum", -initial), ("maximum", initial)):
            initializer = tf_keras.initializers.Constant(value)
            bounds.append(
                self.add_weight(name=f"{name}_{end}", shape=(), initializer=initializer, trainable=False)
            )
        self._ranges[name] = (bounds[0], bounds[1])

    def observe(self, name: str, smallest: tf.Tensor, largest: tf.Tensor) -> None:
        """Let the range of ``name`` hold [smallest, largest]."""
        minimum, maximum = self._ranges[name]
        minimum.assign(tf.minimum(minimum, smallest))
        maximum.assign(tf.maximum(maximum, largest))

    def observed(self, name: str) -> Range:
        """What was seen of a quantity so far."""
        low, high = self._ranges[name]
        return Range(float(low), float(high))

    def set_range(self, name: str, value_range: Range) -> None:
        """Bound a quantity by a range of one's own."""
        minimum, maximum = self._ranges[name]
        minimum.assign(value_range.minimum)
        maximum.assign(value_range.maximum)

    @property
    def activations(self) -> list[str]:
        """The int8 activations among the quantities whose range a rule may narrow: those without headroom."""
        return [
            name
            for name in self._ranges
            if name in self.taps and not self._headroom[name] and self._precisions[name] == "int8"
        ]

    def record(self, name: str, value: tf.Tensor) -> None:
        """Keep the value of a named quantity while taps are recorded."""
        if self.recording:
            self.taps[name] = value

    def activation(self, name: str, x: tf.Tensor, training: bool) -> tf.Tensor:
        """An observed activation: record it, observe it in training, fake-quantize it to its precision."""
        self.record(name, x)
        if training and self.growing:
            self.observe(name, tf.reduce_min(x), tf.reduce_max(x))
        return self._rounded(x, name)

    def _rounded(self, x: tf.Tensor, name: str) -> tf.Tensor:
        """In the format of an observed quantity."""
        precision = self._precisions[name]
        if precision == "float32" or not self.fake_quantization:
            return x
        return {"int8": fake_quantize, "int16": fake_quantize_int16}[precision](x, *self.bounds(name))

    def known(self, name: str, x: tf.Tensor, value_range: Range, precision: str = "int8") -> tf.Tensor:
        """An activation whose range is known by construction: record it, fake-quantize it."""
        self._known[name], self._precisions[name] = value_range, precision
        self.record(name, x)
        if precision == "float32" or not self.fake_quantization:
            return x
        rounded = {"int8": fake_quantize_known, "int16": fake_quantize_known_int16}[precision]
        return rounded(x, value_range)

    def shared(self, name: str, x: tf.Tensor, of: str) -> tf.Tensor:
        """An activation that lies where the observed quantity ``of`` lies, and has its format."""
        self._shared[name], self._precisions[name] = of, self._precisions[of]
        self.record(name, x)
        return self._rounded(x, of)

    def known_range(self, name: str) -> Range:
        """The range of a quantity that ``known`` has seen."""
        return self._known[name]

    def bounds(self, name: str) -> tuple[tf.Tensor, tf.Tensor]:
        """The range of an observed quantity: what was seen and its headroom."""
        minimum, maximum = self._ranges[name]
        headroom = self._headroom[name] * (maximum - minimum)
        return minimum - headroom - self._below[name], maximum + headroom

    def ranges(self) -> dict[str, Range]:
        """The ranges by quantity, observed ones and those known by construction."""
        bounds = {name: self.bounds(name) for name in self._ranges}
        observed = {
            name: Range(min(float(low), 0.0), max(float(high), 0.0)) for name, (low, high) in bounds.items()
        }
        shared = {name: observed[of] for name, of in self._shared.items()}
        return {**observed, **shared, **self._known}

    def precision_of(self, name: str) -> str:
        """What a quantity is computed in: "int8", "int16" or "float32"."""
        return self._precisions.get(name, "int8")


def twins(model: tf_keras.Model) -> list[FakeQuantizedLayer]:
    """The fake-quantized layers of a model, in the model's order."""
    return [layer for layer in model.layers if isinstance(layer, FakeQuantizedLayer)]


@contextmanager
def float_forward(model: tf_keras.Model) -> Iterator[list[FakeQuantizedLayer]]:
    """Inside, the twins of the model compute in float and record their taps. For eager calls only."""
    layers = twins(model)
    for layer in layers:
        layer.fake_quantization, layer.recording = False, True
    try:
        yield layers
    finally:
        for layer in layers:
            layer.fake_quantization, layer.recording = True, False
            layer.taps = {}
