"""The stage `convert`: a .tflite file for each scheme, made and checked in a child process."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import numpy as np

from converters.child import run_in_child
from converters.export import LENGTHS
from models.config import ModelConfig, lstm_layer_names
from models.errors import ConversionError
from models.inputs import windows_in
from pipeline import __version__
from pipeline.config import BuildConfig
from pipeline.data.prepared import PreparedData
from pipeline.schemes import Scheme, attention_precisions, schemes_of
from pipeline.stages import StageContext

STOCK = "model_int8_stock.tflite"
PACKAGES = ("tensorflow", "tf_keras", "tensorflow-model-optimization", "ai-edge-litert", "numpy")


class ConvertStage:
    """Reads the SavedModels and the ranges; writes the files, and as `conversion.json` how they were made."""

    name = "convert"
    version = 5
    reads: tuple[str, ...] = ("data", "train", "quantize")

    def options(self, config: BuildConfig) -> dict[str, Any]:
        """Types at the border, and what is told about the build inside the files."""
        return {**config.convert.model_dump(), "config_fingerprint": config.fingerprint()}

    def run(self, context: StageContext) -> None:
        """Convert in a child process: a crash of the converter becomes an error message."""
        data = PreparedData.load(context.artifact("data"))
        schemes = schemes_of(context.config.quantize)
        layers, query = self.lstms_and_query(context)
        metadata = _metadata(context.config, data, query)
        work = context.folder / "work"
        context.progress.start("Converting", None)
        made = run_in_child(
            "converters.convert:convert_job",
            work,
            {
                "schemes": {scheme.name: asdict(scheme) for scheme in schemes},
                "float_saved_model": str(context.artifact("train") / "saved_model"),
                "quantized": {
                    precision: self.quantized(context, precision)
                    for precision in attention_precisions(context.config.quantize)
                },
                "io": context.config.convert.io,
                "lstm_layers": layers,
                "metadata": metadata,
            },
            context.progress,
        )
        context.progress.finish()
        for scheme in schemes:
            (work / scheme.file).replace(context.folder / scheme.file)
        result: dict[str, Any] = {"schemes": made}
        if context.config.convert.compare_stock:
            result["stock"] = _convert_stock(context, data, metadata)
        shutil.rmtree(work)
        (context.folder / "conversion.json").write_text(json.dumps(result, indent=1) + "\n", "utf-8")
        sizes = {scheme: (context.folder / scheme.file).stat().st_size for scheme in schemes}
        context.progress.message(_told(sizes, len(layers)))

    def lstms_and_query(self, context: StageContext) -> tuple[list[str], str | None]:
        """Names of the model's LSTM layers, and who asks the attention, None where nobody knows."""
        document = json.loads((context.artifact("train") / "model.json").read_text("utf-8"))
        model = ModelConfig.from_dict(document)
        return lstm_layer_names(model.recurrent), model.attention.query

    def quantized(self, context: StageContext, precision: str) -> dict[str, str]:
        """Paths of what the stage `quantize` wrote for a precision."""
        folder = context.artifact("quantize") / precision
        return {"saved_model": str(folder / "saved_model"), "ranges": str(folder / "ranges.npz")}


def _told(sizes: Mapping[Scheme, int], lstms: int) -> str:
    """The sizes of all files in a line, and that their LSTMs are fused, which the converter has checked."""
    (float32, float_size), *others = sizes.items()
    parts = [f"{float32.name} {float_size:,} bytes"]
    parts += [f"{scheme.name} {size:,} bytes ({size / float_size:.2f} of it)" for scheme, size in others]
    where = {1: "it", 2: "both"}.get(len(sizes), "all of them")
    each = "the LSTM is" if lstms == 1 else f"each of the {lstms} LSTMs is"
    return f"{', '.join(parts)}; {each} one fused op in {where}"


def _convert_stock(context: StageContext, data: PreparedData, metadata: Mapping[str, Any]) -> str:
    """Let TensorFlow's own quantizer make `model_int8_stock.tflite`; returns why there is none, or "".

    It is there to be compared with: neither a refusal nor a crash ends the build.
    """
    work = context.folder / "work" / "stock"
    work.mkdir()
    inputs, lengths = data.inputs("train"), None
    np.save(work / "windows.npy", windows_in(inputs))
    if isinstance(inputs, dict):
        lengths = str(work / "lengths.npy")
        np.save(lengths, inputs[LENGTHS])
    context.progress.start("Converting with the stock quantizer", None)
    try:
        run_in_child(
            "converters.stock:stock_job",
            work,
            {
                "saved_model": str(context.artifact("train") / "saved_model"),
                "windows": str(work / "windows.npy"),
                "lengths": lengths,
                "metadata": metadata,
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


def _metadata(config: BuildConfig, data: PreparedData, query: str | None) -> dict[str, Any]:
    """What travels inside the files; the layout is docs/tflite-file.md."""
    return {
        "name": data.name,
        "task": data.task,
        **({} if query is None else {"query": query}),
        "class_names": list(data.class_names),
        **({"target_units": list(data.target_units)} if data.target_units else {}),
        "channel_names": list(data.channel_names),
        "channel_units": list(data.channel_units),
        "sample_rate_hz": data.sample_rate_hz,
        **({"front_end": data.front_end} if data.front_end is not None else {}),
        "preprocessing": data.preprocessing.to_dict(),
        "provenance": {
            "fuselage": __version__,
            "config_fingerprint": config.fingerprint(),
            **{package: version(package) for package in PACKAGES},
        },
    }


STAGE = ConvertStage()
