"""How training went: shown while it runs, kept for the report."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.progress import Progress

FILE = "history.json"


class TrainingLog:
    """The figures of every epoch, by phase."""

    def __init__(self, progress: Progress) -> None:
        self.phases: list[dict[str, Any]] = []
        self._progress = progress

    @contextmanager
    def phase(self, name: str, label: str, epochs: int) -> Iterator[Callable[[dict[str, float]], None]]:
        """Begin a phase of at most ``epochs`` epochs; yields what is to be called with each epoch's figures.

        Figures are ``epoch`` (0 stands for the state before training), ``loss``, ``val_loss``, ...
        """
        seen: list[dict[str, float]] = []
        self.phases.append({"name": name, "epochs": seen})

        def on_epoch(figures: dict[str, float]) -> None:
            seen.append({**figures, "epoch": int(figures["epoch"])})
            shown = ((key, figures[key]) for key in ("loss", "val_loss", "val_accuracy") if key in figures)
            if figures["epoch"] > 0:
                self._progress.advance(note="  ".join(f"{k} {v:.3g}" for k, v in shown))

        self._progress.start(label, epochs)
        yield on_epoch
        self._progress.finish()

    def save(self, folder: Path) -> None:
        """Write ``history.json``."""
        (folder / FILE).write_text(json.dumps({"phases": self.phases}, indent=1) + "\n", encoding="utf-8")
