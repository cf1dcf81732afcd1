"""onnxruntime, in float and with dynamic int8 weights: the float file's own weights as an ONNX graph."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from converters import schema
from converters.child import run_in_child
from models.errors import FuselageError, InputError, VerificationError
from pipeline.benchmark.peers import Missing, PeerModel
from pipeline.benchmark.peers.checking import largest_error
from pipeline.benchmark.subjects import Subject
from pipeline.progress import Progress

JOB = "pipeline.benchmark.peers.onnx_runtime:make_job"
FLOAT_FILE, INT8_FILE = "float32.onnx", "int8.onnx"
NEEDS = ("onnx", "onnxruntime")


class OnnxRuntime:
    """See the module."""

    def make(self, subject: Subject, folder: Path, progress: Progress) -> list[PeerModel]:
        """The float model, checked, and what onnxruntime's own dynamic quantization makes of it."""
        missing = [name for name in NEEDS if importlib.util.find_spec(name) is None]
        if missing:
            raise Missing(f"not installed. Try: pip install {' '.join(missing)}")
        try:
            run_in_child(
                JOB, folder / "onnx", {"model": str(subject.path)},
                crash=lambda _, how: VerificationError(f"Making the ONNX graph {how}"),
            )  # fmt: skip
            made = []
            for name, file, exact in (("float32", FLOAT_FILE, True), ("dynamic int8", INT8_FILE, False)):
                path = folder / "onnx" / file
                error = largest_error(subject.path, path, "onnxruntime", folder / f"check {file}", exact)
                made.append(PeerModel(f"onnxruntime {name}", path, "onnxruntime", error))
        except InputError as error:
            raise Missing(f"does not apply to {subject.name}. {error.message}") from error
        except FuselageError as error:
            raise Missing(f"left out for {subject.name}: {error.message}") from error
        return made


def make_job(folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
    """Write both files into the folder; the body of the child process.

    Raises:
        InputError: the model cannot be said in ONNX.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    from pipeline.benchmark.onnx_graph import to_onnx

    made = to_onnx(schema.read_model(arguments["model"]))
    (folder / FLOAT_FILE).write_bytes(made.SerializeToString())
    quantize_dynamic(folder / FLOAT_FILE, folder / INT8_FILE, weight_type=QuantType.QInt8)
    return {}


PEER = OnnxRuntime()
