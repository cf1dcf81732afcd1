"""What all attention layers share: the call, the softmax, the context."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, TypeVar

import tensorflow as tf
import tf_keras

from models.attention.arguments import as_list
from models.attention.operations import Operations
from models.errors import InputError

REGISTRY: dict[str, type[Attention]] = {}

_Class = TypeVar("_Class", bound="type[Attention]")


def register(layer_class: _Class) -> _Class:
    """Make an attention known to Keras and, under its ``kind``, to configurations."""
    registered: _Class = tf_keras.utils.register_keras_serializable(package="fuselage")(layer_class)
    REGISTRY[layer_class.kind] = registered
    return registered


class Attention(tf_keras.layers.Layer):
    """Attention: every query takes a mean of the values, weighted by how well their keys fit it.

    ::

        weights[i, t] = softmax over t of score(query_i, key_t)
        context[i]    = sum_t weights[i, t] value_t

    Call it as Keras's own attention layers are called, ``layer(query, value)`` or
    ``layer([query, value])``, with ``key`` where it is not the value:

    * ``query`` [batch, queries, size], ``value`` and ``key`` [batch, time, size];
    * ``mask`` [batch, time] bool or 0 and 1, True where a step counts (or Keras's pair [query mask, value
      mask], of which the first changes nothing); in a list, ``[query, value, key, mask]``. Where none is
      given, the Keras mask of the value counts;
    * ``return_attention_scores``: return ``(context, weights)`` instead of the context. Given to the
      constructor, it is the default of every call.

    Context [batch, queries, size of the value]; weights [batch, queries, time], and of attention with
    several heads [batch, heads, queries, time].

    Raises ``InputError``: no value, an argument given twice, or a shape other than these.
    """

    kind: ClassVar[str]
    observed_roles: ClassVar[tuple[str, ...]]
    """The quantities whose ranges a fake-quantized twin has to observe."""
    context_is_mean: ClassVar[bool] = True
    """Whether the context is a mean of values, and so lies where they lie."""

    def __init__(self, return_attention_scores: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.return_attention_scores = return_attention_scores
        self.supports_masking = True

    def __call__(
        self,
        query: Any,
        value: Any = None,
        key: Any = None,
        mask: Any = None,
        return_attention_scores: bool | None = None,
        **options: Any,
    ) -> Any:
        """Every way to call it becomes a list: only of that Keras sees all shapes and masks."""
        inputs = as_list(self.name, query, value, key, mask)
        return super().__call__(inputs, return_attention_scores=return_attention_scores, **options)

    def call(
        self,
        inputs: list[tf.Tensor],
        mask: list[tf.Tensor | None] | None = None,
        return_attention_scores: bool | None = None,
    ) -> tf.Tensor | tuple[tf.Tensor, tf.Tensor]:
        context, weights = self.attend(Operations(), *self._four(inputs, mask))
        return self._results(context, weights, return_attention_scores)

    def attend(
        self,
        operations: Operations,
        query: tf.Tensor,
        value: tf.Tensor,
        key: tf.Tensor,
        mask: tf.Tensor | None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Context and weights, computed with the given operations."""
        scores = self.scores(operations, query, key)  # [batch, queries, time]
        weights = operations.softmax("weights", scores, over_scores(mask, scores))
        return operations.mean("context", weights, value), weights

    @abstractmethod
    def scores(self, operations: Operations, query: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
        """How well each key fits each query: [batch, queries, time]."""

    @abstractmethod
    def add_weights(self, query_size: int, key_size: int, value_size: int) -> None:
        """Create the layer's weights, once the sizes of query, key and value are known."""

    def build(self, input_shape: Any) -> None:
        query, value = input_shape[:2]
        key = input_shape[:3][-1]  # or the value, which is the key then
        self.add_weights(int(query[-1]), int(key[-1]), int(value[-1]))
        super().build(input_shape)

    def compute_mask(self, inputs: Any, mask: Any = None) -> tf.Tensor | None:
        """Of Keras's mask over the queries, which is that of the context; weights have none."""
        return mask[0] if isinstance(mask, list | tuple) else None

    def _four(
        self, inputs: list[tf.Tensor], keras_masks: list[tf.Tensor | None] | None
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor | None]:
        """Query, value, key and, as bool, the mask that was given or else that of the value."""
        query, value, key, *given = inputs
        mask = given[0] if given else keras_masks and keras_masks[1]
        return query, value, key, None if mask is None else tf.cast(mask, tf.bool)

    def _results(
        self, context: tf.Tensor, weights: tf.Tensor, return_attention_scores: bool | None
    ) -> tf.Tensor | tuple[tf.Tensor, tf.Tensor]:
        both = self.return_attention_scores if return_attention_scores is None else return_attention_scores
        return (context, weights) if both else context

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "return_attention_scores": self.return_attention_scores}


def positive_integer(name: str, value: Any) -> int:
    """An argument of a constructor, checked.

    Raises:
        InputError: it is anything else.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InputError(f"'{name}' of an attention is a positive integer, got {value!r}.")
    return value


def steps_of(x: tf.Tensor) -> int | tf.Tensor:
    """The length of axis 1: a number where the graph knows it, and then in the file, too."""
    return tf.shape(x)[1] if x.shape[1] is None else x.shape[1]


def over_scores(mask: tf.Tensor | None, scores: tf.Tensor) -> tf.Tensor | None:
    """A mask [batch, time] with axes for the queries and, if any, the heads of the scores."""
    if mask is None:
        return None
    for _ in range(len(scores.shape) - 2):
        mask = tf.expand_dims(mask, 1)
    return mask
