"""The model files of a build's folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from models.errors import InputError

FLOAT32, INT8, STOCK = "model_float32.tflite", "model_int8.tflite", "model_int8_stock.tflite"


@dataclass(frozen=True)
class BuiltFiles:
    """What a build has published.

    Attributes:
        float32: the float file, which the others are held against.
        tested: `model_int8.tflite`, or the first other one by name where there is none.
        others: the rest; TensorFlow's stock file is left out.
        golden: windows that the build has kept.
    """

    float32: Path
    tested: Path
    others: tuple[Path, ...]
    golden: Path


def built_files(folder: Path) -> BuiltFiles:
    """Look into the folder of a build.

    Raises:
        InputError: a build has not written there, or has made no file beside the float one.
    """
    float32, golden = folder / FLOAT32, folder / "golden.npz"
    for needed in (float32, golden):
        if not needed.is_file():
            raise InputError(
                f"'{folder}' has no {needed.name}: it is not the folder of a finished build.",
                "Name the --out folder of `pipeline build`, or two files A and B and --data.",
            )
    others = [path for path in sorted(folder.glob("model_*.tflite")) if path.name not in (FLOAT32, STOCK)]
    if not others:
        raise InputError(
            f"'{folder}' has no file beside {FLOAT32}: there is nothing to hold against it.",
            "Build one with --quantize int8.",
        )
    tested = next((path for path in others if path.name == INT8), others[0])
    return BuiltFiles(float32, tested, tuple(path for path in others if path != tested), golden)
