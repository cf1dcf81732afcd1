"""A job for a target: a folder with the runtime that ships, files and windows; answers come back in it."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.errors import VerificationError
from pipeline import runtime
from pipeline.parity.files import ModelFile
from pipeline.parity.outputs import Array, Outputs
from pipeline.parity.running import as_logits, lengths_of, shaped

KERNELS = ("reference", "default")
RUNNER = "runner.py"
ANSWERS, ABOUT = "out", "about.json"


@dataclass(frozen=True)
class TargetFile:
    """A file and what it is run on.

    Attributes:
        features: [n, T, F] float32, standardized.
        real: [n, T] bool, the steps that count, of a file that is told so; None: all.
    """

    file: ModelFile
    features: Array
    real: Array | None = None


@dataclass(frozen=True)
class Answers:
    """What one file answered on one target with one kind of kernels.

    Attributes:
        raw: every output by name, [n, ...] float32, as the runtime returns it.
        outputs: the same as parity compares it.
    """

    raw: dict[str, Array]
    outputs: Outputs


def write_job(folder: Path, files: Mapping[str, TargetFile]) -> int:
    """Fill an empty folder; returns how many windows will be run in all.

    Args:
        files: by a role, a short word that becomes a file name.
    """
    described = []
    for role, one in files.items():
        file = one.file
        (folder / f"{role}.tflite").write_bytes(file.content)
        windows = {"features": one.features}
        if file.lengths is not None:
            windows["lengths"] = lengths_of(one.features, one.real)
        np.savez(folder / f"{role}.windows.npz", allow_pickle=False, **windows)
        wanted = [name for name in (file.logits, file.attention) if name is not None]
        described.append(
            {
                "role": role,
                "ours": file.metadata is not None,
                "input": file.input.index,
                "lengths": None if file.lengths is None else file.lengths.index,
                "outputs": {name: file.outputs[name].index for name in wanted},
            }
        )
    job = {"kernels": list(KERNELS), "files": described}
    (folder / "job.json").write_text(json.dumps(job), "utf-8")
    shutil.copy(runtime.__file__, folder / "runtime.py")
    shutil.copy(Path(__file__).with_name(RUNNER), folder / RUNNER)
    return len(KERNELS) * sum(len(one.features) for one in files.values())


def read_answers(
    folder: Path, files: Mapping[str, TargetFile], task: str
) -> tuple[dict[tuple[str, str], Answers], dict[str, Any]]:
    """What a target wrote: the answers by role and kernels, and what it says about itself.

    Raises:
        VerificationError: something is missing, damaged, or of another shape than the windows ask for.
    """
    try:
        about = json.loads((folder / ANSWERS / ABOUT).read_text("utf-8"))
        found = {
            (role, kernels): _read(folder, role, kernels, one, about["output_scales"][role], task)
            for role, one in files.items()
            for kernels in KERNELS
        }
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise VerificationError(
            f"What the target wrote cannot be read: {error}", "Was the connection cut? Run it again."
        ) from error
    return found, about


def _read(
    folder: Path, role: str, kernels: str, one: TargetFile, scales: Mapping[str, float], task: str
) -> Answers:
    with np.load(folder / ANSWERS / f"{role}.{kernels}.npz", allow_pickle=False) as arrays:
        raw = {name: arrays[name] for name in arrays.files}
    file, count = one.file, len(one.features)
    if short := [name for name, values in raw.items() if len(values) != count]:
        raise ValueError(f"'{short[0]}' has {len(raw[short[0]])} windows, {count} were sent")
    outputs = shaped(
        Outputs(
            logits=raw[file.logits],
            attention_weights=raw[file.attention] if file.attention else np.zeros((count, 0), np.float32),
            logits_scale=scales.get(file.logits) or None,
            attention_step=scales.get(file.attention or "") or None,
            real=one.real,
        ),
        file,
    )
    return Answers(raw, outputs if task == "regression" else as_logits(outputs, file))
