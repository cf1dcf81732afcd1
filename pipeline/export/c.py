"""A folder with a model as C source, for TensorFlow Lite Micro."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.integer_io import with_integer_io
from converters.metadata import LENGTHS
from models.errors import ConversionError, InputError
from pipeline.export import c_text
from pipeline.export.built import BuiltModel, opened, read_built
from pipeline.export.c_model import borders, header, source
from pipeline.export.c_readme import c_readme
from pipeline.export.folder import export_folder, written_files

WINDOWS = 4
"""Golden windows. They are for a test build: 4 of 128 steps and 9 channels take 28 kB."""


def export_c(build: Path, out: Path, model: str | None = None, force: bool = False) -> list[Path]:
    """Write a folder with a model of a build as C source, its golden vectors, and a check that compiles.

    Args:
        build: the folder that `pipeline build` wrote.
        out: new, empty, or an earlier export of this kind.
        model: a file name in the build; None: `model_int8.tflite`. Float inputs and outputs of an int8 file
            are made integers.
        force: take any folder, see `export_folder`, and a model in doubt, see `read_built`.

    Returns:
        the files written.

    Raises:
        InputError: no such build or file, a folder that is not to be written, a model that is not of integers
            only or has an op that TensorFlow Lite Micro has not.
    """
    built = read_built(build, model, WINDOWS, force=force)
    try:
        content = with_integer_io(built.content)
    except ConversionError as error:
        raise InputError(f"'{built.name}': {error.message}", error.tip) from error
    texts = {
        "fuselage_model.h": header(content, built.metadata),
        "fuselage_model.c": source(content, built.metadata),
        **_golden(content, built),
        "README.md": c_readme(content, built),
    }
    with export_folder(out, "c", force) as folder:
        for name, text in texts.items():
            (folder / name).write_text(text, "utf-8")
        (folder / "model.tflite").write_bytes(content)
        for name in ("fuselage_check.c", "Makefile"):
            shutil.copyfile(Path(__file__).parent / "firmware" / name, folder / name)
    return written_files(out)


def golden_vectors(content: bytes, built: BuiltModel) -> dict[str, NDArray[Any]]:
    """Windows and what LiteRT makes of them, as the tensors hold it.

    Returns:
        `raw` [n, steps, channels] float32, zeros behind the first `lengths` [n] int32; and by the name of an
        input or output its integers, [n, ...].
    """
    model = opened(content, built.name)
    rule = built.metadata["preprocessing"]
    raw = np.zeros((len(built.windows), rule["steps"], rule["features"]), np.float32)
    lengths = np.array([len(window) for window in built.windows], np.int32)
    inputs, outputs = borders(content)
    found: dict[str, list[NDArray[Any]]] = {
        one.name: [] for one in (*inputs, *outputs) if one.name != LENGTHS
    }
    for row, window in zip(raw, built.windows, strict=True):
        row[: len(window)] = window
        values = model.integers(model.standardize(window), len(window) if model.takes_lengths else None)
        for name, array in found.items():
            array.append(values[name])
    return {"raw": raw, "lengths": lengths, **{name: np.stack(arrays) for name, arrays in found.items()}}


def _golden(content: bytes, built: BuiltModel) -> dict[str, str]:
    """fuselage_golden.h and .c."""
    vectors = {f"fuselage_golden_{name}": one for name, one in golden_vectors(content, built).items()}
    declared = "".join(c_text.declaration(name, values) for name, values in vectors.items())
    defined = "".join(c_text.array(name, values) for name, values in vectors.items())
    return {
        "fuselage_golden.h": _GOLDEN_H % (len(built.windows), declared),
        "fuselage_golden.c": f'{_MADE}#include "fuselage_golden.h"\n\n{defined}',
    }


_MADE = "/* Made by `pipeline export c`; do not edit. */\n"

_GOLDEN_H = """\
/* Windows of the test part and what LiteRT answers, for a test on the chip. Made by `pipeline export c`.
   Each array holds window after window. raw: [steps][channels], zeros behind the first `lengths` steps; the
   others are the integers of the input and the outputs of their name. TensorFlow Lite Micro takes the gates
   of an LSTM from tables, LiteRT does not: expect outputs a few steps beside these, not equal ones. */
#ifndef FUSELAGE_GOLDEN_H
#define FUSELAGE_GOLDEN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FUSELAGE_GOLDEN_WINDOWS %d
%s
#ifdef __cplusplus
}
#endif

#endif
"""
