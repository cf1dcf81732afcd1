"""The Android app as it is committed, and a build folder that its assets could come from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from converters.metadata import attach_metadata, read_metadata

APP = Path(__file__).parents[2] / "android_demo"
ASSETS = APP / "app" / "src" / "main" / "assets"
DEBIAN = ("java", "javac", "jar", "keytool", "mvn", "aapt2", "zipalign", "apksigner", "dexdump")
FRAMEWORK = Path("/usr/share/android-framework-res/framework-res.apk")


def asset(name: str) -> Any:
    return json.loads((ASSETS / name).read_text("utf-8"))


def missing_tools() -> list[str]:
    """What `make -C android_demo apk` needs and this machine has not."""
    there = [tool for tool in DEBIAN if shutil.which(tool) is None]
    return there if FRAMEWORK.is_file() else [*there, "android-framework-res"]


def build_of_the_demo(folder: Path, **changes: Any) -> Path:
    """A build with the app's model, its golden windows, and what a report says of them.

    Args:
        changes: fields of the model's metadata to write anew.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model = (ASSETS / "model.tflite").read_bytes()
    if changes:
        model = attach_metadata(model, (read_metadata(model) or {}) | changes)
    (folder / "model_int8.tflite").write_bytes(model)
    card, windows = asset("model.json"), asset("golden.json")["windows"]
    np.savez(
        folder / "golden.npz",
        raw_features=np.array([one["window"] for one in windows], np.float32),
        labels=np.array([card["class_names"].index(one["label"]) for one in windows]),
    )
    held = {"file": "model_int8.tflite", "verdict": "pass", "checks": []}
    report = {"dataset": {"attribution": card["attribution"]}, "schemes": [held]}
    (folder / "report.json").write_text(json.dumps(report), "utf-8")
    return folder


def empty_app(folder: Path) -> Path:
    """As much of an app's folder as an export looks for."""
    (folder / "app" / "src" / "main").mkdir(parents=True)
    return folder
