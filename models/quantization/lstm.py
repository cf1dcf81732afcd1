"""The fake-quantized twin of ``tf_keras.layers.LSTM``."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tf_keras

from models.quantization.fake_quant import affine_parameters
from models.quantization.number_formats import (
    CELL_EXPONENTS,
    HIDDEN_RANGE,
    Range,
    affine_format,
    cell_exponent,
)
from models.quantization.recurrence import LstmWeights, float_lstm, integer_lstm
from models.quantization.twin import FakeQuantizedLayer


@tf_keras.utils.register_keras_serializable(package="fuselage")
class QuantizedLSTM(FakeQuantizedLayer):
    """An LSTM that computes what TFLite's integer kernel computes, at every step and to the last bit.

    Input and output as ``LSTM(units, return_sequences=True)``; the weights have
    the same names, shapes and order, so they carry over.

    Args:
        units: as of the LSTM.
        input_is_hidden: the input is the hidden states of a layer below, in their format.

    Quantities: ``input`` (observed, unless it is hidden states), ``cell`` (observed over
    all steps, int16 power of two), ``hidden`` (known: [-1, 127/128]).
    """

    def __init__(self, units: int, input_is_hidden: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.input_is_hidden = input_is_hidden

    def build(self, input_shape: Any) -> None:
        features = int(input_shape[-1])
        self.kernel = self.add_weight(
            name="kernel", shape=(features, 4 * self.units), initializer="glorot_uniform"
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel", shape=(self.units, 4 * self.units), initializer="orthogonal"
        )
        self.bias = self.add_weight(name="bias", shape=(4 * self.units,), initializer="zeros")
        if not self.input_is_hidden:
            self.add_range("input")
        self.add_range("cell", initial=1.0)
        super().build(input_shape)

    def _cell_exponent(self) -> tf.Tensor:
        """log2 of the cell state's scale; the rule of ``number_formats.cell_exponent``.

        Read off the bits: log2 in float32 takes 8.000001 for 8.
        """
        bits = tf.bitcast(self._ranges["cell"][1] + 0.0, tf.int32)
        beyond_power_of_two = tf.cast(tf.bitwise.bitwise_and(bits, 0x7FFFFF) > 0, tf.int32)
        magnitude = tf.bitwise.right_shift(bits, 23) - 127 + beyond_power_of_two
        return tf.clip_by_value(magnitude - 15, CELL_EXPONENTS[0], CELL_EXPONENTS[-1])

    def _input_format(self) -> tuple[tf.Tensor, tf.Tensor]:
        """Scale and zero point of the input."""
        if not self.input_is_hidden:
            return affine_parameters(*self.bounds("input"))
        number = affine_format(HIDDEN_RANGE)
        return tf.constant(number.scale), tf.constant(float(number.zero_point))

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        x = inputs if self.input_is_hidden else self.activation("input", inputs, training)
        weights = LstmWeights(self.kernel, self.recurrent_kernel, self.bias)
        if self.fake_quantization:
            hidden, largest_cell = integer_lstm(x, *self._input_format(), weights, self._cell_exponent())
        else:
            hidden, largest_cell = float_lstm(x, weights)
        if training:
            self.observe("cell", -largest_cell, largest_cell)
        self.record("hidden", hidden)
        return hidden  # [batch, time, units]

    def ranges(self) -> dict[str, Range]:
        observed = super().ranges()
        largest = 2.0 ** (cell_exponent(observed["cell"].maximum) + 15)
        return {**observed, "cell": Range(-largest, largest), "hidden": HIDDEN_RANGE}

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, Any, int]:
        return input_shape[0], input_shape[1], self.units

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units, "input_is_hidden": self.input_is_hidden}
