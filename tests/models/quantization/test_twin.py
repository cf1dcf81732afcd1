import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tiny_classifier import model, twin, windows

from models.quantization.number_formats import Range
from models.quantization.twin import FakeQuantizedLayer, float_forward, twins


class Rounding(FakeQuantizedLayer):
    """One observed quantity and nothing else."""

    def build(self, input_shape: object) -> None:
        self.add_range("value")
        self.add_range("roomy", headroom=0.25)
        super().build(input_shape)

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        return self.activation("value", x, training)


def test_a_range_grows_in_training_and_stands_still_in_inference() -> None:
    layer = Rounding()
    layer(tf.constant([-1.0, 2.0]), training=True)
    layer(tf.constant([-0.5, 3.0]), training=True)
    assert layer.ranges()["value"] == layer.observed("value") == Range(-1.0, 3.0)
    layer(tf.constant([-9.0, 9.0]))
    assert layer.observed("value") == Range(-1.0, 3.0)


def test_a_range_that_was_told_to_stand_still_does() -> None:
    layer = Rounding()
    layer(tf.constant([-1.0, 2.0]), training=True)
    layer.growing = False
    layer(tf.constant([-9.0, 9.0]), training=True)
    assert layer.observed("value") == Range(-1.0, 2.0)


def test_the_range_of_this_batch_rounds_this_batch() -> None:
    """[-10, 245] has scale 1."""
    assert Rounding()(tf.constant([-10.0, 0.4, 245.0]), training=True).numpy().tolist() == [-10.0, 0.0, 245.0]


def test_headroom_is_a_share_of_the_span() -> None:
    layer = Rounding()
    layer.build(None)
    layer.set_range("roomy", Range(-1.0, 3.0))
    assert layer.ranges()["roomy"] == Range(-2.0, 4.0)
    assert layer.observed("roomy") == Range(-1.0, 3.0)


def test_a_range_always_holds_zero() -> None:
    layer = Rounding()
    layer.build(None)
    layer.set_range("value", Range(1.0, 3.0))
    assert layer.ranges()["value"] == Range(0.0, 3.0)


def test_ranges_are_weights_that_no_optimizer_touches() -> None:
    layer = Rounding()
    layer.build(None)
    assert [weight.name for weight in layer.non_trainable_weights] == [
        "value_minimum:0", "value_maximum:0", "roomy_minimum:0", "roomy_maximum:0",
    ]  # fmt: skip
    assert layer.trainable_weights == []


def test_the_float_forward_is_the_float_model() -> None:
    x = windows(4, seed=1)
    with float_forward(twin()) as layers:
        assert [layer.name for layer in layers] == ["lstm", "attention", "logits"]
        outputs = twin()(x)
        assert set(twin().get_layer("attention").taps) == {"query", "scores", "weights", "context"}
    for name, value in model()(x).items():
        np.testing.assert_allclose(outputs[name], value, atol=1e-6)
    assert not np.allclose(twin()(x)["logits"], outputs["logits"], atol=1e-6)


def test_the_float_forward_ends_with_its_block() -> None:
    with pytest.raises(RuntimeError, match="inside"), float_forward(twin()):
        raise RuntimeError("inside")
    for layer in twins(twin()):
        assert (layer.fake_quantization, layer.recording, layer.taps) == (True, False, {})


def test_a_model_without_twins_has_none() -> None:
    assert twins(tf_keras.Sequential([tf_keras.layers.Dense(1)])) == []
