"""Small .csv files for tests."""

from collections.abc import Iterable, Sequence
from pathlib import Path


def write_csv(path: Path, columns: str, rows: Iterable[Sequence[object]]) -> Path:
    """Write a table; `columns` as the first line has them. Folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [columns, *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def people(steps: int = 6, takes: int = 2, who: str = "abcde") -> list[tuple[object, ...]]:
    """Rows id, time, x, y, label, subject: everybody walks and sits; x tells the label, y the take."""
    rows: list[tuple[object, ...]] = []
    for person in who:
        for label, level in (("walk", 1.0), ("sit", -1.0)):
            for take in range(takes):
                identity = f"{person}-{label}-{take}"
                rows += [(identity, t / 10, level + t, take, label, person) for t in range(steps)]
    return rows


COLUMNS = "id,time,x,y,label,subject"
