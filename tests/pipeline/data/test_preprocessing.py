import json

import numpy as np

from pipeline.data.preprocessing import Preprocessing


def test_moments_by_hand_over_real_steps_only() -> None:
    # Channel 0 holds 1, 3, 5 where it is real: mean 3, variance 8/3. Channel 1 is always 7.
    windows = np.array([[[np.nan, np.nan], [1, 7]], [[3, 7], [5, 7]]], np.float32)
    rule = Preprocessing.fit(windows, np.array([[False, True], [True, True]]), "front")
    assert rule.mean == (3.0, 7.0)
    assert rule.std == (float(np.float32(np.sqrt(8 / 3))), 1.0)
    assert (rule.steps, rule.features, rule.padding) == (2, 2, "front")


def test_a_constant_channel_gets_std_1_whatever_rounding_does() -> None:
    windows = np.full((7, 3, 1), 0.1, np.float32)  # the float64 mean of these is not exactly 0.1
    assert Preprocessing.fit(windows, np.ones((7, 3), bool), "none").std == (1.0,)


def test_a_spread_below_float32_counts_as_constant() -> None:
    windows = np.array([[[0.0], [1e-42]]], np.float32)
    assert Preprocessing.fit(windows, np.ones((1, 2), bool), "none").std == (1.0,)


def test_apply_by_hand_in_float32() -> None:
    rule = Preprocessing((1.0, -2.0), (2.0, 0.5), 1, 2, "none")
    features = rule.apply(np.array([[[5.0, -1.0]]]))
    assert features.tolist() == [[[2.0, 2.0]]]
    assert features.dtype == np.float32


def test_filled_padding_standardizes_to_exactly_zero() -> None:
    rule = Preprocessing((float(np.float32(0.1)),), (float(np.float32(0.3)),), 2, 1, "front")
    raw = rule.fill_padding(np.array([[[np.nan], [1.0]]], np.float32), np.array([[False, True]]))
    assert raw[0, 1, 0] == 1.0
    assert rule.apply(raw)[0, 0, 0] == 0.0


def test_json_keeps_every_bit() -> None:
    rule = Preprocessing((float(np.float32(0.1)), 3.0), (float(np.float32(1 / 3)), 1.0), 29, 2, "front")
    assert Preprocessing.from_dict(json.loads(json.dumps(rule.to_dict()))) == rule


def test_the_identity_changes_nothing() -> None:
    rule = Preprocessing.identity(2, 3, "none")
    windows = np.arange(12, dtype=np.float32).reshape(2, 2, 3)
    np.testing.assert_array_equal(rule.apply(windows), windows)
    assert (rule.steps, rule.features) == (2, 3)
