"""These tests are about TensorFlow code: imported once, quietly; every test starts from one seed."""

import pytest

from models.quiet_tensorflow import load_tensorflow

load_tensorflow()


@pytest.fixture(autouse=True)
def seeded() -> None:
    from models.training import set_seed

    set_seed(0)
