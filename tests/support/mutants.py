"""Damaged .tflite files for hypothesis: real ones, changed where it hurts.

Three depths: the bytes (above all the lengths, offsets and vtables that hold a file together), the tables
(a well-formed file that says senseless things), and the text of our metadata.
"""

import copy
import hashlib
import json
import struct
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from hand_made import hand_made, metadata
from hypothesis import assume
from hypothesis import strategies as st
from int8_lstm_file import Int8Lstm, build

from converters import schema, verifier

SEEDS = Path(__file__).parents[1] / "fuzz" / "seeds"
"""Made by tests/converters/tiny.py: the stock converter's int8 LSTM with attention, two LSTMs whose scales
are untied, an LSTM as a WHILE loop, and one with a Flex operator."""

_UNWRITABLE = (struct.error, TypeError, AttributeError, ValueError, OverflowError)
"""What the generated packer raises where a field cannot hold a value."""
_WORDS = (0, 1, 2, 3, 4, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 2**29, 2**30, 2**31 - 1, 2**31)
_WORDS += (2**32 - 1, 2**32 - 4, 2**32 - 8, 0x7FC00000, 0x7F800000, 0xFF800000, 0x7F7FFFFF, 1 << 23)
"""As unsigned 32 bits; the last five are NaN, both infinities, the largest float and a tiny one."""
_INTEGERS = (0, 1, -1, 2, 3, 9, 24, 44, 127, 128, -128, 255, 1 << 15, (1 << 31) - 1, -(1 << 31), 1 << 40)
_FLOATS = (0.0, -0.0, 1.0, -1.0, 1e-45, 1e-30, 3.4e38, float("nan"), float("inf"), float("-inf"))
_TEXTS = (None, b"", b"\xff\xfe", b"<script>", b"\x1b[2J\n", b"a/b;c/d_cell/e", b"x" * 2000, b"CUSTOM", b"\0")


@cache
def seeds() -> dict[str, bytes]:
    """Whole files by name."""
    files = {path.stem: path.read_bytes() for path in sorted(SEEDS.glob("*.tflite"))}
    random = np.random.default_rng(0)
    weights = [random.integers(-127, 128, (4, 3, size), np.int8) for size in (2, 3)]
    scales = (0.01, 0.02, 0.03, 0.04)
    lstm = Int8Lstm(weights[0], weights[1], np.zeros((4, 3), np.int32), scales, scales, steps=4)
    return {**files, "lstm": build(lstm), "ours": hand_made(described=metadata())}


class File(bytes):
    """The content of a file, of which a failing test shows the length only."""

    def __repr__(self) -> str:
        return f"<{len(self)} bytes>"


# --- the bytes ------------------------------------------------------------------------------------


class _Recorder(verifier._Walk):
    """Notes where the numbers stand that the verifier reads, and how they are written."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.places: dict[int, str] = {}

    def number(self, place: int, form: str) -> int:
        self.places[place] = form
        return super().number(place, form)


@cache
def structure(content: bytes) -> list[tuple[int, str]]:
    """Places and forms of a whole file's lengths, offsets and vtables."""
    recorder = _Recorder(content)
    recorder.table(recorder.follow(0), "Model")
    return sorted(recorder.places.items())


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """A file of which one to four places were changed; never the whole one."""
    places, made = structure(content), bytearray(content)
    for _ in range(draw(st.sampled_from((1, 1, 2, 4)))):
        if len(made) >= 4:
            draw(st.sampled_from(_DAMAGES))(draw, made, places)
    assume(made != content)
    return File(made)


def _flip(draw: st.DrawFn, made: bytearray, _places: Any) -> None:
    made[draw(st.integers(0, len(made) - 1))] ^= draw(st.integers(1, 255))


def _structural(draw: st.DrawFn, made: bytearray, places: list[tuple[int, str]]) -> None:
    place, form = draw(st.sampled_from(places))
    value = draw(st.sampled_from((*_WORDS, len(made), len(made) // 4)) | st.integers(0, 2**32 - 1))
    _write(made, place, form, value)


def _astray(draw: st.DrawFn, made: bytearray, places: list[tuple[int, str]]) -> None:
    """Let an offset lead to another part of the file: shared tables, cycles, one kind taken for another."""
    place, form = draw(st.sampled_from(places))
    target, _ = draw(st.sampled_from(places))
    _write(made, place, form, place - target if form == "<i" else target - place)


def _word(draw: st.DrawFn, made: bytearray, _places: Any) -> None:
    _write(made, 4 * draw(st.integers(0, len(made) // 4 - 1)), "<I", draw(st.sampled_from(_WORDS)))


def _cut(draw: st.DrawFn, made: bytearray, _places: Any) -> None:
    del made[draw(st.integers(0, len(made) - 1)) :]


def _remove(draw: st.DrawFn, made: bytearray, _places: Any) -> None:
    start = draw(st.integers(0, len(made) - 1))
    del made[start : start + draw(st.integers(1, 64))]


def _double(draw: st.DrawFn, made: bytearray, _places: Any) -> None:
    start, length, place = (draw(st.integers(0, most)) for most in (len(made) - 1, 256, len(made) - 1))
    made[place:place] = made[start : start + length]


def _overwrite(draw: st.DrawFn, made: bytearray, _places: Any) -> None:
    start, length, place = (4 * draw(st.integers(0, most // 4)) for most in (len(made), 256, len(made)))
    chunk = made[start : start + length]
    made[place : place + len(chunk)] = chunk


_DAMAGES = (_flip, _flip, _word, _word, _structural, _astray, _cut, _remove, _double, _overwrite)


def _write(made: bytearray, place: int, form: str, value: int) -> None:
    size = struct.calcsize(form)
    if place + size <= len(made):
        made[place : place + size] = (value % 2 ** (8 * size)).to_bytes(size, "little")


# --- the tables -----------------------------------------------------------------------------------


@st.composite
def senseless(draw: st.DrawFn, content: bytes) -> bytes:
    """A well-formed file of which one to three fields hold something else."""
    model = schema.read_model(content)
    for _ in range(draw(st.integers(1, 3))):
        slots = _slots(model)
        holder, field = draw(st.sampled_from(slots[draw(st.sampled_from(sorted(slots)))]))
        setattr(holder, field, draw(_instead(getattr(holder, field))))
    try:
        return File(schema.write_model(model))
    except _UNWRITABLE:
        assume(False)
    raise AssertionError


def _slots(table: Any) -> dict[str, list[tuple[Any, str]]]:
    """Every field that is there, by "Table.field": whatever is rare is as likely as the rest."""
    found: dict[str, list[tuple[Any, str]]] = {}
    tables = [table]
    while tables:
        one = tables.pop()
        for field, value in vars(one).items():
            if value is not None:
                found.setdefault(f"{type(one).__name__}.{field}", []).append((one, field))
            inner = value if isinstance(value, list) else [value]
            tables += [part for part in inner if hasattr(part, "__dict__")]
    return found


def _instead(value: Any) -> st.SearchStrategy[Any]:
    """Another value of the kind a field holds."""
    if isinstance(value, bool | int | np.integer):
        return st.sampled_from(_INTEGERS) | st.integers(-(2**31), 2**31 - 1) | st.integers(0, 200)
    if isinstance(value, float):
        return st.sampled_from(_FLOATS)
    if isinstance(value, bytes | str):
        return st.sampled_from(_TEXTS)
    if isinstance(value, np.ndarray):
        return _array_instead(value)
    if isinstance(value, list) and value:
        several = st.lists(st.sampled_from(value), max_size=2 * len(value))
        return several | st.just([]) | st.just(value[::-1]) | st.none()
    return st.none()


@st.composite
def _array_instead(draw: st.DrawFn, value: np.ndarray) -> np.ndarray | None:
    kind = draw(st.sampled_from(["none", "other values", "shorter", "longer"]))
    if kind == "none":
        return None
    if kind == "shorter" and len(value):
        return value[: draw(st.integers(0, len(value) - 1))]
    made = np.concatenate([value, value, value[:1]]) if kind == "longer" else value.copy()
    if len(made):
        pool = _FLOATS if made.dtype.kind == "f" else _INTEGERS
        number = np.array(draw(st.sampled_from(pool)))
        with np.errstate(over="ignore"):
            made[draw(st.integers(0, len(made) - 1))] = number.astype(made.dtype)
    return made


# --- the metadata -----------------------------------------------------------------------------------

_DEEP = "a great many brackets"
_VALUES = (None, True, False, 0, 1, -1, 6, 2**31, 2**64, 10**400, 0.5, 1e308, *_FLOATS, "", "x", _DEEP)
_VALUES += ("\ud800", "<script>", "\x1b[2J\r\n", "\0", "x" * 10_000, [], {}, [[]], [None], ["x"], {"x": 1})
_VALUES += ([1] * 3, [1.0] * 5, ["x"] * 3, [float("nan")] * 3, {"mean": [], "std": []})


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    """The JSON text of our metadata with one to three of its values replaced, or damaged as a text."""
    document = json.loads(json.dumps({"format": "fuselage-metadata", "version": 1, **metadata(), **_SIGNED}))
    for _ in range(draw(st.integers(1, 3))):
        holder: Any = document
        while True:
            key = draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder))))
            inner = holder[key]
            if not inner or not isinstance(inner, dict | list) or draw(st.booleans()):
                break
            holder = inner
        value = draw(st.sampled_from(_VALUES) | st.integers() | st.floats() | st.text(max_size=8))
        holder[key] = copy.deepcopy(value)  # a later round may change it, and _VALUES are everybody's
    depth = draw(st.sampled_from((10, 900, 200_000)))
    text = json.dumps(document).replace(f'"{_DEEP}"', "[" * depth + "]" * depth).encode()
    if draw(st.integers(0, 3)) == 0:
        made = bytearray(text)
        draw(st.sampled_from((_flip, _cut, _remove, _double, _overwrite)))(draw, made, [])
        text = bytes(made)
    return text


_ZEROS = b"0" * 64
_SIGNED = {
    "signature": {"input": "features", "outputs": ["logits", "attention_weights"]},
    "state_rule": "Reset.",
    "sha256": _ZEROS.decode(),
}


def with_document(text: bytes) -> bytes:
    """The file `ours` with this text for its metadata, and a right checksum where it has room for one."""
    model = schema.read_model(seeds()["ours"])
    model.buffers[model.metadata[0].buffer].data = np.frombuffer(text, np.uint8)
    blank = schema.write_model(model)
    return blank.replace(_ZEROS, hashlib.sha256(blank).hexdigest().encode())
