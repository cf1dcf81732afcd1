"""fuselage-kernels as Arm code, on the target: `python arm_kernels_job.py FOLDER`.

This file stands alone. The folder holds `kernels.so`, models `NAME.tflite`, and for each either `NAME.npz`
(`x` [windows, ...] and what has to come out, `0`, `1`, ... [windows, ...]) or nothing. Models with results
are run with the built-in kernel and with every instruction set that runs here, and compared; of the others
the executed instructions of invoke() are marked for a counter by calls of getppid(): nothing at all, the
built-in kernel, ours. `functions.npz`, if it is there, has the tables of the functions inside the op by the
integer bits of their input, for all inputs. `result.json` says what was compared and what was counted.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter, load_delegate


def runnable(library: Path) -> list[str]:
    """The instruction sets that the library finds on this processor, best first."""
    function = ctypes.CDLL(str(library)).fuselage_kernels_runnable
    function.restype = ctypes.c_char_p
    names: list[str] = []
    while (name := function(len(names))) is not None:
        names.append(name.decode())
    return names


def opened(model: Path, library: Path, path: str | None) -> Any:
    """An interpreter; path None: the built-in kernel."""
    delegates = None if path is None else [load_delegate(str(library), {"path": path})]
    interpreter = Interpreter(str(model), num_threads=1, experimental_delegates=delegates)
    interpreter.allocate_tensors()
    interpreter.reset_all_variables()
    if delegates is not None:
        pointer = ctypes.c_void_p(delegates[0]._get_native_delegate_pointer())
        if ctypes.CDLL(str(library)).fuselage_kernels_taken(pointer) == 0:
            raise RuntimeError(f"{model.name}: the delegate has taken no LSTM.")
    return interpreter


def compare(interpreter: Any, expected: dict[str, np.ndarray]) -> tuple[int, int]:
    """How many bytes of output and state came out, and how many of them are not the expected ones."""
    (taken,) = interpreter.get_input_details()
    places = [one["index"] for one in interpreter.get_output_details()]
    named = {one["name"]: one["index"] for one in interpreter.get_tensor_details()}
    places += [named[name] for name in ("h", "c") if name in named]
    total = differing = 0
    for window, x in enumerate(expected["x"]):
        interpreter.set_tensor(taken["index"], x)
        interpreter.invoke()
        for number, place in enumerate(places):
            got, wanted = interpreter.get_tensor(place), expected[str(number)][window]
            total += got.nbytes
            differing += int((got.view(np.uint8) != wanted.view(np.uint8)).sum())
    return total, differing


def wrong_entries(library: Path, path: str, tables: Any) -> int:
    """How many values of the functions inside the op differ from their tables."""
    function = ctypes.CDLL(str(library)).fuselage_kernels_test_activate
    a = np.arange(-32768, 32768).astype(np.int16)
    wrong = 0
    for bits in tables.files:
        got = np.zeros_like(a)
        pointers = (ctypes.c_void_p(array.ctypes.data) for array in (a, got))
        if not function(path.encode(), int(bits), *pointers, a.size):
            raise RuntimeError(f"{path} does not run here.")
        wrong += int((got != tables[bits]).sum())
    return wrong


def main(folder: Path) -> None:
    """Do the job of a folder."""
    library = folder / "kernels.so"
    paths = runnable(library)
    compared: dict[str, list[int]] = {path: [0, 0] for path in ("built in", *paths)}
    counted: list[str] = []
    for model in sorted(folder.glob("*.tflite")):
        results = model.with_suffix(".npz")
        if results.exists():
            with np.load(results, allow_pickle=False) as arrays:
                expected = dict(arrays)
            for path, sums in compared.items():
                found = compare(opened(model, library, None if path == "built in" else path), expected)
                sums[0], sums[1] = sums[0] + found[0], sums[1] + found[1]
            continue
        counted.append(model.stem)
        os.getppid()
        os.getppid()
        for path in (None, paths[0]):
            interpreter = opened(model, library, path)
            interpreter.invoke()  # the first one fills caches that an interpreter keeps
            os.getppid()
            interpreter.invoke()
            os.getppid()
    wrong = {}
    if (folder / "functions.npz").exists():
        with np.load(folder / "functions.npz", allow_pickle=False) as tables:
            wrong = {path: wrong_entries(library, path, tables) for path in paths}
    result = {"paths": paths, "compared": compared, "counted": counted, "wrong": wrong}
    (folder / "result.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
