"""The job of the child process: run a file, look inside, and write down what was seen as numbers."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import resource
from pathlib import Path
from typing import Any

import numpy as np

from converters import schema
from converters.findings import float_lstm, samples, scales
from converters.findings.interpreter import Laboratory, Seen
from converters.findings.measurement import LstmMeasurement, Measurement, OutputChange, RowSums
from converters.inputs import lengths_place, lengths_taken, windows_place
from converters.integer_lstm import IntegerLstm
from converters.lstm_op import LstmNode, lstm_nodes
from models.errors import InputError, VerificationError

ADDRESS_SPACE_BYTES = 8 << 30  # a file that asks for more is stopped here, not by the machine


def job(folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
    """Measure `model.tflite` of the folder, on `windows.npy` and `lengths.npy` if they are there."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_BYTES, resource.RLIM_INFINITY))
    content = (folder / "model.tflite").read_bytes()
    windows, lengths = (
        np.load(given, allow_pickle=False) if given.exists() else None
        for given in (folder / "windows.npy", folder / "lengths.npy")
    )
    laboratory = Laboratory(arguments["limit_s"])
    return dataclasses.asdict(run(content, windows, arguments["name"], laboratory, lengths))


def run(
    content: bytes,
    windows: np.ndarray | None = None,
    name: str = "",
    laboratory: Laboratory | None = None,
    lengths: np.ndarray | None = None,
) -> Measurement:
    """As `measurement.measure`, in this process.

    Raises:
        InputError: the windows do not fit the model's input.
    """
    model = schema.read_model(content)
    laboratory = laboratory or Laboratory()
    if windows is not None:
        inputs = _fitted(model, windows, lengths)
    else:
        try:
            inputs = samples.seeded(model)
        except InputError as error:
            return Measurement(skipped=error.message)
    try:
        memory_bytes = laboratory.memory_bytes(content, model)
        seen = laboratory.run(content, model, inputs)
    except VerificationError as error:
        return Measurement(refused=error.message)
    count = len(next(iter(seen.values()))) if seen else 0
    nodes = [node if node.subgraph is model.subgraphs[0] else None for node in lstm_nodes(model)]
    tied: Seen | None = None
    if any(node is not None and scales.untied(model, node) for node in nodes):
        with contextlib.suppress(VerificationError):  # then the effect is not known
            same = [values[:count] for values in inputs]
            tied = laboratory.run(scales.tie(content), model, same, patient=True)
    return Measurement(
        inputs=f"{count} windows of {name}" if name else f"{count} seeded inputs",
        real_data=windows is not None,
        memory_bytes=memory_bytes,
        lstms=tuple(_lstm(model, place, node, seen, tied) for place, node in enumerate(nodes)),
        changes=_changes(model, seen, tied) if tied is not None else (),
        row_sums=_row_sums(model, seen),
    )


def _fitted(model: schema.ModelT, windows: np.ndarray, lengths: np.ndarray | None) -> list[np.ndarray]:
    """Each input [n, batch, ...] of windows [n, ...]; all is repeated where the batch is larger than 1."""
    graph = model.subgraphs[0]
    place = windows_place(model, "The model")
    batch, *shape = schema.shape(graph.tensors[place]) or (1,)
    if tuple(shape) != windows.shape[1:] or not len(windows):
        got = f"{len(windows)} of {list(windows.shape[1:])}"
        raise InputError(f"The model takes windows of shape {shape}, got {got}.")
    told = None
    if lengths is not None or lengths_place(model) is not None:
        told = lengths_taken(model, lengths, len(windows), shape[0], "The model")
    given = {index: windows if index == place else told for index in schema.indices(graph.inputs)}
    return [np.repeat(one[:, np.newaxis], batch, axis=1) for one in given.values() if one is not None]


def _lstm(
    model: schema.ModelT, place: int, node: LstmNode | None, seen: Seen, tied: Seen | None
) -> LstmMeasurement:
    """What can be said of the LSTM at this place of the file; None for one outside of the main graph."""
    if node is None:
        return LstmMeasurement()
    truth, counted = _truth(model, node, seen), _counted(model, node, seen)
    cell = None if truth is None else np.abs(truth[1][counted])
    saturated = clipped = None
    if schema.is_float(node.input):
        clipped = float((cell > node.cell_clip).mean()) if cell is not None and node.cell_clip else None
    else:
        with contextlib.suppress(InputError):  # parts Keras has not, or a cell scale without a tanh
            trace = IntegerLstm.from_model(model, place).run(_batch_first(node, seen[_input(node)]))
            saturated, clipped = (
                float(one[counted].mean()) for one in (trace.cell_saturated, trace.cell_clipped)
            )
    return LstmMeasurement(
        error=_error(node, truth, seen, counted),
        error_if_tied=_error(node, _truth(model, node, tied), tied, counted),
        cell_saturated=saturated,
        cell_clipped=clipped,
        largest_cell=None if cell is None else _finite(cell.max(initial=0)),
    )


def _truth(model: schema.ModelT, node: LstmNode, seen: Seen | None) -> tuple[np.ndarray, np.ndarray] | None:
    """The float LSTM on what the file's LSTM got; behind another LSTM that is not the same when tied."""
    if seen is None:
        return None
    return float_lstm.run(model, node, _batch_first(node, samples.real(node.input, seen[_input(node)])))


def _counted(model: schema.ModelT, node: LstmNode, seen: Seen) -> np.ndarray:
    """Which steps of an LSTM's windows are no padding, [n * batch, time] bool: all without lengths."""
    shape = _batch_first(node, seen[_input(node)]).shape[:2]
    told = lengths_place(model)
    if told is None or seen[told].size != shape[0]:  # an LSTM that runs other rows than the model's windows
        return np.ones(shape, np.bool_)
    return np.asarray(np.arange(shape[1]) < seen[told].reshape(-1, 1))


def _error(
    node: LstmNode,
    truth: tuple[np.ndarray, np.ndarray] | None,
    seen: Seen | None,
    counted: np.ndarray,
) -> float | None:
    if truth is None or seen is None or not truth[0][counted].std() > 0:
        return None
    hidden = _batch_first(node, samples.real(node.output, seen[int(node.operator.outputs[0])]))
    right = truth[0][counted]
    return _finite(np.sqrt(np.mean((hidden[counted] - right) ** 2)) / right.std())


def _input(node: LstmNode) -> int:
    return int(node.operator.inputs[0])


def _batch_first(node: LstmNode, values: np.ndarray) -> np.ndarray:
    """[n, batch, time, ...] or [n, time, batch, ...] -> [n * batch, time, ...]."""
    if node.operator.builtinOptions.timeMajor:
        values = values.swapaxes(1, 2)
    return values.reshape(-1, *values.shape[2:])


def _changes(model: schema.ModelT, seen: Seen, tied: Seen) -> tuple[OutputChange, ...]:
    """How far each output moves when the scales are tied."""
    found = []
    for index in schema.indices(model.subgraphs[0].outputs):
        if index in seen:
            tensor = model.subgraphs[0].tensors[index]
            before, after = (samples.real(tensor, values[index]) for values in (seen, tied))
            largest, spread = _finite(np.abs(after - before).max(initial=0)), _finite(before.std())
            if largest is not None and spread is not None:
                found.append(OutputChange(scales.shown_name(model, index), largest, spread))
    return tuple(found)


def _row_sums(model: schema.ModelT, seen: Seen) -> tuple[RowSums, ...]:
    graph, found = model.subgraphs[0], []
    for operator in schema.operators(model, graph, "SOFTMAX"):
        for index in schema.indices(operator.outputs)[:1]:
            tensor = graph.tensors[index]
            if not schema.is_float(tensor) and index in seen and seen[index].size:
                sums = samples.real(tensor, seen[index]).sum(axis=-1)
                found.append(RowSums(index, float(sums.min()), float(sums.max())))
    return tuple(found)


def _finite(value: Any) -> float | None:
    """A number as JSON takes it; None for NaN and infinities."""
    return float(value) if math.isfinite(value) else None
