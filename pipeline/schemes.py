"""The schemes of a build: which files it makes, what they are called, and which are held to the limits."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.config import QuantizeConfig

FLOAT32 = "float32"


@dataclass(frozen=True)
class Scheme:
    """One way to store and compute the model.

    Args:
        name: as reports and JSON have it: "float32", "float16", "dynamic", "int8", "int8-attention-int16",
            "int8-attention-float32".
        file: the name of its file.
        conversion: how it is made: "float32", "float16", "dynamic" or "int8".
        attention: the precision of the attention beside an int8 LSTM; None of the other schemes.
        asked: whether the build was asked for it, so that it counts for the verdict.
    """

    name: str
    file: str
    conversion: str
    attention: str | None
    asked: bool

    @property
    def lstm_kind(self) -> str:
        """What its fused LSTMs compute in, as `converters.summary` names it."""
        return {"dynamic": "hybrid", "int8": "int8 8x8_16"}.get(self.conversion, FLOAT32)

    @property
    def weight_error(self) -> float:
        """Largest error of an LSTM weight, as a share of what int8 does to it: half a step of max/127."""
        return _WEIGHT_ERRORS.get(self.name, 1.0)


_BITS = {"int16": 16, "float32": 32}
# In half precision a weight has 11 bits: it is off by at most 2^-11 of itself; in int8 by 2^-8 of the
# largest one of its matrix.
_WEIGHT_ERRORS = {FLOAT32: 0.0, "float16": 2.0**-3}


def schemes_of(config: QuantizeConfig) -> tuple[Scheme, ...]:
    """The schemes of a build: float32 first, which is always made, then as they were asked for."""
    found = [Scheme(FLOAT32, "model_float32.tflite", FLOAT32, None, FLOAT32 in config.scheme)]
    for name in config.scheme:
        if name == "int8":
            found += [_int8(attention) for attention in config.attention_precision]
        elif name != FLOAT32:
            found.append(Scheme(name, f"model_{name}.tflite", name, None, True))
    return tuple(found)


def attention_precisions(config: QuantizeConfig) -> tuple[str, ...]:
    """The precisions of the attention for which a twin has to be trained; none without an int8 scheme."""
    return config.attention_precision if "int8" in config.scheme else ()


def _int8(attention: str) -> Scheme:
    if attention == "int8":
        return Scheme("int8", "model_int8.tflite", "int8", attention, True)
    file = f"model_int8_attention{_BITS[attention]}.tflite"
    return Scheme(f"int8-attention-{attention}", file, "int8", attention, True)
