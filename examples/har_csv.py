"""Write an .npz data set as a long table, one row a time step: what a logger would give.

python examples/har_csv.py har.npz har.csv
"""

import csv
import sys
from pathlib import Path

import numpy as np

NAMES = ["walking", "upstairs", "downstairs", "sitting", "standing", "laying"]
CHANNELS = [f"{signal}_{axis}" for signal in ("body_acc", "body_gyro", "total_acc") for axis in "xyz"]
RATE_HZ = 50.0


def main(archive: Path, out: Path) -> None:
    """Columns: the recording, its part, the time in seconds, the channels, what was done."""
    with np.load(archive) as arrays, open(out, "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["recording", "part", "time", *CHANNELS, "activity"])
        for part in ("train", "test"):
            windows, labels = arrays[f"x_{part}"], arrays[f"y_{part}"]
            for number, (window, label) in enumerate(zip(windows, labels, strict=True)):
                for step, values in enumerate(window):
                    rows.writerow([f"{part} {number}", part, step / RATE_HZ, *values, NAMES[label]])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
