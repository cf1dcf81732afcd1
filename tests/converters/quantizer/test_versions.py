"""Against `tensorflow/compiler/mlir/lite/tools/versioning/op_version.cc` (TensorFlow 2.21), case by case."""

from types import SimpleNamespace
from typing import Any

import pytest

from converters.quantizer.versions import Signature, version_of


def signature(
    *inputs: str, output: str = "", per_channel: bool = False, rank: int = 3, **options: Any
) -> Signature:
    scales = options.pop("scales", (0.1, 0.1, 0.1))
    return Signature(
        inputs, output or inputs[0], (rank,) * len(inputs), scales, per_channel, SimpleNamespace(**options)
    )


FC = {"keepNumDims": False, "asymmetricQuantizeInputs": False}
LSTM = {"asymmetricQuantizeInputs": False}
CUT = {"offset": False, "ellipsisMask": 0, "newAxisMask": 0}


@pytest.mark.parametrize(
    ("name", "given", "version"),
    [
        ("ADD", signature("float32", "float32", potScaleInt16=True), 1),
        ("ADD", signature("int8", "int8", potScaleInt16=True), 2),
        ("ADD", signature("int16", "int16", potScaleInt16=True), 1),
        ("ADD", signature("int16", "int16", potScaleInt16=False), 3),
        ("AVERAGE_POOL_2D", signature("int8"), 2),
        ("BATCH_MATMUL", signature("int8", "int8"), 2),
        ("BROADCAST_TO", signature("float32", "int32"), 2),
        ("BROADCAST_TO", signature("int8", "int32"), 3),
        ("CONV_2D", signature("int8", "int8", "int32"), 3),
        ("CONV_2D", signature("float32", "float32", "float32"), 1),
        ("DEPTHWISE_CONV_2D", signature("int8", "int8", "int32", dilationWFactor=2, dilationHFactor=1), 3),
        ("DEPTHWISE_CONV_2D", signature("float32", "float32", dilationWFactor=2, dilationHFactor=1), 2),
        ("DEPTHWISE_CONV_2D", signature("float32", "float32", dilationWFactor=1, dilationHFactor=1), 1),
        ("LEAKY_RELU", signature("int8"), 1),
        ("MAXIMUM", signature("int8", "int8"), 2),
        ("MAX_POOL_2D", signature("int8"), 2),
        ("MINIMUM", signature("int8", "int8"), 2),
        ("PAD", signature("int8", "int32"), 2),
        ("REDUCE_MAX", signature("int8", "int32"), 2),
        ("RELU", signature("int8"), 2),
        ("RELU6", signature("int8"), 2),
        ("SUB", signature("int8", "int8"), 2),
        ("SUM", signature("int8", "int32"), 2),
        ("TILE", signature("int8", "int32"), 3),
        ("BATCH_MATMUL", signature("int16", "int16"), 3),
        ("CAST", signature("int8", output="int16"), 3),
        ("CONCATENATION", signature("int16", "int16"), 3),
        ("DEQUANTIZE", signature("int8", output="float32"), 2),
        ("DEQUANTIZE", signature("int16", output="float32"), 3),
        ("DEQUANTIZE", signature("float16", output="float32"), 3),
        ("FULLY_CONNECTED", signature("float32", "float32", "float32", **FC), 1),
        ("FULLY_CONNECTED", signature("int8", "int8", "int32", **FC), 4),
        ("FULLY_CONNECTED", signature("int8", "int8", **FC), 6),
        ("FULLY_CONNECTED", signature("int8", "int8", "", **{**FC, "keepNumDims": True}), 5),
        ("FULLY_CONNECTED", signature("int16", "int8", "int64", **{**FC, "keepNumDims": True}), 5),
        ("FULLY_CONNECTED", signature("float32", "int8", "", **FC), 3),
        ("FULLY_CONNECTED", signature("float32", "int8", "", **{**FC, "asymmetricQuantizeInputs": True}), 9),
        ("FULLY_CONNECTED", signature("float32", "int8", "", per_channel=True, **FC), 12),
        ("GATHER", signature("int8", "int32", batchDims=0), 2),
        ("GATHER", signature("int16", "int32", batchDims=0), 4),
        ("GATHER", signature("int8", "int32", batchDims=1), 5),
        ("L2_NORMALIZATION", signature("int8"), 2),
        ("MEAN", signature("int16", "int32"), 3),
        ("MUL", signature("int8", "int8"), 2),
        ("MUL", signature("int8", "int8", scales=(0.5, 0.5, 0.25)), 3),
        ("MUL", signature("int16", "int16", scales=(0.5, 0.5, 0.25)), 4),
        ("MUL", signature("float32", "float32", scales=(0.0, 0.0, 0.0)), 1),
        ("QUANTIZE", signature("float32", output="int8"), 1),
        ("QUANTIZE", signature("int8", output="int16"), 2),
        ("QUANTIZE", signature("int16", output="int8"), 1),
        ("RESHAPE", signature("int16", "int32"), 1),
        ("REVERSE_V2", signature("int8", "int32"), 3),
        ("REVERSE_V2", signature("int16", "int32"), 1),
        ("SELECT_V2", signature("bool", "int16", "int16"), 1),
        ("SLICE", signature("int8", "int32", "int32"), 2),
        ("SLICE", signature("int16", "int32", "int32"), 4),
        ("SLICE", signature("int8", "int32", "int32", rank=5), 5),
        ("SOFTMAX", signature("int16"), 3),
        ("STRIDED_SLICE", signature("int8", **CUT), 2),
        ("STRIDED_SLICE", signature("int16", **CUT), 1),
        ("STRIDED_SLICE", signature("int8", rank=5, **CUT), 4),
        ("STRIDED_SLICE", signature("int8", **{**CUT, "newAxisMask": 1}), 6),
        ("STRIDED_SLICE", signature("int8", **{**CUT, "offset": True}), 8),
        ("TANH", signature("int8"), 2),
        ("TANH", signature("int16"), 3),
        ("TRANSPOSE", signature("int8", "int32"), 2),
        ("TRANSPOSE", signature("int8", "int32", rank=5), 4),
        ("TRANSPOSE", signature("int16", "int32", rank=5), 5),
        ("TRANSPOSE", signature("int8", "int32", rank=6), 6),
        ("UNIDIRECTIONAL_SEQUENCE_LSTM", signature("int8", "int8", **LSTM), 1),
        ("UNIDIRECTIONAL_SEQUENCE_LSTM", signature("float32", "int8", **LSTM), 2),
        ("UNIDIRECTIONAL_SEQUENCE_LSTM", signature("float32", "int8", asymmetricQuantizeInputs=True), 3),
        ("UNIDIRECTIONAL_SEQUENCE_LSTM", signature("float32", "float32", **LSTM), 1),
    ],
)
def test_the_version_of_a_signature(name: str, given: Signature, version: int) -> None:
    assert version_of(name, given) == version
