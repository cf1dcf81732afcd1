"""Run a model under an instruction counter, on the target: `python counter.py FOLDER`.

This file stands alone but for `runtime.py` beside it. It reads `job.json` of the folder:

    {"models": [{"file": "0.tflite", "kernels": "default", "windows": 5}, ...], "repeats": 2}

and `windows.npz` (`features` [n, time, features]), and marks places in its run by calls of getppid(), at
which the counter writes how much was executed so far. For each model, in this order: before and after
nothing at all, before and after opening it, and for each of its first windows, `repeats` times, before and
after invoke().
"""

from __future__ import annotations

import gc
import json
import os
import sys
from pathlib import Path

import numpy as np
import runtime  # type: ignore[import-not-found]  # the copy beside this file


def main(folder: Path) -> None:
    """Do the job of a folder."""
    job = json.loads((folder / "job.json").read_text("utf-8"))
    with np.load(folder / "windows.npz", allow_pickle=False) as arrays:
        windows = arrays["features"]
    mark = os.getppid
    gc.disable()  # it would come between two marks
    for model in job["models"]:
        content = (folder / model["file"]).read_bytes()
        mark()
        mark()
        mark()
        interpreter = runtime.open_interpreter(content, 1, model["kernels"])
        mark()
        taken, *others = sorted(interpreter.get_input_details(), key=lambda one: -len(one["shape"]))
        for other in others:  # of a model that is told how many steps count: all of them
            interpreter.set_tensor(other["index"], np.array([windows.shape[1]], np.int32))
        invoke = interpreter.invoke
        for window in windows[: model["windows"]]:
            for _ in range(job["repeats"]):
                interpreter.reset_all_variables()
                interpreter.set_tensor(taken["index"], runtime.quantize(window, taken)[np.newaxis])
                mark()
                invoke()
                mark()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
