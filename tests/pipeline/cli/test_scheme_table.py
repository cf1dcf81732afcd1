"""Figures of the table of all schemes: rounded, and no wider than their column."""

import pytest

from pipeline.cli.scheme_table import _error


@pytest.mark.parametrize(
    ("value", "width", "shown"),
    [
        (-0.56167, 6, "-0.562"),
        (-0.56167, 5, "-0.56"),
        (0.56167, 6, "0.5617"),
        (0.56167, 5, "0.562"),
        (0.99999, 6, "1.0000"),
        (12.3456, 6, "12.346"),
        (99999.5, 6, "100000"),
        (123456.7, 6, "123457"),
        (1234567.8, 6, "1e6"),
        (-1234567.8, 5, "-1e6"),
        (1.5e12, 6, "2e12"),
        (0.00052, 6, "5e-4"),
        (-0.00052, 5, "-5e-4"),
        (0.0, 6, "0.0000"),
        (float("nan"), 6, "-"),
        (None, 6, "-"),
    ],
)
def test_a_figure_is_rounded_to_what_its_column_has_room_for(
    value: float | None, width: int, shown: str
) -> None:
    assert _error(value, width) == shown
