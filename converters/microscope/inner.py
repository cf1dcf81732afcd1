"""What goes into each fused LSTM of a file, and what comes out: read from the interpreter.

The interpreter runs in a child process, keeps all tensors, and has no delegates, which would hide the
tensors they fuse away. The state is reset before every window.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters import schema
from converters.child import run_in_child
from converters.inputs import lengths_place, lengths_taken, windows_place
from converters.lstm_op import LstmNode, lstm_nodes
from models.errors import FuselageError, InputError

_SAME_VALUES = ("QUANTIZE", "RESHAPE", "REVERSE_V2")


@dataclass(frozen=True, eq=False)
class InnerTensors:
    """Of one fused LSTM, as stored: [windows, time, features] and [windows, time, units]."""

    input: NDArray[Any]
    output: NDArray[Any]


def input_shape(model: schema.ModelT, called: str) -> tuple[int, int, int]:
    """Batch, time and features of the input that takes the windows.

    Raises:
        InputError: other inputs beside it than `lengths`, or one of another kind.
    """
    tensor = model.subgraphs[0].tensors[windows_place(model, called)]
    shape, kind = schema.shape(tensor), schema.tensor_type_name(tensor)
    if len(shape) != 3 or min(shape) < 1 or kind not in ("float32", "int8"):
        raise InputError(
            f"{called} takes {kind} {list(shape)}; needed is float32 or int8 [batch, time, features]."
        )
    return shape[0], shape[1], shape[2]


def run(
    files: Mapping[str, bytes], features: NDArray[np.float32], lengths: NDArray[np.int64] | None = None
) -> dict[str, list[InnerTensors]]:
    """Run files on the same windows and look into their LSTMs.

    Args:
        files: content by what to call the file.
        features: [windows, time, features], as the float input takes them.
        lengths: [windows], how many steps count, for files that are told; None: all.

    Returns:
        by the same names, the LSTMs in the order of ``lstm_nodes``.

    Raises:
        InputError: the interpreter refuses a file, or crashes on it; a file would take padding for steps.
    """

    def crashed(_: int, how: str) -> FuselageError:
        return InputError(
            f"The interpreter does not survive {' or '.join(files)}: its process {how}",
            "Convert the model again.",
        )

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "features.npy", features)
        if lengths is not None:
            np.save(folder / "lengths.npy", lengths)
        for place, content in enumerate(files.values()):
            (folder / f"{place}.tflite").write_bytes(content)
        counts = run_in_child(f"{__name__}:job", folder, {"called": list(files)}, crash=crashed)["lstms"]
        found = {}
        for place, (called, count) in enumerate(zip(files, counts, strict=True)):
            with np.load(folder / f"{place}.npz", allow_pickle=False) as arrays:
                found[called] = [
                    InnerTensors(arrays[f"input{index}"], arrays[f"output{index}"]) for index in range(count)
                ]
    return found


def job(folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
    """In the child: run each `N.tflite` on `features.npy` and write `N.npz`; the result counts the LSTMs."""
    features, counts = np.load(folder / "features.npy", allow_pickle=False), []
    told = folder / "lengths.npy"
    lengths = np.load(told, allow_pickle=False) if told.exists() else None
    for place, called in enumerate(arguments["called"]):
        try:
            found = _look(called, (folder / f"{place}.tflite").read_bytes(), features, lengths)
        except (ValueError, RuntimeError) as error:  # the interpreter's own way to say no
            raise InputError(f"The interpreter refuses {called}: {error}") from error
        arrays = {f"input{index}": one.input for index, one in enumerate(found)}
        arrays |= {f"output{index}": one.output for index, one in enumerate(found)}
        np.savez(folder / f"{place}.npz", allow_pickle=False, **arrays)
        counts.append(len(found))
    return {"lstms": counts}


def _look(
    called: str, content: bytes, features: NDArray[np.float32], lengths: NDArray[np.int64] | None
) -> list[InnerTensors]:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    model = schema.read_model(content)
    batch, *_ = input_shape(model, called)
    place, told = windows_place(model, called), lengths_place(model)
    taken = lengths_taken(model, lengths, len(features), features.shape[1], called)
    nodes = lstm_nodes(model)
    if any(node.subgraph is not model.subgraphs[0] for node in nodes):
        raise InputError(f"{called} has an LSTM inside a loop, which cannot be looked at.")
    interpreter = Interpreter(
        model_content=content,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        experimental_preserve_all_tensors=True,
    )
    interpreter.allocate_tensors()
    seen: list[tuple[list[Any], list[Any]]] = [([], []) for _ in nodes]
    for number, window in enumerate(features):
        interpreter.reset_all_variables()
        rows = np.repeat(window[np.newaxis], batch, axis=0)
        interpreter.set_tensor(place, quantized(model.subgraphs[0].tensors[place], rows, called))
        if taken is not None:
            interpreter.set_tensor(told, np.repeat(taken[number : number + 1], batch))
        interpreter.invoke()
        for node, (inputs, outputs) in zip(nodes, seen, strict=True):
            inputs.append(_first(node, interpreter.get_tensor(int(node.operator.inputs[0]))))
            outputs.append(_first(node, interpreter.get_tensor(int(node.operator.outputs[0]))))
    return [InnerTensors(np.stack(inputs), np.stack(outputs)) for inputs, outputs in seen]


def quantized(tensor: schema.TensorT, values: NDArray[np.float32], called: str) -> NDArray[Any]:
    """q = clip(round(x / scale) + zero_point), ties to even, as in the runtime; a float tensor takes x."""
    if schema.is_float(tensor):
        return values.astype(np.float32)
    record = schema.scale_and_zero_point(tensor)
    if record is None:
        raise InputError(f"{called} is damaged: its int8 input has no scale.")
    steps = np.rint(values / np.float32(record[0])) + np.float32(record[1])
    return np.asarray(np.clip(steps, -128, 127), np.int8)


def _first(node: LstmNode, values: NDArray[Any]) -> NDArray[Any]:
    """The first window of a batch, all alike: [time, ...]."""
    return np.array(values[:, 0] if node.operator.builtinOptions.timeMajor else values[0])


def before_rounding(
    model: schema.ModelT, node: LstmNode, features: NDArray[np.float32]
) -> NDArray[np.float64] | None:
    """An LSTM's input in real numbers, where it is the model's own input, perhaps turned around in time.

    Returns:
        [windows, time, features]; None where something is computed between the two.
    """
    graph = model.subgraphs[0]
    makers = {
        output: operator
        for operator in schema.operators(model, graph)
        for output in schema.indices(operator.outputs)
    }
    index, chain = int(node.operator.inputs[0]), []
    while index not in schema.indices(graph.inputs):
        operator = makers.pop(index, None)
        if operator is None or schema.operator_name(model, operator) not in _SAME_VALUES:
            return None
        chain.append(operator)
        index = int(operator.inputs[0])
    values = features[:, np.newaxis].astype(np.float64)  # [windows, batch 1, time, features]
    for operator in reversed(chain):
        kind = schema.operator_name(model, operator)
        if kind == "RESHAPE":
            shape = schema.shape(graph.tensors[operator.outputs[0]])
            if int(np.prod(shape)) != values[0].size:
                return None
            values = values.reshape(len(values), *shape)
        elif kind == "REVERSE_V2":
            axes = model.buffers[graph.tensors[operator.inputs[1]].buffer].data
            if axes is None:
                return None
            ndim = values.ndim - 1
            axis = np.frombuffer(bytes(axes), "<i4") % ndim
            values = np.flip(values, tuple(int(one) + 1 for one in axis))
    if node.operator.builtinOptions.timeMajor:
        values = values.swapaxes(1, 2)
    return values[:, 0] if values.ndim == 4 else None
