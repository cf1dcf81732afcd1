"""These tests are about Keras models: TensorFlow is imported once, quietly; each starts from one seed."""

from pathlib import Path

import numpy as np
import pytest
from foreign_models import windows

from models.quiet_tensorflow import load_tensorflow

load_tensorflow()


@pytest.fixture(autouse=True)
def seeded() -> None:
    from models.training import set_seed

    set_seed(0)


@pytest.fixture(scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An .npz with 60 training and 40 test windows of two classes."""
    x = windows(100)
    labels = np.arange(100) % 2
    x += labels[:, None, None].astype(np.float32)
    path = tmp_path_factory.mktemp("data") / "recordings.npz"
    np.savez(path, x_train=x[:60], y_train=labels[:60], x_test=x[60:], y_test=labels[60:])
    return path
