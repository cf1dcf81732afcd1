"""The fake-quantized twin of ``MeanOverTime``."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tf_keras

from models.quantization.number_formats import HIDDEN_RANGE, HIDDEN_RANGE_16
from models.quantization.twin import FakeQuantizedLayer


@tf_keras.utils.register_keras_serializable(package="fuselage")
class QuantizedMeanOverTime(FakeQuantizedLayer):
    """MEAN over the steps: int8 or int16 in, the same out.

    Args:
        input_is_hidden: a mean of hidden states, which lies where they lie; else the range is observed.
        precision: of input and output.

    Quantities: ``output``.
    """

    def __init__(self, input_is_hidden: bool = True, precision: str = "int8", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.input_is_hidden, self.precision = input_is_hidden, precision

    def build(self, input_shape: Any) -> None:
        if not self.input_is_hidden:
            self.add_range("output", precision=self.precision)
        super().build(input_shape)

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        mean = tf.reduce_mean(x, axis=1)
        if not self.input_is_hidden:
            return self.activation("output", mean, training)
        known = HIDDEN_RANGE_16 if self.precision == "int16" else HIDDEN_RANGE
        return self.known("output", mean, known, self.precision)

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, Any]:
        return input_shape[0], input_shape[2]

    def get_config(self) -> dict[str, Any]:
        own = {"input_is_hidden": self.input_is_hidden, "precision": self.precision}
        return {**super().get_config(), **own}
