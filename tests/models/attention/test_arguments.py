"""What an attention refuses to be called with, as tensors and while a functional model is built."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from models.attention.arguments import as_list
from models.attention.dot_product import DotAttention
from models.errors import InputError

Q, V = np.zeros((2, 3, 8), np.float32), np.zeros((2, 5, 8), np.float32)
FLAT, SHORT = Q[:, 0], V[:, :4]
M, OF_QUERIES, BY_QUERY = (np.ones(shape, bool) for shape in ((2, 5), (2, 3), (2, 3, 5)))

REFUSED: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "a query and no value": ((Q,), {}),
    "a query and no value.": (([Q],), {}),
    "a list of 0": (([],), {}),
    "a list of 5": (([Q, V, V, M, M],), {}),
    "a list of 3 masks": ((Q, V), {"mask": [None, M, None]}),
    "a value in the list and another beside it": (([Q, V], V), {}),
    "a key in the list and another beside it": (([Q, V, V],), {"key": V}),
    "a mask in the list and another beside it": (([Q, V, V, M],), {"mask": M}),
    "a query of shape (2, 8); it has to be [batch, queries, size]": ((FLAT, V), {}),
    "a value of shape (2, 8); it has to be [batch, time, size]": ((Q, FLAT), {}),
    "a key of shape (2, 8); it has to be [batch, time, size]": ((Q, V, FLAT), {}),
    "a key of shape (2, 4, 8); it has to be [batch, time, size], its time the value's": ((Q, V, SHORT), {}),
    "a mask of shape (2, 3, 5); it has to be [batch, time]": ((Q, V), {"mask": BY_QUERY}),
    "a mask of shape (2, 3); it has to be [batch, time], its time the value's": ((Q, V, V, OF_QUERIES), {}),
}


def symbolic(given: Any) -> Any:
    """Keras inputs in the place of arrays."""

    def one(x: Any) -> Any:
        return None if x is None else tf_keras.Input(x.shape[1:], len(x), dtype=x.dtype)

    return tf.nest.map_structure(one, given)


@pytest.mark.parametrize("made", ["tensors", "a functional model"])
@pytest.mark.parametrize("told", REFUSED)
def test_a_call_that_has_no_meaning_is_refused(told: str, made: str) -> None:
    given, named = REFUSED[told] if made == "tensors" else symbolic(REFUSED[told])
    with pytest.raises(InputError) as error:
        DotAttention(name="attend")(*given, **named)
    assert f"Attention 'attend' was called with {told}" in error.value.message
    assert "layer(query, value)" in error.value.tip


def test_every_form_becomes_one() -> None:
    q, v, k, m = (tf.constant(one) for one in (Q, V, V + 1, M))
    for given in ((q, v, k, m), ([q, v, k, m], None, None, None), ([q, v], None, k, [None, m])):
        assert all(one is other for one, other in zip(as_list("a", *given), (q, v, k, m), strict=True))
    assert all(one is other for one, other in zip(as_list("a", q, v, None, None), (q, v, v), strict=True))


def test_a_shape_that_is_not_known_yet_is_not_refused() -> None:
    """Steps, or even the number of axes, of a graph that is being traced."""

    @tf.function(input_signature=[tf.TensorSpec([None, None, 8]), tf.TensorSpec(None)])
    def traced(value: tf.Tensor, mask: tf.Tensor) -> int:
        return len(as_list("a", value, value, None, mask))

    assert traced(tf.constant(V), tf.constant(M, tf.float32)) == 4
