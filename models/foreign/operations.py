"""Functions that stand in a model as if they were layers: ``x[:, -1]``, ``x * y``, ``tf.nn.softmax(x)``.

Keras 2 writes the name of a public function of TensorFlow; only those listed here are looked up. Keras 3
writes the class of one of its operations; those here have the same meaning as a function of TensorFlow.
None of them reads or writes anything but tensors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

MOVING = frozenset(
    {
        "__operators__.getitem", "reshape", "expand_dims", "squeeze", "transpose", "compat.v1.transpose",
        "identity", "reverse", "strided_slice", "slice",
    }
)  # fmt: skip
"""Of Keras 2: values are moved, not changed."""

FUNCTIONS = MOVING | frozenset(
    {
        "__operators__.add", "math.add", "math.subtract", "math.multiply", "math.divide", "math.truediv",
        "math.negative", "math.reduce_sum", "math.reduce_mean", "math.reduce_max", "math.reduce_min",
        "math.maximum", "math.minimum", "math.tanh", "math.sigmoid", "math.exp", "math.square", "math.sqrt",
        "math.rsqrt", "math.abs", "math.softplus", "math.l2_normalize", "linalg.l2_normalize",
        "linalg.matmul", "nn.softmax", "nn.relu", "nn.relu6", "nn.tanh", "nn.sigmoid", "concat", "stack",
        "tile", "repeat", "broadcast_to", "cast", "clip_by_value", "einsum",
    }
)  # fmt: skip
"""Of Keras 2: public functions of TensorFlow, without ``tf.``."""


def _sum(axis: Any, keepdims: bool = False) -> Callable[[Any], Any]:
    return lambda x: tf.reduce_sum(x, axis, keepdims)


OPERATIONS: dict[str, Callable[..., Callable[..., Any]]] = {
    "GetItem": lambda: lambda x, where: x[where],
    "Add": lambda: lambda x, y: x + y,
    "Subtract": lambda: lambda x, y: x - y,
    "Multiply": lambda: lambda x, y: x * y,
    "Divide": lambda: lambda x, y: x / y,
    "TrueDivide": lambda: lambda x, y: x / y,
    "Negative": lambda: lambda x: -x,
    "Matmul": lambda: tf.matmul,
    "Maximum": lambda: tf.maximum,
    "Minimum": lambda: tf.minimum,
    "Tanh": lambda: tf.tanh,
    "Sigmoid": lambda: tf.sigmoid,
    "Relu": lambda: tf.nn.relu,
    "Exp": lambda: tf.exp,
    "Square": lambda: tf.square,
    "Sqrt": lambda: tf.sqrt,
    "Absolute": lambda: tf.abs,
    "Softmax": lambda axis=-1: lambda x: tf.nn.softmax(x, axis),
    "Sum": _sum,
    "Mean": lambda axis=None, keepdims=False: lambda x: tf.reduce_mean(x, axis, keepdims),
    "Max": lambda axis=None, keepdims=False, initial=None: lambda x: tf.reduce_max(x, axis, keepdims),
    "ExpandDims": lambda axis: lambda x: tf.expand_dims(x, axis),
    "Squeeze": lambda axis=None: lambda x: tf.squeeze(x, axis),
    "Transpose": lambda axes=None: lambda x: tf.transpose(x, axes),
    "Reshape": lambda newshape: lambda x: tf.reshape(x, newshape),
    "Concatenate": lambda axis=0: lambda xs: tf.concat(xs, axis),
    "Repeat": lambda repeats, axis=None: lambda x: tf.repeat(x, repeats, axis),
}
"""Of Keras 3: class of an operation -> from its configuration to a function of TensorFlow."""
