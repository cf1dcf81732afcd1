"""Read the raw windows that `pipeline run --input` is given."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from models.errors import InputError
from pipeline.data.archive import as_windows, read_npy, read_npz, require_finite
from pipeline.data.dataset import unread_note
from pipeline.data.given import KEYS
from pipeline.data.lengths import checked_lengths, lengths_key, without_padding
from pipeline.data.registry import unreadable

Tell = Callable[[str], None]
Read = tuple[np.ndarray, np.ndarray | None]  # values, and where they are told the lengths of windows

NPZ_KEYS = ("raw_features", "x_test")  # the first that is there is read


def read_windows(
    path: str | Path, channel_names: Sequence[str] = (), tell: Tell = lambda text: None
) -> list[np.ndarray]:
    """Read windows in raw units.

    A .csv file is one window: rows are steps, columns are channels, a header is allowed. A .npy file holds
    one window [time, channels] or several [n, time, channels]; in a .npz file the key `raw_features` or
    `x_test` does. Where it has lengths too (`pipeline.data.lengths`), only the first so many steps of each
    window are taken, whatever stands behind them.

    Args:
        path: the file.
        channel_names: names of the model's channels; the columns of a .csv with a header are checked
            against them, so that swapped columns do not pass.
        tell: gets a sentence where something in the file was not read, or not understood.

    Returns:
        Windows [time, channels] float32, finite.

    Raises:
        InputError: the file is missing, damaged, of an unknown kind, empty, or holds a value that is no
            finite number; the message says where.
    """
    path = Path(path)
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(
            f"Cannot read '{path.name}': unknown kind of file '{path.suffix}'. Known: {', '.join(_READERS)}."
        )
    values, lengths = reader(path, channel_names, tell)
    if values.ndim == 2 and lengths is None:
        values = values[np.newaxis]
    if values.ndim != 3:
        raise InputError(
            f"'{path.name}' holds an array of shape {values.shape}; allowed are [time, channels] "
            "for one window and [n, time, channels] for several."
        )
    if values.size == 0:
        raise InputError(f"'{path.name}' holds no values: its shape is {values.shape}.")
    if lengths is not None:
        values = without_padding(values, lengths)
    windows = as_windows(path.name, values)
    require_finite(path.name, windows)
    if lengths is None:
        return list(windows)
    return [window[:length] for window, length in zip(windows, lengths, strict=True)]


def _read_csv(path: Path, channel_names: Sequence[str], tell: Tell) -> Read:
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except OSError as error:
        raise unreadable(path, error) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"'{path.name}' is not a text file of comma-separated values: {error}.") from error
    if rows and not any(_is_number(cell) for cell in rows[0][1]):
        _check_header(path.name, [cell.strip() for cell in rows.pop(0)[1]], channel_names, tell)
    if not rows:
        raise InputError(
            f"'{path.name}' holds no rows of numbers.", "Rows are time steps, columns are channels."
        )
    width = len(rows[0][1])
    for line, row in rows:
        if len(row) != width:
            raise InputError(f"'{path.name}', line {line}: {len(row)} columns where others have {width}.")
        for column, cell in enumerate(row):
            if not _is_number(cell):
                raise InputError(
                    f"'{path.name}', line {line}, column {column + 1}: '{cell}' is not a number.",
                    "Columns are separated by commas, and the decimal sign is a point.",
                )
    return np.array([[float(cell) for cell in row] for _, row in rows]), None


def _check_header(name: str, header: list[str], channel_names: Sequence[str], tell: Tell) -> None:
    """Refuse a channel of the model's in the place of another one, and tell of names that are not its own."""
    if header == list(channel_names) or not channel_names:
        return
    both = f"The columns of '{name}' are {', '.join(header)}; the model takes {', '.join(channel_names)}"
    if any(one in channel_names and one != its for one, its in zip(header, channel_names, strict=False)):
        raise InputError(f"{both}.", "Reorder the columns.")
    tell(f"{both}. They were taken in this order.")


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _read_npz(path: Path, _: Sequence[str], tell: Tell) -> Read:
    def choose(present: tuple[str, ...]) -> tuple[str, ...]:
        known = [key for key in NPZ_KEYS if key in present]
        if not known:
            raise InputError(
                f"'{path.name}' has neither the key '{NPZ_KEYS[0]}' nor '{NPZ_KEYS[1]}'. "
                f"It has: {', '.join(present) or 'nothing'}."
            )
        for note in unread_note(path.name, [key for key in present if key not in KEYS]):
            tell(note)
        told = lengths_key(known[0], present)
        return (known[0],) if told is None else (known[0], told)

    (key, values), *more = read_npz(path, choose).items()
    if not more or values.ndim != 3:
        return values, None
    ((told, lengths),) = more
    return values, checked_lengths(told, lengths, values, key)


_READERS: dict[str, Callable[[Path, Sequence[str], Tell], Read]] = {
    ".csv": _read_csv,
    ".npy": lambda path, *_: (read_npy(path), None),
    ".npz": _read_npz,
}
