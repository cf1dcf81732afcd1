"""A model, what the app has to know about it, and its golden vectors, as assets of the Android app."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import InputError
from models.quiet_tensorflow import stderr_held_back
from pipeline import runtime
from pipeline.data.archive import as_windows, read_npz
from pipeline.disk import disk_errors
from pipeline.export.android_sensors import LARGEST_RATE_HZ, sources
from pipeline.export.built import GOLDEN, opened, read_built
from pipeline.export.limits import device_limits

ASSETS = Path("app/src/main/assets")
MODEL, CARD, VECTORS = "model.tflite", "model.json", "golden.json"
CARD_FORMAT, VECTORS_FORMAT, VERSION = "fuselage-android-model", "fuselage-android-golden", 1
WINDOWS_OF_A_CLASS, MOST_WINDOWS = 2, 24


@dataclass(frozen=True)
class Tensor:
    """An input or output as the app meets it.

    Attributes:
        index: its place among the interpreter's inputs or outputs.
        type: "float32" or "int8".
        shape: [1, ...].
        scale, zero_point: real = scale * (q - zero_point); 0.0 and 0 of a float tensor.
        step: of one quantized value, in real units: the scale, or of a float output that is dequantized at
            the model's border the scale there; 0.0 where nothing is quantized.
    """

    index: int
    type: str
    shape: list[int]
    scale: float
    zero_point: int
    step: float


def export_android(build: Path, app: Path, force: bool = False) -> list[Path]:
    """Put the int8 model of a build into the app: the file, `model.json` and `golden.json`.

    `model.json` says what the metadata inside the file says, and which sensor each channel is, so that the
    app reads no flatbuffer. `golden.json` holds up to two test windows of each class with what the model
    answers on this machine, to be compared on the phone; they are also what the app shows where it has no
    sensors.

    Args:
        build: the folder that `pipeline build` wrote.
        app: the app's folder, `android_demo`, or a copy of it.
        force: take a model in doubt, see `read_built`; the card's `warning` says so.

    Returns:
        The files written.

    Raises:
        InputError: no such build or app, or a model that the app cannot show.
    """
    assets = app / ASSETS
    if not assets.parent.is_dir():
        raise InputError(
            f"'{app}' is not the Android app: it has no '{ASSETS.parent}'.", "Name android_demo."
        )
    built = read_built(build, None, force=force)
    metadata = built.metadata
    _require_suitable(metadata)
    raw, labels = _test_windows(build / GOLDEN, metadata)
    measured = sources(metadata, raw)
    model = opened(built.content, built.name)
    with stderr_held_back():
        tensors = _tensors(built.content, model.output_scales)
    limits = device_limits(built.content, metadata["preprocessing"]["steps"], model.output_scales)
    checksum = hashlib.sha256(built.content).hexdigest()
    card = {
        "format": CARD_FORMAT,
        "version": VERSION,
        "sha256": checksum,
        "size_bytes": len(built.content),
        "name": metadata["name"],
        "warning": built.doubt,
        "attribution": _attribution(build),
        "class_names": metadata["class_names"],
        "channels": [
            {"name": name, "unit": unit, **asdict(source)}
            for name, unit, source in zip(
                metadata["channel_names"], metadata["channel_units"], measured, strict=True
            )
        ],
        "sample_rate_hz": metadata["sample_rate_hz"],
        "steps": metadata["preprocessing"]["steps"],
        "mean": metadata["preprocessing"]["mean"],
        "std": metadata["preprocessing"]["std"],
        **{name: asdict(tensor) for name, tensor in tensors.items()},
    }
    vectors = {
        "format": VECTORS_FORMAT,
        "version": VERSION,
        "sha256": checksum,
        "limits": {
            "logits": limits["logits"],
            "attention": limits[runtime.ATTENTION],
        },
        "windows": [
            _answered(model, tensors, window, metadata["class_names"][label])
            for window, label in zip(raw, labels, strict=True)
        ],
    }
    return _write(assets, {MODEL: built.content, CARD: _json(card, 1), VECTORS: _json(vectors, None)})


def _require_suitable(metadata: Mapping[str, Any]) -> None:
    """Raise an InputError unless the app can feed the model and show its answer."""
    runtime.checked_metadata(metadata)
    tip = "The app classifies windows of motion: build with `pipeline build --data basic-motions`."
    if (task := runtime.task_of(dict(metadata))) != "classification":
        raise InputError(f"The model's task is {task}; the app is for classification.", tip)
    if metadata["preprocessing"]["padding"] == "end":
        raise InputError("The model takes lengths; the app feeds whole windows only.", tip)
    rate = metadata["sample_rate_hz"]
    if not isinstance(rate, int | float) or not 0 < rate <= LARGEST_RATE_HZ:
        raise InputError(
            f"The model's sample rate is {rate} Hz; the app measures at rates above 0 and up to "
            f"{LARGEST_RATE_HZ:g} Hz, and has to know it.",
            "Give the data a sample_rate_hz and build again.",
        )


def _test_windows(path: Path, metadata: Mapping[str, Any]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Up to two whole windows of each class, in the order of the classes, [n, T, F], and their classes."""
    steps = metadata["preprocessing"]["steps"]
    arrays = read_npz(path, lambda present: [name for name in ("raw_features", "labels") if name in present])
    if len(arrays) < 2:
        raise InputError(f"'{path}' has no windows with labels.", "Run the build again.")
    raw = as_windows("raw_features", arrays["raw_features"])  # [n, T, F]
    labels = arrays["labels"].astype(np.int64)
    whole = np.isfinite(raw).all(axis=(1, 2)) if raw.shape[1] == steps else np.zeros(len(raw), bool)
    classes = range(len(metadata["class_names"]))
    of_each = (np.flatnonzero(whole & (labels == one))[:WINDOWS_OF_A_CLASS] for one in classes)
    chosen = [index for some in of_each for index in some]
    if not chosen:
        raise InputError(f"'{path}' has no window of {steps} steps.", "Run the build again.")
    kept = chosen[:MOST_WINDOWS]
    return raw[kept], labels[kept]


def _tensors(content: bytes, steps: Mapping[str, float]) -> dict[str, Tensor]:
    """The input, the logits and the attention weights, by these names; their shapes and types checked."""
    interpreter = runtime.open_interpreter(content, 1)
    runner = interpreter.get_signature_runner(runtime.SIGNATURE)
    inputs, outputs = runner.get_input_details(), runner.get_output_details()
    order = {
        "input": [one["index"] for one in interpreter.get_input_details()],
        "output": [one["index"] for one in interpreter.get_output_details()],
    }
    found = {
        "input": _tensor(inputs["features"], order["input"], None),
        "logits": _tensor(outputs["logits"], order["output"], steps["logits"]),
        "attention": _tensor(outputs[runtime.ATTENTION], order["output"], steps[runtime.ATTENTION]),
    }
    if len(found["attention"].shape) != 2:
        raise InputError(
            f"The attention weights have shape {found['attention'].shape}; the app draws one weight a step.",
            "Build with one query and one head: --query last, and an --attention other than multi-head.",
        )
    return found


def _tensor(details: Mapping[str, Any], order: list[int], step: float | None) -> Tensor:
    kind = np.dtype(details["dtype"]).name
    if kind not in ("float32", "int8"):
        raise InputError(
            f"'{details['name']}' is {kind}; the app reads float32 and int8.", "Build with --io float32."
        )
    scale, zero_point = details["quantization"]
    shape = [int(size) for size in details["shape"]]
    step = float(scale) if step is None else step
    return Tensor(order.index(details["index"]), kind, shape, float(scale), int(zero_point), step)


def _answered(
    model: runtime.SequenceModel, tensors: Mapping[str, Tensor], window: NDArray[np.float32], label: str
) -> dict[str, Any]:
    """One window with what goes into the model and what comes out, as the tensors hold it."""
    features = model.standardize(window)  # [T, F]
    answer = model.run(features)
    return {
        "label": label,
        "answer": model.predict(window).label,
        "window": _numbers(window),
        "input": _held(features.ravel(), tensors["input"]),
        "logits": _held(answer["logits"], tensors["logits"]),
        "attention": _held(answer[runtime.ATTENTION], tensors["attention"]),
    }


def _held(values: NDArray[np.float32], tensor: Tensor) -> list[Any]:
    details = {"dtype": np.dtype(tensor.type).type, "quantization": (tensor.scale, tensor.zero_point)}
    held = runtime.quantize(values, details)
    return _numbers(held) if tensor.type == "float32" else held.tolist()


def _numbers(values: NDArray[np.float32]) -> list[Any]:
    """Nested lists of the shortest decimals that are these float32 values again."""
    if values.ndim > 1:
        return [_numbers(row) for row in values]
    return [float(str(value)) for value in values]


def _attribution(build: Path) -> str:
    """Where the data of the build is from; "" where its report does not say."""
    try:
        return str(json.loads((build / "report.json").read_text("utf-8"))["dataset"]["attribution"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _json(document: Mapping[str, Any], indent: int | None) -> bytes:
    separators = (",", ":") if indent is None else (",", ": ")
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=indent, separators=separators)
    return (text + "\n").encode("utf-8")


def _write(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Each file appears whole; the checksum in the two others says whether the model is theirs."""
    with disk_errors(folder):
        folder.mkdir(exist_ok=True)
        for name, content in files.items():
            part = folder / f".{name}.part"
            part.write_bytes(content)
            os.replace(part, folder / name)
    return [folder / name for name in files]
