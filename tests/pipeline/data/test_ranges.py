import numpy as np

from pipeline.data import ranges
from pipeline.data.ranges import measure


def test_by_hand() -> None:
    windows = np.array([[[np.nan], [1.0]], [[3.0], [3.0]]], np.float32)
    real = np.array([[False, True], [True, True]])
    (found,) = measure(windows, real, ["x"], ["g"])
    assert (found.name, found.unit, found.smallest, found.largest) == ("x", "g", 1.0, 3.0)
    assert found.mean == 7 / 3
    assert found.std == np.sqrt(8 / 9)  # (16 + 4 + 4) / 9 / 3
    assert (found.steps, found.at_smallest, found.at_largest, found.distinct) == (3, 1, 2, 2)


def test_portions_change_nothing(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    windows = np.random.default_rng(0).normal(5, 2, (25, 4, 3)).astype(np.float32)
    real = np.ones((25, 4), bool)
    whole = measure(windows, real, "abc", [""] * 3)
    monkeypatch.setattr(ranges, "PORTION", 7)
    pieces = measure(windows, real, "abc", [""] * 3)
    wide = windows.reshape(-1, 3).astype(np.float64)
    for index, (one, other) in enumerate(zip(whole, pieces, strict=True)):
        # Sums of 100 float64 in another order: 100 roundings of 2e-16.
        np.testing.assert_allclose([one.mean, one.std], [other.mean, other.std], rtol=100 * 2.3e-16)
        np.testing.assert_allclose(
            [one.smallest, one.mean, one.largest, one.std],
            [wide[:, index].min(), wide[:, index].mean(), wide[:, index].max(), wide[:, index].std()],
            rtol=100 * 2.3e-16,
        )
