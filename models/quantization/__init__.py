"""Fake-quantized twins of the layers, and the way from a trained twin back to a plain model with ranges.

``quantize_model(model)`` is the front door; TensorFlow is imported when it is opened.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.quantization.calibration import calibrate
    from models.quantization.tfmot import FusedLstmQuantizeScheme, quantize_annotate, quantize_model

__all__ = ["FusedLstmQuantizeScheme", "calibrate", "quantize_annotate", "quantize_model"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        module = "calibration" if name == "calibrate" else "tfmot"
        return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
