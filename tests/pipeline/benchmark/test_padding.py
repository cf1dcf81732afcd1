"""Padding is recommended where it was counted and pays, and nowhere else."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from float_lstm_file import random_lstm
from int8_lstm_file import Int8Lstm, build

from converters import schema
from converters.lstm_op import lstm_nodes
from models.errors import InputError
from pipeline.benchmark.padding import NOT_COUNTED, paddings, rest, rounded_up, variants
from pipeline.benchmark.result import Instructions, Padding
from pipeline.benchmark.subjects import read_subjects


def lstm_file(folder: Path, features: int, units: int) -> Path:
    shapes = ((4, units, features), (4, units, units))
    path = folder / "lstm.tflite"
    path.write_bytes(
        build(Int8Lstm(*(np.ones(shape, np.int8) for shape in shapes), np.ones((4, units), np.int32),
                       (0.01,) * 4, (0.01,) * 4, steps=3))
    )  # fmt: skip
    return path


def work(path: Path, windows: np.ndarray) -> Instructions:
    """Instead of the emulator: 1 for each block of 8 in a row, 5 for each product of the rest."""
    (node,) = lstm_nodes(schema.read_model(path))
    units, features = schema.shape(node.input_weights["output"])
    assert windows.shape == (1, 3, features)
    row = sum(size // 8 + 5 * (size % 8) for size in (features, units))
    return Instructions("a core", units * row, 0, (), {})


def test_sizes_by_hand() -> None:
    assert [rest(size) for size in (1, 8, 9, 12, 64)] == [1, 0, 1, 4, 0]
    assert [rounded_up(size) for size in (1, 8, 9, 12, 64)] == [8, 8, 16, 16, 64]
    assert variants(12, 64) == [(16, 64)]
    assert variants(8, 20) == [(8, 24)]
    assert variants(3, 4) == [(8, 4), (3, 8), (8, 8)]


def test_each_variant_is_counted_by_hand(tmp_path: Path) -> None:
    """6 features, 12 units: 12 rows of 30 + (1 + 20) = 51. With 8 features of 1 + 21 = 22. With 16 units 16
    rows of 30 + 2 = 32; with both of 1 + 2 = 3."""
    (subject,) = read_subjects([lstm_file(tmp_path, 6, 12)])
    (found,) = paddings(subject, work)
    assert (found.features, found.units, found.cpu, found.skipped) == (6, 12, "a core", "")
    assert found.instructions == 12 * 51
    assert found.variants == ((8, 12, 12 * 22), (6, 16, 16 * 32), (8, 16, 16 * 3))
    assert found.best == (8, 16, 16 * 3)


def test_nothing_is_recommended_that_does_not_pay() -> None:
    found = Padding("f", "l", 3, 4, "a core", 100, ((8, 4, 100), (3, 8, 130)))
    assert found.best is None
    assert replace(found, instructions=None).best is None
    assert replace(found, variants=()).best is None


def test_without_a_counter_nothing_is_said_of_the_effect(tmp_path: Path) -> None:
    (subject,) = read_subjects([lstm_file(tmp_path, 6, 8)])
    (found,) = paddings(subject, None)
    assert (found.instructions, found.variants, found.best, found.skipped) == (None, (), None, NOT_COUNTED)


def test_a_count_that_fails_is_told(tmp_path: Path) -> None:
    def refuses(path: Path, windows: np.ndarray) -> Instructions:
        raise InputError("not today")

    (subject,) = read_subjects([lstm_file(tmp_path, 6, 8)])
    (found,) = paddings(subject, refuses)
    assert (found.instructions, found.skipped) == (None, "not today")


@pytest.mark.parametrize("content", ["whole", "float"])
def test_whole_blocks_and_float_leave_nothing_to_say(tmp_path: Path, content: str) -> None:
    path = lstm_file(tmp_path, 8, 16)
    if content == "float":
        path.write_bytes(random_lstm(3, 5, 3))
    assert list(paddings(read_subjects([path])[0], None)) == []
