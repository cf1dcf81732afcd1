import numpy as np
import pytest

from models.augmentation import Augmentation
from models.batches import AugmentedBatches
from models.config import NO_LABEL

X = np.arange(1, 41, dtype=np.float32).reshape(10, 4, 1)
Y = np.arange(10)
NEARLY_NOTHING = Augmentation(scale=1e-9)  # something, but in float32 a factor of 1


def test_every_window_comes_once_an_epoch_with_its_label() -> None:
    batches = AugmentedBatches(X, Y, 4, NEARLY_NOTHING, seed=0, task="classification")
    assert len(batches) == 3
    orders = []
    for _ in range(2):
        made = [batches[index] for index in range(3)]
        assert [len(x) for x, _ in made] == [4, 4, 2]
        labels = np.concatenate([y["logits"] for _, y in made])
        np.testing.assert_array_equal(np.concatenate([x for x, _ in made]), X[labels])
        assert sorted(labels.tolist()) == list(range(10))
        orders.append(labels.tolist())
        batches.on_epoch_end()
    assert orders[0] != orders[1]


def test_a_batch_is_the_same_whenever_it_is_asked_for_and_new_every_epoch() -> None:
    one, two = (AugmentedBatches(X, Y, 4, Augmentation(scale=0.5), 3, "classification") for _ in range(2))
    first = one[1][0]
    one[2]
    np.testing.assert_array_equal(first, two[1][0])
    np.testing.assert_array_equal(first, one[1][0])
    one.on_epoch_end()
    assert (one[1][0] != first).any()
    other = AugmentedBatches(X, Y, 4, Augmentation(scale=0.5), 4, "classification")
    assert (other[1][0] != first).any()


def test_lengths_go_along() -> None:
    lengths = np.arange(10) % 4 + 1
    rule = Augmentation(time_shift=2)
    batches = AugmentedBatches(
        {"features": X, "lengths": lengths.astype(np.int32)}, Y, 10, rule, 0, "multi-label"
    )
    inputs, targets = batches[0]
    assert isinstance(inputs, dict)
    assert inputs["lengths"].dtype == np.int32
    assert (inputs["lengths"] != lengths[targets["logits"]]).any()
    assert inputs["lengths"].min() >= 1


def test_labels_of_steps_move() -> None:
    labels = np.tile(np.arange(4), (10, 1))
    _, targets = AugmentedBatches(X, labels, 10, Augmentation(time_shift=3), 0, "per-step")[0]
    assert (targets["logits"] == NO_LABEL).any()


def test_nothing_is_copied() -> None:
    batches = AugmentedBatches(X, Y, 4, NEARLY_NOTHING, seed=0, task="classification")
    assert batches._x is X


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_training_sees_new_batches_every_epoch_and_the_same_for_a_seed(workers: int) -> None:
    """Through `fit`; an LSTM is not needed to see what comes in."""
    import tf_keras

    def trained() -> tuple[list[float], np.ndarray]:
        tf_keras.utils.set_random_seed(0)
        layers = [tf_keras.layers.Flatten(), tf_keras.layers.Dense(10, name="logits")]
        model = tf_keras.Sequential(layers)
        model.compile("sgd", tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        batches = AugmentedBatches(X / 40, Y, 4, Augmentation(jitter=1.0), 0, "classification")
        sequence = _Plain(batches)
        history = model.fit(sequence, epochs=3, shuffle=False, workers=workers, verbose=0)
        return history.history["loss"], sequence.seen

    class _Plain(tf_keras.utils.Sequence):
        """Targets without a name, for a model without names."""

        def __init__(self, inner: AugmentedBatches) -> None:
            self.inner, self.seen = inner, np.zeros((0, 4, 1), np.float32)

        def __len__(self) -> int:
            return len(self.inner)

        def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
            x, y = self.inner[index]
            assert isinstance(x, np.ndarray)
            self.seen = np.concatenate([self.seen, x])
            return x, y["logits"]

        def on_epoch_end(self) -> None:
            self.inner.on_epoch_end()

    (losses, seen), (again, _) = trained(), trained()
    assert losses == again
    assert len(np.unique(seen, axis=0)) >= 30  # 3 epochs of 10, all different
