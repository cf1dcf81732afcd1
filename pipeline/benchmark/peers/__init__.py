"""Other ways to run the same model, each registered in its own file; timed in the same run.

A peer is made from the float file, or from the build it came from, and has to give the float file's outputs
before it is timed.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipeline.benchmark.subjects import Subject
from pipeline.progress import Progress

PEERS = {
    "onnxruntime": "pipeline.benchmark.peers.onnx_runtime:PEER",
    "unfused": "pipeline.benchmark.peers.unfused_loop:PEER",
}
"""By name where it is; imported when it is asked for."""


@dataclass(frozen=True)
class PeerModel:
    """A model that a peer runs.

    Attributes:
        name: what to call it.
        path: its file.
        runner: one of `pipeline.benchmark.runners.RUNNERS`.
        largest_error: of its outputs against the float file's on seeded inputs.
    """

    name: str
    path: Path
    runner: str
    largest_error: float


class Missing(Exception):
    """A peer cannot be measured; the message says why, in a sentence that goes on after the peer's name."""


class Peer(Protocol):
    """Makes models out of a float file."""

    def make(self, subject: Subject, folder: Path, progress: Progress) -> list[PeerModel]:
        """The models, in files in `folder`.

        Args:
            subject: the float file.

        Raises:
            Missing: it is not installed, does not apply, or does not give the float file's outputs.
        """


def load(name: str) -> Peer:
    """The peer of that name, one of `PEERS`."""
    module, attribute = PEERS[name].split(":")
    peer: Peer = getattr(importlib.import_module(module), attribute)
    return peer
