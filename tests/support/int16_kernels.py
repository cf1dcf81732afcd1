"""Small models in TensorFlow's own int16 mode (16x8), and what LiteRT's kernels make of int16 numbers."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


class Int16Model:
    """A Keras model, converted with int16 activations.

    Args:
        spans: for each input; it is calibrated on numbers in [-span, span].
    """

    def __init__(self, model: Any, spans: Sequence[float]) -> None:
        import tensorflow as tf
        from ai_edge_litert.interpreter import Interpreter

        random = np.random.default_rng(0)
        shapes = [tuple(one.shape[1:]) for one in model.inputs]

        def calibration() -> Any:
            for _ in range(20):
                yield {
                    name: (random.uniform(-span, span, (1, *shape))).astype(np.float32)
                    for name, shape, span in zip(model.input_names, shapes, spans, strict=True)
                }

        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = calibration
        converter.target_spec.supported_ops = [
            tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
        ]
        converter.inference_input_type = converter.inference_output_type = tf.int16
        with warnings.catch_warnings():
            # The converter calibrates with it.
            warnings.filterwarnings("ignore", ".*tf.lite.Interpreter is deprecated", UserWarning)
            content = converter.convert()
        self._interpreter = Interpreter(model_content=content)
        self._interpreter.allocate_tensors()
        (name,) = self._interpreter.get_signature_list()
        self._run = self._interpreter.get_signature_runner(name)
        details = self._run.get_input_details()
        self.names = [one for one in model.input_names if one in details]
        self.shapes = [tuple(details[one]["shape"]) for one in self.names]
        self.scales = [np.float32(details[one]["quantization"][0]) for one in self.names]
        ((self._output, output),) = self._run.get_output_details().items()
        self.scale = np.float32(output["quantization"][0])

    def run(self, *numbers: Any) -> Any:
        """int16 numbers in, int16 numbers out, as int64."""
        given = dict(zip(self.names, numbers, strict=True))
        return np.asarray(self._run(**given)[self._output]).astype(np.int64)

    def compare(self, ours: Callable[..., Any], runs: int, limit: int = 32768) -> tuple[int, int, int]:
        """The kernel against ``ours(*values, scales, scale)`` on random numbers in [-limit, limit).

        Args:
            ours: from values on the inputs' grids to a tensor on the output's.

        Returns:
            values compared, values that differ, largest difference in steps.
        """
        import tensorflow as tf

        random = np.random.default_rng(1)
        count = differing = largest = 0
        for _ in range(runs):
            numbers = [random.integers(-limit, limit, shape).astype(np.int16) for shape in self.shapes]
            expected = self.run(*numbers)
            values = [
                tf.constant(number.astype(np.float32)) * scale
                for number, scale in zip(numbers, self.scales, strict=True)
            ]
            scales = [tf.constant(scale) for scale in self.scales]
            got = np.asarray(ours(*values, scales, tf.constant(self.scale)), np.float64)
            off = np.abs(np.rint(got / float(self.scale)).astype(np.int64) - expected)
            count, differing = count + off.size, differing + int((off > 0).sum())
            largest = max(largest, int(off.max()))
        return count, differing, largest
