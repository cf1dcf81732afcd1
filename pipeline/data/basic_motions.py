"""BasicMotions: four activities seen by the accelerometer and gyroscope of a smart watch."""

from __future__ import annotations

import numpy as np

from pipeline.data.dataset import SequenceDataset
from pipeline.data.registry import DatasetInfo, register

INFO = DatasetInfo(
    name="basic-motions",
    summary="smart watch motion: badminton, running, standing or walking?",
    classes=4,
    channels=6,
    steps=100,
    shortest_steps=100,
    train_windows=40,
    test_windows=40,
    sample_rate_hz=10.0,
    attribution=(
        "BasicMotions, by Jack Clements, UEA & UCR Time Series Classification Archive, "
        "https://www.timeseriesclassification.com/description.php?Dataset=BasicMotions; "
        "no licence is stated with the data; as carried by the aeon package."
    ),
)


@register(INFO)
def load() -> SequenceDataset:
    """Load the windows, [100, 6] each."""
    from aeon.datasets import load_basic_motions

    x_train, names_train = load_basic_motions(split="train")  # [n, channels, time]; labels are texts
    x_test, names_test = load_basic_motions(split="test")
    class_names, y_train = np.unique(names_train, return_inverse=True)
    steps = np.full(len(x_train), INFO.steps, np.int64)
    return SequenceDataset(
        name=INFO.name,
        x_train=x_train.transpose(0, 2, 1).astype(np.float32),
        y_train=y_train.astype(np.int64),
        x_test=x_test.transpose(0, 2, 1).astype(np.float32),
        y_test=np.searchsorted(class_names, names_test).astype(np.int64),
        lengths_train=steps,
        lengths_test=np.full(len(x_test), INFO.steps, np.int64),
        class_names=tuple(str(name) for name in class_names),
        # The archive says "3D accelerometer and 3D gyroscope" and names no units.
        channel_names=tuple(
            f"{sensor} {axis}" for sensor in ("accelerometer", "gyroscope") for axis in "xyz"
        ),
        channel_units=("",) * INFO.channels,
        sample_rate_hz=INFO.sample_rate_hz,
        padding="none",
        attribution=INFO.attribution,
    )
