"""How far are the hidden states of an int8 LSTM from those of the float file?

    python benchmarks/lstm_error.py BUILD ...

BUILD is an output folder of `pipeline build`. For each of its int8 files, with `--compare-stock` the stock
quantizer's too, and each fused LSTM: the RMS of the difference to the float file's hidden states, over all
windows, steps and units of the test set, as a part of their standard deviation. A layer in both directions
has two LSTMs. The weights of a quantization-aware training differ from the float file's; with `--no-qat` they
are the same, and what is seen is the rounding alone.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

REFERENCE = "model_float32.tflite"


def relative_rms_error(values: NDArray[np.floating], reference: NDArray[np.floating]) -> float:
    """RMS(values - reference) / std(reference), of two arrays of one shape."""
    return float(np.sqrt(np.mean((values - reference) ** 2)) / np.std(reference))


def lstm_errors(reference: bytes, content: bytes, features: NDArray[np.float32]) -> list[float]:
    """The relative RMS error of each fused LSTM of an int8 file, in the order of the file.

    Both files run the LSTMs of one architecture in one order. (Were two of them confused, the error would be
    above 1.)

    Args:
        reference: the float .tflite of the same architecture.
        content: the .tflite to be judged; an LSTM that is float in it is compared as well.
        features: [windows, time, features], standardized.
    """
    from converters import schema
    from converters.lstm_op import lstm_nodes
    from converters.microscope import inner

    seen = inner.run({"reference": reference, "file": content}, features)
    found = []
    for node, theirs, ours in zip(
        lstm_nodes(schema.read_model(content)), seen["reference"], seen["file"], strict=True
    ):
        values = ours.output.astype(np.float64)
        if (stored := schema.scale_and_zero_point(node.output)) is not None:
            values = stored[0] * (values - stored[1])
        found.append(relative_rms_error(values, theirs.output.astype(np.float64)))
    return found


def of_build(build: Path) -> dict[str, list[float]]:
    """`lstm_errors` of every int8 file of a build, by the file's name."""
    from pipeline.data.prepared import PreparedData

    features = PreparedData.load(build / "stages" / "data").x_test
    reference = (build / REFERENCE).read_bytes()
    files = sorted((build / "stages" / "convert").glob("model_int8*.tflite"))
    return {one.name: lstm_errors(reference, one.read_bytes(), features) for one in files}


def main() -> int:
    as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=as_written)
    parser.add_argument("builds", nargs="+", type=Path, metavar="BUILD")
    for build in parser.parse_args().builds:
        for name, errors in of_build(build).items():
            print(f"{build.name}  {name}  {'  '.join(f'{error:.2%}' for error in errors)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
