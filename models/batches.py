"""Training windows in batches that are drawn anew every epoch, each changed as an augmentation says."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import tf_keras
from numpy.typing import NDArray

from models.augmentation import Augmentation, Batch, augment
from models.config import output_name
from models.inputs import Inputs, inputs_of, take, windows_in


class AugmentedBatches(tf_keras.utils.Sequence):
    """What `fit` takes in the place of arrays. Only one batch at a time exists beside the windows.

    The order of an epoch is a function of seed and epoch, what is done to a batch of both and its number, so
    that neither depends on who asks for batches when.

    Args:
        x: [n, T, F] float32, with ``lengths`` where the model takes them; not copied.
        y: [n, ...] as the task has it.
    """

    def __init__(
        self, x: Inputs, y: NDArray[Any], batch_size: int, rule: Augmentation, seed: int, task: str
    ) -> None:
        self._x, self._y, self._batch_size = x, y, batch_size
        self._rule, self._seed, self._task = rule, seed, task
        self._epoch = 0
        self._draw_order()

    def __len__(self) -> int:
        """Batches in an epoch; the last may be smaller."""
        return math.ceil(len(self._y) / self._batch_size)

    def __getitem__(self, index: int) -> tuple[Inputs, dict[str, NDArray[Any]]]:
        """One batch of this epoch."""
        chosen = self._order[index * self._batch_size : (index + 1) * self._batch_size]
        inputs = take(self._x, chosen)
        lengths = inputs["lengths"] if isinstance(inputs, dict) else None
        made = augment(
            Batch(windows_in(inputs), self._y[chosen], lengths),
            self._rule,
            np.random.default_rng([self._seed, self._epoch, index]),
            self._task == "per-step",
        )
        return inputs_of(made.x, made.lengths), {output_name(self._task): made.y}

    def on_epoch_end(self) -> None:
        """Keras says that an epoch is over."""
        self._epoch += 1
        self._draw_order()

    def _draw_order(self) -> None:
        self._order = np.random.default_rng([self._seed, self._epoch]).permutation(len(self._y))
