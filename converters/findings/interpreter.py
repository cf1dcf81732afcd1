"""An interpreter to look into: all tensors kept, no delegates, a limit on the time of every call.

Delegates would hide the tensors that they fuse away. What the interpreter refuses is a VerificationError;
what it cannot survive ends the process, so this runs in a child.
"""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from converters import schema
from converters.findings import memory, samples
from converters.inputs import lengths_place
from converters.lstm_op import FUSED_LSTM
from models.errors import VerificationError

ENOUGH_S = 10.0  # after which no further input is tried; how many were is named in the findings

Seen = dict[int, np.ndarray]
"""Values by tensor index: [n, *shape], as stored."""


class Laboratory:
    """Runs files and shows their inner tensors.

    Args:
        limit_s: end the process by SIGALRM where a call takes longer; for a process of one's own. None:
            no limit.
    """

    def __init__(self, limit_s: int | None = None) -> None:
        self._limit_s = limit_s

    def memory_bytes(self, content: bytes, model: schema.ModelT) -> int:
        """See `memory.from_interpreter`.

        Raises:
            VerificationError: the interpreter refuses the model.
        """
        return memory.from_interpreter(self._load(content, keep=False), model)

    def run(
        self, content: bytes, model: schema.ModelT, inputs: list[np.ndarray], patient: bool = False
    ) -> Seen:
        """Run inputs one by one, each from the zero state.

        Args:
            inputs: [n, *shape] for each input of the main graph, real numbers.
            patient: run all of them, however long it takes.

        Returns:
            Outputs of the model, its input `lengths`, and inputs and outputs of its LSTMs and softmaxes, as
            many as were run.

        Raises:
            VerificationError: the interpreter refuses the model or fails on an input.
        """
        graph = model.subgraphs[0]
        values: dict[int, list[np.ndarray]] = {index: [] for index in _of_interest(model)}
        interpreter = self._load(content, keep=True)
        end = time.monotonic() + ENOUGH_S
        for row in zip(*inputs, strict=True):
            with self._guarded():
                interpreter.reset_all_variables()
                for index, one in zip(schema.indices(graph.inputs), row, strict=True):
                    interpreter.set_tensor(index, samples.stored(graph.tensors[index], one))
                interpreter.invoke()
                for index, held in values.items():
                    held.append(np.array(interpreter.get_tensor(index)))
            if time.monotonic() > end and not patient:
                break
        return {index: np.stack(held) for index, held in values.items() if held}

    def _load(self, content: bytes, keep: bool) -> Any:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        with self._guarded():
            interpreter = Interpreter(
                model_content=content,
                experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
                experimental_preserve_all_tensors=keep,
            )
            interpreter.allocate_tensors()
        return interpreter

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        """Limit the time, and give the interpreter's refusals (ValueError, RuntimeError) our own name."""
        if self._limit_s is not None:
            signal.alarm(self._limit_s)
        try:
            yield
        except (ValueError, RuntimeError) as error:
            raise VerificationError(_brief(str(error))) from error
        finally:
            if self._limit_s is not None:
                signal.alarm(0)


def _of_interest(model: schema.ModelT) -> list[int]:
    """Tensor indices of outputs, lengths, LSTMs and softmaxes; only what holds numbers can be read."""
    graph, told = model.subgraphs[0], lengths_place(model)
    wanted = set(schema.indices(graph.outputs) + ([] if told is None else [told]))
    for operator in schema.operators(model, graph, FUSED_LSTM, "SOFTMAX"):
        wanted.update(schema.indices(operator.inputs)[:1] + schema.indices(operator.outputs)[:1])
    tensors = graph.tensors or []
    return sorted(
        index
        for index in wanted
        if index >= 0 and schema.tensor_type_name(tensors[index]) in memory.ITEM_BITS
    )


def _brief(text: str) -> str:
    """The first sentence of what the interpreter says, on one line."""
    first = " ".join(text.split()).split("Node number")[0].split(". ")[0].rstrip(".")
    return f"{first[:300]}."
