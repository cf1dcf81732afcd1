"""Functions that stand in a model without a layer."""

import numpy as np
import pytest
import tensorflow as tf

from models.foreign.operations import FUNCTIONS, MOVING, OPERATIONS


@pytest.mark.parametrize("name", sorted(FUNCTIONS - {"__operators__.getitem", "__operators__.add"}))
def test_a_function_of_keras_2_is_tensorflows(name: str) -> None:
    found = tf
    for part in name.split("."):
        found = getattr(found, part)
    assert callable(found)


@pytest.mark.parametrize("name", ["io.write_file", "py_function", "load_op_library", "print"])
def test_what_does_more_than_compute_is_not_among_them(name: str) -> None:
    assert name not in FUNCTIONS


def test_moving_is_among_them() -> None:
    assert MOVING < FUNCTIONS


X = np.array([[1.0, -2.0, 3.0], [0.5, 4.0, -1.0]], np.float32)
BY_HAND = {
    "Absolute": ({}, np.abs(X)),
    "ExpandDims": ({"axis": 1}, X[:, None]),
    "Max": ({"axis": 1}, [3.0, 4.0]),
    "Mean": ({"axis": 0}, [0.75, 1.0, 1.0]),
    "Negative": ({}, -X),
    "Relu": ({}, np.maximum(X, 0)),
    "Repeat": ({"repeats": 2, "axis": 0}, np.repeat(X, 2, 0)),
    "Reshape": ({"newshape": (3, 2)}, X.reshape(3, 2)),
    "Softmax": ({"axis": 0}, np.exp(X) / np.exp(X).sum(0)),
    "Square": ({}, X * X),
    "Sum": ({"axis": 1, "keepdims": True}, [[2.0], [3.5]]),
    "Transpose": ({"axes": (1, 0)}, X.T),
}


@pytest.mark.parametrize("kind", BY_HAND)
def test_an_operation_of_keras_3_by_hand(kind: str) -> None:
    options, expected = BY_HAND[kind]
    np.testing.assert_allclose(OPERATIONS[kind](**options)(tf.constant(X)), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("Add", 2 * X), ("Subtract", 0 * X), ("Multiply", X * X), ("Divide", X / X), ("Maximum", X)],
)
def test_of_two_tensors(kind: str, expected: np.ndarray) -> None:
    np.testing.assert_allclose(OPERATIONS[kind]()(tf.constant(X), tf.constant(X)), expected, rtol=1e-6)
