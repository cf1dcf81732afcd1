"""These tests are about TensorFlow code: it is imported once, quietly."""

from models.quiet_tensorflow import load_tensorflow

load_tensorflow()
