"""How long work tells how far it is, without knowing who listens."""

from typing import Protocol


class Progress(Protocol):
    """The listener handed to every stage. One task runs at a time."""

    def start(self, label: str, total: int | None) -> None:
        """A task begins: `total` steps, or None where that is not known."""

    def advance(self, n: int = 1, note: str = "") -> None:
        """`n` further steps are done; `note` is a short text beside them, such as the loss."""

    def finish(self) -> None:
        """The task is over; fewer steps than announced are no error (early stopping)."""

    def message(self, text: str) -> None:
        """One line a person should read."""


class Silence:
    """A listener that says nothing."""

    def start(self, label: str, total: int | None) -> None:
        pass

    def advance(self, n: int = 1, note: str = "") -> None:
        pass

    def finish(self) -> None:
        pass

    def message(self, text: str) -> None:
        pass
