"""The stage `convert`: the two .tflite files, made and checked in a child process."""

from __future__ import annotations

import json
import shutil
from importlib.metadata import version
from typing import Any

import numpy as np

from converters.child import run_in_child
from models.errors import ConversionError
from pipeline import __version__
from pipeline.config import BuildConfig
from pipeline.data.prepared import PreparedData
from pipeline.stages import StageContext

LSTM_LAYERS = ("lstm",)
STOCK = "model_int8_stock.tflite"
PACKAGES = ("tensorflow", "tf_keras", "tensorflow-model-optimization", "ai-edge-litert", "numpy")


class ConvertStage:
    """Reads both SavedModels and the ranges; writes both files, and the ranges as `conversion.json`."""

    name = "convert"
    version = 2
    reads: tuple[str, ...] = ("data", "train", "quantize")

    def options(self, config: BuildConfig) -> dict[str, Any]:
        """Types at the border, and what is told about the build inside the files."""
        return {**config.convert.model_dump(), "config_fingerprint": config.fingerprint()}

    def run(self, context: StageContext) -> None:
        """Convert in a child process: a crash of the converter becomes an error message."""
        data = PreparedData.load(context.artifact("data"))
        quantize = context.artifact("quantize")
        work = context.folder / "work"
        context.progress.start("Converting", None)
        result = run_in_child(
            "converters.convert:convert_job",
            work,
            {
                "float_saved_model": str(context.artifact("train") / "saved_model"),
                "quantized_saved_model": str(quantize / "saved_model"),
                "ranges": str(quantize / "ranges.npz"),
                "io": context.config.convert.io,
                "lstm_layers": list(LSTM_LAYERS),
                "metadata": _metadata(context.config, data),
            },
            context.progress,
        )
        context.progress.finish()
        sizes = {}
        for name in ("model_float32.tflite", "model_int8.tflite"):
            (work / name).replace(context.folder / name)
            sizes[name] = (context.folder / name).stat().st_size
        if context.config.convert.compare_stock:
            result["stock"] = _convert_stock(context, data)
        shutil.rmtree(work)
        (context.folder / "conversion.json").write_text(json.dumps(result, indent=1) + "\n", "utf-8")
        float_size, int8_size = sizes.values()
        context.progress.message(
            f"float32 {float_size:,} bytes, int8 {int8_size:,} bytes ({int8_size / float_size:.2f} of it); "
            "the LSTM is one fused op in both"
        )


def _convert_stock(context: StageContext, data: PreparedData) -> str:
    """Let TensorFlow's own quantizer make `model_int8_stock.tflite`; returns why there is none, or "".

    It is there to be compared with: neither a refusal nor a crash ends the build.
    """
    work = context.folder / "work" / "stock"
    work.mkdir()
    np.save(work / "windows.npy", data.x_train)
    context.progress.start("Converting with the stock quantizer", None)
    try:
        run_in_child(
            "converters.stock:stock_job",
            work,
            {
                "saved_model": str(context.artifact("train") / "saved_model"),
                "windows": str(work / "windows.npy"),
                "metadata": _metadata(context.config, data),
            },
            context.progress,
        )
    except ConversionError as error:
        context.progress.message(f"No stock file to compare with: {error.message}")
        return error.message
    finally:
        context.progress.finish()
    (work / STOCK).replace(context.folder / STOCK)
    return ""


def _metadata(config: BuildConfig, data: PreparedData) -> dict[str, Any]:
    """What travels inside the files; the layout is docs/tflite-file.md."""
    return {
        "name": data.name,
        "task": data.task,
        "class_names": list(data.class_names),
        **({"target_units": list(data.target_units)} if data.target_units else {}),
        "channel_names": list(data.channel_names),
        "channel_units": list(data.channel_units),
        "sample_rate_hz": data.sample_rate_hz,
        "preprocessing": data.preprocessing.to_dict(),
        "provenance": {
            "fuselage": __version__,
            "config_fingerprint": config.fingerprint(),
            **{package: version(package) for package in PACKAGES},
        },
    }


STAGE = ConvertStage()
