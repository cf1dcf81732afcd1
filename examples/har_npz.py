"""Make har.npz from the unpacked folder of "Human Activity Recognition Using Smartphones".

python examples/har_npz.py "UCI HAR Dataset" har.npz
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

# Body acceleration in g, turning rate in rad/s, total acceleration in g.
SIGNALS = {"body_acc": "g", "body_gyro": "rad/s", "total_acc": "g"}
CHANNELS = [f"{signal}_{axis}" for signal in SIGNALS for axis in "xyz"]


def read_part(folder: Path, part: str) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The windows [n, 128, 9] and labels [n] of "train" or "test", the data set's own split by person."""
    signals = [
        np.loadtxt(folder / part / "Inertial Signals" / f"{channel}_{part}.txt", np.float32, ndmin=2)
        for channel in CHANNELS
    ]
    labels = np.loadtxt(folder / part / f"y_{part}.txt", np.int64, ndmin=1)
    return np.stack(signals, axis=-1), labels - 1


def main(folder: Path, out: Path) -> None:
    """Write the keys that docs/data.md describes."""
    x_train, y_train = read_part(folder, "train")
    x_test, y_test = read_part(folder, "test")
    names = [line.split()[1].lower() for line in (folder / "activity_labels.txt").read_text().splitlines()]
    np.savez_compressed(
        out,
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        class_names=np.array(names),
        channel_names=np.array(CHANNELS),
        channel_units=np.array([unit for unit in SIGNALS.values() for _ in "xyz"]),
        sample_rate_hz=50.0,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
