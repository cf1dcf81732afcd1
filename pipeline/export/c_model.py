"""The C source of a model: its bytes, its constants, and from raw measurements to its input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from converters import schema
from converters.metadata import LENGTHS, signature_of
from models.errors import InputError
from pipeline.export import c_text
from pipeline.export.micro import arena_bytes, resolver_ops


@dataclass(frozen=True)
class Border:
    """An input or output: its place among the interpreter's, its type, and what its integers mean."""

    name: str
    place: int
    dtype: str
    size: int
    scale: float
    zero_point: int


def borders(content: bytes) -> tuple[list[Border], list[Border]]:
    """Inputs and outputs by the signature's names; scale 0 where integers are counts, as of `lengths`."""
    model = schema.read_model(content)
    graph, signature = model.subgraphs[0], signature_of(model)

    def side(entries: Any, places: list[int]) -> list[Border]:
        found = []
        for entry in entries:
            tensor = graph.tensors[entry.tensorIndex]
            record = schema.scale_and_zero_point(tensor) or (0.0, 0)
            found.append(
                Border(
                    schema.name(entry),
                    places.index(entry.tensorIndex),
                    schema.tensor_type_name(tensor),
                    schema.elements(tensor),
                    *record,
                )
            )
        return sorted(found, key=lambda one: one.place)

    return side(signature.inputs, schema.indices(graph.inputs)), side(
        signature.outputs, schema.indices(graph.outputs)
    )


def checksum(content: bytes) -> int:
    """FNV-1a, 32 bits, as fuselage_check.c computes it."""
    value = 2166136261
    for byte in content:
        value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return value


def header(content: bytes, metadata: dict[str, Any]) -> str:
    """fuselage_model.h."""
    model, rule = schema.read_model(content), metadata["preprocessing"]
    inputs, outputs = borders(content)
    ops, task = resolver_ops(model), metadata.get("task", "classification")
    regression = task == "regression"
    said = "\n".join(_border("INPUT", one) for one in inputs) + "\n"
    said += "\n".join(_border("OUTPUT", one) for one in outputs)
    targets = (
        "/* Of a regression: a value in the user's units is dequantized * target_std + target_mean. */\n"
        "extern const float fuselage_target_mean[FUSELAGE_NAMES];\n"
        "extern const float fuselage_target_std[FUSELAGE_NAMES];\n"
        "extern const char *const fuselage_target_units[FUSELAGE_NAMES];\n\n"
        if regression
        else ""
    )
    rate = metadata.get("sample_rate_hz") or 0.0
    return f"""\
/* A model of fuselage for TensorFlow Lite Micro. Made by `pipeline export c`; do not edit. */
#ifndef FUSELAGE_MODEL_H
#define FUSELAGE_MODEL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {{
#endif

/* The .tflite file, aligned to 16 bytes; keep it in flash. */
#define FUSELAGE_MODEL_SIZE {len(content)}
#define FUSELAGE_MODEL_CHECKSUM {checksum(content)}u /* FNV-1a, 32 bits */
extern const unsigned char fuselage_model[FUSELAGE_MODEL_SIZE];

/* The ops, for tflite::MicroMutableOpResolver<FUSELAGE_OP_COUNT>:
     #define FUSELAGE_ADD(op) resolver.Add##op();
     FUSELAGE_OPS(FUSELAGE_ADD) */
#define FUSELAGE_OP_COUNT {len(ops)}
#define FUSELAGE_OPS(X) {" ".join(f"X({op})" for op in ops)}

/* Bytes; an upper estimate from the sizes and lifetimes of the tensors, not a measurement. Begin with it,
   then ask the interpreter: arena_used_bytes(). */
#define FUSELAGE_ARENA_ESTIMATE {arena_bytes(model)}

/* The LSTM's state survives Invoke(). Before EVERY window: interpreter.Reset(). */

#define FUSELAGE_TASK {c_text.text(task)}
#define FUSELAGE_STEPS {rule["steps"]}
#define FUSELAGE_FEATURES {rule["features"]}
#define FUSELAGE_SAMPLE_RATE_HZ {c_text.number(rate)} /* 0: not known */
#define FUSELAGE_NAMES {len(metadata["class_names"])} /* classes, labels or targets */

/* Inputs and outputs: place, number of elements, and real = SCALE * (q - ZERO_POINT). */
{said}

extern const float fuselage_mean[FUSELAGE_FEATURES];
extern const float fuselage_std[FUSELAGE_FEATURES];
extern const char *const fuselage_names[FUSELAGE_NAMES]; /* UTF-8, in the order of the outputs */
extern const char *const fuselage_channel_names[FUSELAGE_FEATURES];
extern const char *const fuselage_channel_units[FUSELAGE_FEATURES];

{targets}/* From raw measurements to the input `features`.
     raw       [steps][FUSELAGE_FEATURES], in the channels' units
     steps     {_steps(rule)}
     features  [FUSELAGE_STEPS][FUSELAGE_FEATURES]
   Returns 0, or 1 where the number of steps is not allowed or a value is not finite; then features are not
   to be used. */
int fuselage_quantize(const float *raw, int steps, int8_t *features);

#ifdef __cplusplus
}}
#endif

#endif
"""


def _steps(rule: dict[str, Any]) -> str:
    return {
        "none": "FUSELAGE_STEPS",
        "front": "1 to FUSELAGE_STEPS; zeros are put in front of fewer",
        "end": "1 to FUSELAGE_STEPS; zeros are put behind fewer, and the input `lengths` is to be told",
    }[rule["padding"]]


def _border(kind: str, one: Border) -> str:
    name = f"FUSELAGE_{kind}_{one.name.upper()}"
    lines = [
        f"#define {name} {one.place} /* {one.dtype} */",
        f"#define {name}_SIZE {one.size}",
    ]
    if one.scale:
        lines += [
            f"#define {name}_SCALE {c_text.number(one.scale)}",
            f"#define {name}_ZERO_POINT ({one.zero_point})",
        ]
    return "\n".join(lines)


_ALIGNED = """\
#if defined(__cplusplus)
#define ALIGNED alignas(16)
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define ALIGNED _Alignas(16)
#elif defined(__GNUC__)
#define ALIGNED __attribute__((aligned(16)))
#else
#error "Tell this compiler how to align the model to 16 bytes."
#endif

"""

_QUANTIZE = """
/* features = clip(round((raw - mean) / std / scale) + zero point), in float, halves to even. */
int fuselage_quantize(const float *raw, int steps, int8_t *features) {
    int first = %(first)s, step, channel;
    if (steps < %(least)s || steps > FUSELAGE_STEPS) return 1;
    for (step = 0; step < FUSELAGE_STEPS * FUSELAGE_FEATURES; ++step)
        features[step] = FUSELAGE_INPUT_FEATURES_ZERO_POINT; /* a real 0 */
    for (step = 0; step < steps; ++step)
        for (channel = 0; channel < FUSELAGE_FEATURES; ++channel) {
            float value = raw[step * FUSELAGE_FEATURES + channel];
            float standardized = (value - fuselage_mean[channel]) / fuselage_std[channel];
            float q = rintf(standardized / FUSELAGE_INPUT_FEATURES_SCALE)
                      + (float)FUSELAGE_INPUT_FEATURES_ZERO_POINT;
            if (!isfinite(standardized)) return 1;
            q = q < -128.0f ? -128.0f : q > 127.0f ? 127.0f : q;
            features[(first + step) * FUSELAGE_FEATURES + channel] = (int8_t)q;
        }
    return 0;
}
"""


def source(content: bytes, metadata: dict[str, Any]) -> str:
    """fuselage_model.c.

    Raises:
        InputError: the window is not int8.
    """
    rule = metadata["preprocessing"]
    features = next(one for one in borders(content)[0] if one.name != LENGTHS)
    if features.dtype != "int8":
        raise InputError(f"The model takes {features.dtype} windows; a microcontroller's are int8.")
    parts = [
        "/* Made by `pipeline export c`; do not edit. */\n"
        '#include "fuselage_model.h"\n\n#include <math.h>\n\n',
        _ALIGNED,
        c_text.array("fuselage_model", np.frombuffer(content, np.uint8), "ALIGNED const "),
        "\n",
        c_text.array("fuselage_mean", np.array(rule["mean"], np.float32)),
        c_text.array("fuselage_std", np.array(rule["std"], np.float32)),
        c_text.texts("fuselage_names", metadata["class_names"]),
        c_text.texts("fuselage_channel_names", metadata["channel_names"]),
        c_text.texts("fuselage_channel_units", metadata["channel_units"]),
    ]
    if "target_mean" in rule:
        parts += [
            c_text.array("fuselage_target_mean", np.array(rule["target_mean"], np.float32)),
            c_text.array("fuselage_target_std", np.array(rule["target_std"], np.float32)),
            c_text.texts("fuselage_target_units", metadata["target_units"]),
        ]
    first = {"front": "FUSELAGE_STEPS - steps"}.get(rule["padding"], "0")
    least = "FUSELAGE_STEPS" if rule["padding"] == "none" else "1"
    return "".join([*parts, _QUANTIZE % {"first": first, "least": least}])
