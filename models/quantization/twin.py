"""What all fake-quantized layers share: ranges that are observed, and taps on what they bound."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf
import tf_keras

from models.quantization.fake_quant import fake_quantize
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

    def add_range(self, name: str, initial: float = 0.0, headroom: float = 0.0) -> None:
        """Declare an observed quantity of this layer.

        Args:
            initial: it is bounded at first by [-initial, initial].
            headroom: share of what was seen, largest minus smallest, that is added at either end.
        """
        self._headroom[name] = headroom
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
        return [name for name in self._ranges if name in self.taps and not self._headroom[name]]

    def record(self, name: str, value: tf.Tensor) -> None:
        """Keep the value of a named quantity while taps are recorded."""
        if self.recording:
            self.taps[name] = value

    def activation(self, name: str, x: tf.Tensor, training: bool) -> tf.Tensor:
        """An observed int8 activation: record it, observe it in training, fake-quantize it."""
        self.record(name, x)
        if training and self.growing:
            self.observe(name, tf.reduce_min(x), tf.reduce_max(x))
        return fake_quantize(x, *self.bounds(name)) if self.fake_quantization else x

    def bounds(self, name: str) -> tuple[tf.Tensor, tf.Tensor]:
        """The range of an observed quantity: what was seen and its headroom."""
        minimum, maximum = self._ranges[name]
        headroom = self._headroom[name] * (maximum - minimum)
        return minimum - headroom, maximum + headroom

    def ranges(self) -> dict[str, Range]:
        """The observed ranges by quantity; those known by construction are added by the subclass."""
        bounds = {name: self.bounds(name) for name in self._ranges}
        return {
            name: Range(min(float(low), 0.0), max(float(high), 0.0)) for name, (low, high) in bounds.items()
        }


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
