"""The fake-quantized twin of a linear ``tf_keras.layers.Dense``."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tf_keras

from models.quantization.fake_quant import (
    affine_parameters,
    fake_quantize_bias,
    fake_quantize_weight,
    weight_scale,
)
from models.quantization.int8_ops import requantize_hidden
from models.quantization.int16_ops import narrow_to_int8
from models.quantization.number_formats import HIDDEN_RANGE, affine_format
from models.quantization.twin import FakeQuantizedLayer


@tf_keras.utils.register_keras_serializable(package="fuselage")
class QuantizedDense(FakeQuantizedLayer):
    """FULLY_CONNECTED: weights per output channel, int32 bias, int8 output.

    Args:
        units: size of the output.
        input_values: what the input is made of. "hidden int8": hidden states and
            contexts that carry their format (scale 1/128) already; "hidden int16" and
            "hidden float32": such values that this layer rounds to that format; "other":
            values whose range the layer observes, and rounds itself.
        hidden_part: of "other" values, how many at the end are hidden states in int8, which a QUANTIZE
            brings to the format of the others.

    Quantities: ``output`` (observed), and ``input`` where the layer rounds it.
    """

    def __init__(
        self, units: int, input_values: str = "other", hidden_part: int = 0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.input_values = input_values
        self.hidden_part = hidden_part

    def build(self, input_shape: Any) -> None:
        size = int(input_shape[-1])
        self.kernel = self.add_weight(name="kernel", shape=(size, self.units), initializer="glorot_uniform")
        self.bias = self.add_weight(name="bias", shape=(self.units,), initializer="zeros")
        if self.input_values == "other":
            self.add_range("input")
        self.add_range("output")
        super().build(input_shape)

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        kernel, bias = self.kernel, self.bias
        if self.input_values == "other":
            rounded = self.activation("input", inputs, training)
            if self.hidden_part and self.fake_quantization:
                hidden = requantize_hidden(inputs[..., -self.hidden_part :], *self.bounds("input"))
                rounded = tf.concat([rounded[..., : -self.hidden_part], hidden], axis=-1)
            inputs = rounded
            input_scale, _ = affine_parameters(*self.bounds("input"))
        else:
            input_scale = affine_format(HIDDEN_RANGE).scale
            if self.input_values != "hidden int8":
                inputs = self._rounded_hidden(inputs)
        if self.fake_quantization:
            kernel = fake_quantize_weight(self.kernel, axis=[0])
            bias = fake_quantize_bias(bias, input_scale, weight_scale(self.kernel, axis=[0])[0])
        return self.activation("output", tf.matmul(inputs, kernel) + bias, training)

    def _rounded_hidden(self, inputs: tf.Tensor) -> tf.Tensor:
        """To int8, as QUANTIZE does it from the precision that they have."""
        rounded = self.known("input", inputs, HIDDEN_RANGE)
        if self.input_values == "hidden int16" and self.fake_quantization:
            return narrow_to_int8(inputs)
        return rounded

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        return (*tuple(input_shape)[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        own = {
            "units": self.units,
            "input_values": self.input_values,
            "hidden_part": self.hidden_part,
        }
        return {**super().get_config(), **own}
