"""What our models say about themselves: one JSON metadata buffer inside the .tflite.

The layout is documented in docs/tflite-file.md. It is ours and not the standard TFLite Metadata schema:
the one library that writes that, tflite-support, ended with 0.4.4 (2023), asks for protobuf < 4 and does
not import beside the protobuf 7 that TensorFlow 2.21 brings; ai-edge-litert 2.3 ships no writer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from converters import schema
from models.config import output_name
from models.errors import ConversionError, InputError

METADATA_NAME = "FUSELAGE_METADATA"
METADATA_FORMAT = "fuselage-metadata"
METADATA_VERSION = 1
CHECKSUM = "sha256"
"""Of the whole file with these 64 hexadecimal digits taken as zeros; `pipeline.runtime` verifies it."""
LENGTHS = "lengths"
"""The second input of a model for sequences of different length: how many steps count, [1] int32."""
SIGNATURE_KEY = "serving_default"
STATE_RULE = (
    "The LSTM's hidden and cell state are variable tensors and survive invoke(). "
    "Call reset_all_variables() (Java: resetVariableTensors()) after allocate_tensors() and before every "
    "window. Signature runners do not reset."
)

_REQUIRED = ("name", "class_names", "channel_names", "preprocessing", "provenance")


def attach_metadata(model: bytes, metadata: Mapping[str, Any]) -> bytes:
    """Store our metadata in a model; other metadata entries stay, an older one of ours is replaced.

    Args:
        model: content of a .tflite with the signature `serving_default`.
        metadata: the document of docs/tflite-file.md. `format`, `version`, `signature` and `state_rule`
            are filled in where they are absent, `sha256` always.

    Raises:
        ConversionError: the document lacks a field, is no JSON, or contradicts the model's shapes.
        InputError: the content is no model.
    """
    unpacked = schema.read_model(model)
    outputs = describe_outputs(unpacked)
    inputs = _signature_tensors(unpacked, "inputs")
    lengths = inputs.pop(LENGTHS, None) if len(inputs) == 2 else None
    if len(inputs) != 1:
        raise ConversionError(
            f"The model has {len(inputs)} inputs; the metadata describes models with one, "
            f"and perhaps '{LENGTHS}' beside it."
        )
    document = {"format": METADATA_FORMAT, "version": METADATA_VERSION, **metadata}
    ((input_name, input_tensor),) = inputs.items()
    shapes = {one["name"]: one["shape"] for one in outputs}
    more = {} if lengths is None else {"lengths": LENGTHS}
    document.setdefault("signature", {"input": input_name, **more, "outputs": list(shapes)})
    document.setdefault("state_rule", STATE_RULE)
    _check(document, schema.shape(input_tensor), shapes)
    _check_lengths(document["preprocessing"].get("padding"), lengths)
    return write_sealed(unpacked, document)


def write_sealed(unpacked: schema.ModelT, document: Mapping[str, Any]) -> bytes:
    """Pack a model with this metadata and the checksum over all of it.

    Args:
        unpacked: it gets the metadata entry, if it has none.
        document: written as it is but for `sha256`; `attach_metadata` holds it against the model first.

    Raises:
        ConversionError: the document is no JSON.
    """
    # Any text that stands nowhere else will do until the checksum is known.
    token = hashlib.sha256(b"checksum of " + schema.write_model(unpacked)).hexdigest()
    document = {**document, CHECKSUM: token}
    try:
        content = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1).encode("utf-8")
    except (TypeError, ValueError) as error:
        raise ConversionError(f"The metadata cannot be written as JSON: {error}.") from error
    entry = _entry(unpacked)
    if entry is None:
        entry = schema.MetadataT()
        entry.name = METADATA_NAME
        entry.buffer = len(unpacked.buffers)
        unpacked.buffers.append(schema.BufferT())
        unpacked.metadata = [*(unpacked.metadata or []), entry]
    unpacked.buffers[entry.buffer].data = np.frombuffer(content, np.uint8)
    packed, held = schema.write_model(unpacked), token.encode("ascii")
    checksum = hashlib.sha256(packed.replace(held, b"0" * len(held))).hexdigest()
    return packed.replace(held, checksum.encode("ascii"))


def seal(model: bytes) -> bytes:
    """Renew the checksum of a model that was changed on purpose; one without our metadata stays as it is.

    Raises:
        ConversionError: the metadata does not fit the model any more.
        InputError: the content is no model, or its metadata is damaged.
    """
    document = read_metadata(model)
    return model if document is None else attach_metadata(model, document)


def read_metadata(source: schema.Source) -> dict[str, Any] | None:
    """Return our metadata, or None for a model that has none.

    Raises:
        InputError: the model cannot be read, or its metadata is damaged or of a later version.
    """
    model = schema.read_model(source)
    entry = _entry(model)
    if entry is None:
        return None
    data = model.buffers[entry.buffer].data
    try:
        document = json.loads(bytes(data if data is not None else b"").decode("utf-8"))
        json.dumps(document, ensure_ascii=False).encode("utf-8")  # "\\ud800", half a character, is no text
    except (ValueError, RecursionError) as error:
        raise InputError(f"The model's {METADATA_NAME} is not JSON: {error}.") from error
    if not isinstance(document, dict) or document.get("format") != METADATA_FORMAT:
        raise InputError(f"The model's {METADATA_NAME} is not in the format '{METADATA_FORMAT}'.")
    if document.get("version") != METADATA_VERSION:
        raise InputError(
            f"The model's metadata has version {document.get('version')!r}, this release reads "
            f"{METADATA_VERSION}.",
            "Read it with the release that wrote it (its `provenance` names it), or build the model again.",
        )
    return document


def describe_outputs(source: schema.Source) -> list[dict[str, Any]]:
    """Describe the outputs of the signature `serving_default`: JSON-able, in the signature's order.

    `scale` and `zero_point` are those of the int8 values, real = scale * (q - zero_point): the output's
    own, or of the tensor that DEQUANTIZE turns into it; None where it is computed in float.

    Raises:
        ConversionError: the model has no such signature.
        InputError: the model cannot be read.
    """
    model = schema.read_model(source)
    graph = model.subgraphs[signature_of(model).subgraphIndex]
    before = {
        id(graph.tensors[operator.outputs[0]]): graph.tensors[operator.inputs[0]]
        for operator in schema.operators(model, graph, "DEQUANTIZE")
    }
    described = []
    for name, tensor in _signature_tensors(model, "outputs").items():
        record = schema.scale_and_zero_point(before.get(id(tensor), tensor))
        scale, zero_point = record if record is not None else (None, None)
        described.append(
            {
                "name": name,
                "dtype": schema.tensor_type_name(tensor),
                "shape": list(schema.shape(tensor)),
                "scale": scale,
                "zero_point": zero_point,
            }
        )
    return described


def _check(
    document: Mapping[str, Any], input_shape: tuple[int, ...], shapes: Mapping[str, list[int]]
) -> None:
    """Raise where the document lacks a field or does not fit the model."""
    missing = [field for field in _REQUIRED if field not in document]
    if missing:
        raise ConversionError(f"The metadata lacks {', '.join(missing)}.")
    preprocessing = document["preprocessing"]
    steps, features = preprocessing["steps"], preprocessing["features"]
    contradictions = []
    if input_shape != (1, steps, features):
        contradictions.append(f"its input is {list(input_shape)}, the metadata says {[1, steps, features]}")
    answer = shapes.get(output_name(document.get("task", "classification")))
    lengths = {
        "class_names": len(document["class_names"]) if answer is None else answer[-1],
        "channel_names": features,
        "preprocessing.mean": features,
        "preprocessing.std": features,
    }
    for field, length in lengths.items():
        holder, key = (preprocessing, field.split(".")[1]) if "." in field else (document, field)
        if len(holder[key]) != length:
            contradictions.append(f"{field} has {len(holder[key])} entries, the model needs {length}")
    if contradictions:
        raise ConversionError(f"The metadata does not fit the model: {'; '.join(contradictions)}.")


def _check_lengths(padding: str | None, lengths: schema.TensorT | None) -> None:
    """Raise unless a model that pads at the end is told the length, and no other."""
    if (padding == "end") != (lengths is not None):
        has = "no input" if lengths is None else "an input"
        raise ConversionError(f"The model has {has} '{LENGTHS}', and its padding is {padding!r}.")
    if lengths is not None and (schema.shape(lengths), schema.tensor_type_name(lengths)) != ((1,), "int32"):
        shown = f"{schema.tensor_type_name(lengths)} {list(schema.shape(lengths))}"
        raise ConversionError(f"The input '{LENGTHS}' is {shown}; needed is int32 [1].")


def _entry(model: schema.ModelT) -> schema.MetadataT | None:
    """The metadata entry that is ours."""
    return next((entry for entry in model.metadata or [] if schema.name(entry) == METADATA_NAME), None)


def signature_of(model: schema.ModelT) -> Any:
    """The signature `serving_default`."""
    for signature in model.signatureDefs or []:
        if schema.text(signature.signatureKey) == SIGNATURE_KEY:
            return signature
    raise ConversionError(f"The model has no signature '{SIGNATURE_KEY}'.", "Convert it from a SavedModel.")


def _signature_tensors(model: schema.ModelT, side: str) -> dict[str, schema.TensorT]:
    """The tensors of the signature's "inputs" or "outputs" by name."""
    signature = signature_of(model)
    tensors = model.subgraphs[signature.subgraphIndex].tensors
    return {schema.name(entry): tensors[entry.tensorIndex] for entry in getattr(signature, side) or []}
