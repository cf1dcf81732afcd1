"""How far a student's answer is from its teacher's: what quantization-aware training minimizes."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from models.errors import InputError

Divergence = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
"""(teacher's answer, student's answer), [batch, ...] each, to [batch]."""


def task_divergence(task: str) -> Divergence:
    """The divergence of a task's answers.

    Raises:
        InputError: no such task.
    """
    if task not in _DIVERGENCES:
        raise InputError(f"Unknown task {task!r}. Known: {', '.join(sorted(_DIVERGENCES))}.")
    return _DIVERGENCES[task]


def class_divergence(teacher_logits: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Kullback-Leibler divergence of the decisions: ``sum_c p log(p / q)`` of the logits' softmax.

    Args:
        teacher_logits, logits: [batch, classes], or [batch, steps, classes].

    Returns:
        [batch], in nats; the mean over steps.
    """
    log_p, log_q = tf.nn.log_softmax(teacher_logits), tf.nn.log_softmax(logits)
    return _mean_of_rest(tf.reduce_sum(tf.exp(log_p) * (log_p - log_q), axis=-1))


def label_divergence(teacher_logits: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """The same of labels that are independent: ``sum_l p log(p / q) + (1 - p) log((1 - p) / (1 - q))``.

    Of two Bernoulli variables with p = sigmoid(a), q = sigmoid(b) it is
    ``p (a - b) + softplus(b) - softplus(a)``, without a logarithm of 0.

    Args:
        teacher_logits, logits: [batch, labels].

    Returns:
        [batch], in nats.
    """
    each = tf.sigmoid(teacher_logits) * (teacher_logits - logits)
    each += tf.nn.softplus(logits) - tf.nn.softplus(teacher_logits)
    return tf.reduce_sum(each, axis=-1)


def value_divergence(teacher_values: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    """``sum_k (a_k - b_k)^2 / 2``: the divergence of two normal distributions of standard deviation 1.

    Args:
        teacher_values, values: [batch, targets], in standard deviations of the targets.

    Returns:
        [batch], in nats.
    """
    return tf.reduce_sum(tf.square(teacher_values - values), axis=-1) / 2.0


def _mean_of_rest(values: tf.Tensor) -> tf.Tensor:
    """[batch, ...] -> [batch]."""
    return tf.reduce_mean(tf.reshape(values, [tf.shape(values)[0], -1]), axis=-1)


_DIVERGENCES: dict[str, Divergence] = {
    "classification": class_divergence,
    "per-step": class_divergence,
    "multi-label": label_divergence,
    "regression": value_divergence,
}
