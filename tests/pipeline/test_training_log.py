import json
from pathlib import Path

import pytest

from pipeline.training_log import TrainingLog


class Listener:
    """Keeps what it is told, in order."""

    def __init__(self) -> None:
        self.heard: list[tuple[object, ...]] = []

    def start(self, label: str, total: int | None) -> None:
        self.heard.append(("start", label, total))

    def advance(self, n: int = 1, note: str = "") -> None:
        self.heard.append(("advance", n, note))

    def finish(self) -> None:
        self.heard.append(("finish",))

    def message(self, text: str) -> None:
        self.heard.append(("message", text))


@pytest.fixture
def listener() -> Listener:
    return Listener()


def test_every_epoch_is_shown_and_kept(listener: Listener, tmp_path: Path) -> None:
    log = TrainingLog(listener)
    with log.phase("float", "Training", 3) as on_epoch:
        on_epoch({"epoch": 1.0, "loss": 0.12345, "accuracy": 0.5, "val_loss": 2.0, "val_accuracy": 0.75})
    log.save(tmp_path)
    assert listener.heard == [
        ("start", "Training", 3),
        ("advance", 1, "loss 0.123  val_loss 2  val_accuracy 0.75"),
        ("finish",),
    ]
    epochs = [{"epoch": 1, "loss": 0.12345, "accuracy": 0.5, "val_loss": 2.0, "val_accuracy": 0.75}]
    written = json.loads((tmp_path / "history.json").read_text())
    assert written == {"phases": [{"name": "float", "epochs": epochs}]}
    assert isinstance(written["phases"][0]["epochs"][0]["epoch"], int)


def test_the_state_before_training_is_no_progress(listener: Listener) -> None:
    log = TrainingLog(listener)
    with log.phase("quantization-aware", "Training", 2) as on_epoch:
        on_epoch({"epoch": 0, "val_loss": 0.5})
    assert listener.heard == [("start", "Training", 2), ("finish",)]
    assert log.phases[0]["epochs"] == [{"epoch": 0, "val_loss": 0.5}]


def test_what_was_seen_before_an_error_is_kept(listener: Listener) -> None:
    log = TrainingLog(listener)

    def train() -> None:
        with log.phase("float", "Training", 9) as on_epoch:
            on_epoch({"epoch": 1, "loss": 1.0})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        train()
    assert len(log.phases[0]["epochs"]) == 1


def test_phases_follow_each_other(listener: Listener) -> None:
    log = TrainingLog(listener)
    for name in ("float", "refit"):
        with log.phase(name, name, 1):
            pass
    assert [phase["name"] for phase in log.phases] == ["float", "refit"]
