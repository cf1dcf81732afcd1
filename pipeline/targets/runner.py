"""Run models on windows, on the target: `python runner.py FOLDER`.

This file stands alone but for `runtime.py` beside it. It reads `job.json` of the folder:

    {"kernels": ["reference", "default"],
     "files": [{"role": "A", "ours": true, "input": 0, "lengths": null, "outputs": {"logits": 23, ...}}]}

Tensors are named by their index. For each file there are `ROLE.tflite` and `ROLE.windows.npz` (`features`
[n, time, features] float32 and, where the model takes them, `lengths` [n]). For each file and kind of kernels
it writes `out/ROLE.KERNELS.npz`, the outputs by name, [n, ...] float32, and at the end `out/about.json`:
what it ran on, and the quantization step of each output. A line on stdout tells how far it is.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

import numpy as np
import runtime  # type: ignore[import-not-found]  # the copy beside this file

TOLD_EVERY = 16  # windows
LIBRARIES = ("ai-edge-litert", "tflite-runtime", "tensorflow")


class Plain:
    """A file that is not ours, run as the runtime runs ours."""

    def __init__(self, content: bytes, about: dict[str, Any], kernels: str) -> None:
        self._interpreter = runtime.open_interpreter(content, 1, kernels)
        details = self._interpreter.get_input_details() + self._interpreter.get_output_details()
        by_index = {one["index"]: one for one in details}
        self._taken, self._lengths = by_index[about["input"]], about["lengths"]
        self._outputs = {name: by_index[index] for name, index in about["outputs"].items()}
        self.output_scales = {
            name: runtime.output_scale(content, one) for name, one in self._outputs.items()
        }

    def run(self, features: np.ndarray, length: int | None = None) -> dict[str, np.ndarray]:
        """Outputs of one window [time, features] by name, dequantized, from the zero state."""
        self._interpreter.reset_all_variables()
        window = runtime.quantize(features, self._taken)[np.newaxis]
        self._interpreter.set_tensor(self._taken["index"], window)
        if self._lengths is not None:
            self._interpreter.set_tensor(self._lengths, np.array([length or len(features)], np.int32))
        self._interpreter.invoke()
        return {
            name: runtime.dequantize(self._interpreter.get_tensor(one["index"])[0], one)
            for name, one in self._outputs.items()
        }


def main(folder: Path) -> None:
    """Do the job of a folder."""
    job = json.loads((folder / "job.json").read_text("utf-8"))
    (folder / "out").mkdir(exist_ok=True)
    scales = {}
    for about in job["files"]:
        role = about["role"]
        content = (folder / f"{role}.tflite").read_bytes()
        with np.load(folder / f"{role}.windows.npz", allow_pickle=False) as arrays:
            windows = arrays["features"]
            lengths = arrays.get("lengths")
        for kernels in job["kernels"]:
            if about["ours"]:
                model = runtime.load_model(content, verify_checksum=False, kernels=kernels)
            else:
                model = Plain(content, about, kernels)
            scales[role] = model.output_scales
            found = answers(model, windows, lengths, role)
            np.savez(folder / "out" / f"{role}.{kernels}.npz", allow_pickle=False, **found)
    write_about(folder / "out" / "about.json", scales)


def answers(
    model: Any, windows: np.ndarray, lengths: np.ndarray | None, role: str
) -> dict[str, np.ndarray]:
    """The outputs for all windows by name, [n, ...]."""
    found: dict[str, np.ndarray] = {}
    for index, window in enumerate(windows):
        answer = model.run(window, None if lengths is None else int(lengths[index]))
        for name, value in answer.items():
            rows = found.setdefault(name, np.empty((len(windows), *value.shape), np.float32))
            rows[index] = value
        if (index + 1) % TOLD_EVERY == 0 or index + 1 == len(windows):
            print(role, index % TOLD_EVERY + 1, flush=True)
    return found


def write_about(path: Path, scales: dict[str, dict[str, float]]) -> None:
    """What ran: the processor's architecture, and versions of Python, numpy and the interpreter."""
    interpreter = runtime._interpreter_class().__module__.split(".")[0]
    library = next((one for one in LIBRARIES if one.replace("-", "_") == interpreter), interpreter)
    about = {
        "machine": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "interpreter": f"{library} {importlib.metadata.version(library)}",
    }
    part = path.with_suffix(".part")
    part.write_text(json.dumps({**about, "output_scales": scales}), "utf-8")
    os.replace(part, path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
