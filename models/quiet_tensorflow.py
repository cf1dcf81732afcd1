"""Keep the lines that native code writes to stderr on every start away from people."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def stderr_held_back() -> Iterator[None]:
    """What native code writes to file descriptor 2 is dropped, and shown after all when the block fails."""
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(kept, 2)
            held.seek(0)
            os.write(2, held.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def load_tensorflow() -> None:
    """Import TensorFlow and Keras 2 and find the devices, quietly; errors keep their text.

    ``TF_CPP_MIN_LOG_LEVEL`` set by the user is respected: 0 shows everything from here on.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with stderr_held_back():
        import tensorflow as tf
        import tf_keras  # noqa: F401

        if os.environ["TF_CPP_MIN_LOG_LEVEL"] != "0":
            tf.get_logger().setLevel("ERROR")  # it warns of retracing where models are trained in turn
        tf.config.list_logical_devices()
        tf.function(lambda x: x + 1.0, jit_compile=True)(tf.zeros(()))  # XLA announces itself once
