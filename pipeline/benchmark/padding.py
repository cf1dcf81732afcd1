"""Sizes of an int8 LSTM that leave Arm's kernel a rest, and what more features or units would do.

On Arm the int8 kernel multiplies a row of weights with a vector in blocks of 16 bytes, then of 8, and what is
left one by one (`NeonMatrixBatchVectorMultiplyImpl` in TFLite's neon_tensor_utils.cc). The rows of the input
weights are as long as there are features, those of the recurrent weights as there are units. Whether zeros up
to the next multiple of 8 pay is no matter of course: more units make every recurrent row longer, and there
are more rows. So each variant is counted, and only what was counted is recommended.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from converters import schema
from converters.excerpt import alone
from converters.lstm_op import FUSED_LSTM, LstmNode
from converters.lstm_padding import padded_lstm
from models.errors import FuselageError
from pipeline.benchmark.instructions import Counter, window_of
from pipeline.benchmark.result import Instructions, Padding
from pipeline.benchmark.subjects import Subject

BLOCK = 8
INT8 = "int8 8x8_16"
NOT_COUNTED = "instructions were not counted (--instructions)"

def rest(size: int) -> int:
    """How many of `size` values the kernel does one by one."""
    return size % BLOCK


def rounded_up(size: int) -> int:
    """The next multiple of the kernel's block."""
    return size + -size % BLOCK


def variants(features: int, units: int) -> list[tuple[int, int]]:
    """Sizes to try: the features rounded up, the units, both; without the sizes as they are."""
    more = [
        (rounded_up(features), units),
        (features, rounded_up(units)),
        (rounded_up(features), rounded_up(units)),
    ]
    return [sizes for sizes in dict.fromkeys(more) if sizes != (features, units)]


def paddings(subject: Subject, counter: Counter | None) -> Iterator[Padding]:
    """One for each fused int8 LSTM of the main graph whose features or units leave a rest.

    Args:
        counter: counts instructions; None: nothing is counted, and nothing recommended.
    """
    graph = subject.model.subgraphs[0]
    for place, operator in enumerate(graph.operators or []):
        if schema.operator_name(subject.model, operator) != FUSED_LSTM:
            continue
        node = LstmNode(operator, graph)
        units, features = schema.shape(node.input_weights["output"])
        if node.kind != INT8 or not (rest(features) or rest(units)):
            continue
        found = Padding(subject.name, schema.name(node.output), features, units, skipped=NOT_COUNTED)
        yield found if counter is None else _counted(subject.model, place, found, counter)


def _counted(model: schema.ModelT, place: int, found: Padding, counter: Counter) -> Padding:
    """The same with the instructions of the LSTM alone, as it is and padded."""
    try:
        as_it_is = _count(alone(model, place), counter)
        more = tuple(
            (features, units, _count(padded_lstm(model, place, features, units), counter).inference)
            for features, units in variants(found.features, found.units)
        )
    except FuselageError as error:
        return replace(found, skipped=error.message)
    return replace(found, cpu=as_it_is.cpu, instructions=as_it_is.inference, variants=more, skipped="")


def _count(model: schema.ModelT, counter: Counter) -> Instructions:
    windows = window_of(model, "The LSTM")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "lstm.tflite")
        path.write_bytes(schema.write_model(model))
        return counter(path, windows)
