"""The fake-quantized twin of ``tf_keras.layers.LSTM``."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tf_keras

from models.quantization.fake_quant import affine_parameters, fake_quantize_bias, fake_quantize_weight, weight_scale
from models.quantization.number_formats import HIDDEN_RANGE, Range, cell_exponent
from models.quantization.recurrence import quantized_lstm
from models.quantization.twin import FakeQuantizedLayer


@tf_keras.utils.register_keras_serializable(package="fuselage")
class QuantizedLSTM(FakeQuantizedLayer):
    """An LSTM that rounds where TFLite's integer kernel rounds, at every step.

    Input and output as ``LSTM(units, return_sequences=True)``; the weights have
    the same names, shapes and order, so they carry over.

    Quantities: ``input`` (observed), ``cell`` (observed over all steps, int16
    power of two), ``hidden`` (known: [-1, 127/128]).
    """

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape: Any) -> None:
        features = int(input_shape[-1])
        self.kernel = self.add_weight(
            name="kernel", shape=(features, 4 * self.units), initializer="glorot_uniform"
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel", shape=(self.units, 4 * self.units), initializer="orthogonal"
        )
        self.bias = self.add_weight(name="bias", shape=(4 * self.units,), initializer="zeros")
        self.add_range("input")
        self.add_range("cell", initial=1.0)
        super().build(input_shape)

    def _cell_step(self) -> tf.Tensor:
        """2^ceil(log2 max|c|) / 32768, as ``number_formats.cell_exponent``."""
        largest = tf.maximum(self._ranges["cell"][1], 2.0**-15)
        return tf.pow(2.0, tf.math.ceil(tf.math.log(largest) / tf.math.log(2.0)) - 15.0)

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        x = self.activation("input", inputs, training)  # [batch, time, features]
        kernel, recurrent_kernel, bias = self.kernel, self.recurrent_kernel, self.bias
        if self.fake_quantization:
            input_scale, _ = affine_parameters(*self._ranges["input"])
            gates = [tf.split(w, 4, axis=-1) for w in (kernel, recurrent_kernel, bias)]
            kernel = tf.concat([fake_quantize_weight(w) for w in gates[0]], axis=-1)
            recurrent_kernel = tf.concat([fake_quantize_weight(r) for r in gates[1]], axis=-1)
            biases = [fake_quantize_bias(b, input_scale, weight_scale(w)) for b, w in zip(gates[2], gates[0])]
            bias = tf.concat(biases, axis=-1)
        cell_step = tf.stop_gradient(self._cell_step())
        hidden, largest_cell = quantized_lstm(
            x, kernel, recurrent_kernel, bias, cell_step, rounding=self.fake_quantization
        )
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
        return {**super().get_config(), "units": self.units}
