"""Does this folder work on this machine? `python selftest.py` runs the golden windows and compares.

It needs numpy, an interpreter, and the files beside it. Exit code 0: passed; 1: an answer is not what it has
to be; 2: it could not be run.

An answer in integers may be a step away from the golden one: kernels of another processor may round a half
the other way, and the weights of a long window differ by more. What is computed in float may differ by what
two float32 implementations do. `golden.npz` has the limit of each output. Step by step has to equal the whole
window to the last bit. Before that, every file that takes part has to have the checksum in `export.json`.
"""

from __future__ import annotations

import hashlib
import json
import platform
import sys
import time
from pathlib import Path

import numpy as np

if __package__ == "pipeline.export.device":
    from pipeline import runtime
else:  # in the exported folder
    import runtime  # type: ignore[import-not-found,no-redef]

HERE = Path(__file__).resolve().parent


def main(folder: Path = HERE) -> int:
    """Test a folder; returns the exit code."""
    try:
        if changed := changed_files(folder):
            print(f"Cannot run: not as exported, the checksum differs: {', '.join(changed)}. Export again.")
            return 2
        with np.load(folder / "golden.npz", allow_pickle=False) as arrays:
            golden = {name: arrays[name] for name in arrays.files}
        model = runtime.load_model(folder / "model.tflite")
    except (OSError, ValueError, KeyError, TypeError, ImportError) as error:
        print(f"Cannot run: {error}")
        return 2
    print(f"{platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}")
    name, task = model.metadata.get("name"), runtime.task_of(model.metadata)
    print(f"{name!r}, {task}: {len(golden['windows'])} golden windows")
    good = answers(model, golden)
    if (folder / "streaming.tflite").exists():
        good = streamed(model, folder / "streaming.tflite", golden) and good
    print("SELF-TEST PASSED" if good else "SELF-TEST FAILED")
    return 0 if good else 1


def changed_files(folder: Path) -> list[str]:
    """Models, windows and programs that are not those the export wrote last; the texts may be edited."""
    written = json.loads((folder / "export.json").read_text("utf-8"))["sha256"]
    return [
        name
        for name, digest in written.items()
        if name.endswith((".tflite", ".npz", ".py"))
        and hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest
    ]


def answers(model: runtime.SequenceModel, golden: dict[str, np.ndarray]) -> bool:
    """Hold what the model answers to each window against the golden outputs."""
    windows = [window[:length] for window, length in zip(golden["windows"], golden["lengths"], strict=True)]
    start = time.perf_counter()
    found = [model.run(model.standardize(one), len(one) if model.takes_lengths else None) for one in windows]
    took_ms = (time.perf_counter() - start) * 1e3 / len(windows)
    good = True
    for name in (model.answer, "attention_weights"):
        wanted, got = golden[f"expected_{name}"], np.stack([one[name] for one in found])
        limit = float(golden[f"limit_{name}"])
        # Of quantized outputs the limit is in real numbers; of float ones a share, of 1 at least.
        unit = 1.0 if model.output_scales[name] else np.maximum(1.0, np.abs(wanted))
        worst = float(np.max(np.abs(got - wanted) / unit))
        fits = worst <= limit  # NaN does not
        good = good and fits
        same = int(np.sum(got == wanted))
        print(
            f"  {name}: {same} of {wanted.size} equal to the last bit, "
            f"largest difference {worst:.2g}, limit {limit:.2g}: {'ok' if fits else 'FAILED'}"
        )
    for index in range(len(windows)):
        model.predict(windows[index])  # what it says in words, too
    print(f"  {took_ms:.2f} ms a window, measured once on this machine")
    return good


def streamed(model: runtime.SequenceModel, file: Path, golden: dict[str, np.ndarray]) -> bool:
    """Hold a stream of the golden windows' samples against the whole windows: to the last bit."""
    if __package__ == "pipeline.export.device":
        from pipeline import streaming
    else:
        import streaming  # type: ignore[import-not-found,no-redef]

    samples = np.concatenate(
        [window[:length] for window, length in zip(golden["windows"], golden["lengths"], strict=True)]
    )
    half = max(1, int(model.metadata["preprocessing"]["steps"]) // 2)
    stream = streaming.StreamingModel(file, "window", hop=half)
    samples = np.resize(samples, (max(len(samples), 2 * stream.steps), samples.shape[1]))
    found = stream.push(samples)
    different = 0
    for one in found:
        whole = vars(model.predict(samples[one.start : one.stop]))
        here = vars(one.prediction)
        different += any(not np.array_equal(here[name], value) for name, value in whole.items())
    good = bool(found) and not different
    said = "ok" if good else "FAILED"
    print(f"  streaming: {different} of {len(found)} windows differ from the whole: {said}")
    return good


if __name__ == "__main__":
    sys.exit(main())
