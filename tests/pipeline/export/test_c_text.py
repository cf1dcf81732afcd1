"""Values as C source, by hand and by the compiler."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.export import c_text


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        ("walking", '"walking"'),
        ("", '""'),
        ('"; system("rm") //', r'"\042; system(\042rm\042) //"'),
        ("back\\slash", r'"back\134slash"'),
        ("what??/\n", r'"what\077\077/\012"'),
        ("tab\t1", r'"tab\0111"'),
        ("\x007", r'"\0007"'),
        ("*/ é", r'"*/ \303\251"'),
        ("%s%n", '"%s%n"'),
    ],
)
def test_texts(value: str, literal: str) -> None:
    assert c_text.text(value) == literal


@pytest.mark.parametrize(
    ("value", "literal"), [(0.0, "0.0f"), (3.0, "3.0f"), (-0.1, "-0.100000001f"), (1e-30, "1e-30f")]
)
def test_numbers(value: float, literal: str) -> None:
    assert c_text.number(value) == literal


def test_numbers_come_back_to_the_last_bit() -> None:
    bits = np.random.default_rng(0).integers(0, 2**32, 5000, dtype=np.uint64).astype(np.uint32)
    values = bits.view(np.float32)
    values = values[np.isfinite(values)]
    back = np.array([c_text.number(float(one)).removesuffix("f") for one in values]).astype(np.float32)
    np.testing.assert_array_equal(values.view(np.uint32), back.view(np.uint32))


def test_arrays() -> None:
    values = np.array([[1, -128], [127, 0]], np.int8)
    assert c_text.array("a", values) == "const int8_t a[4] = {\n    1, -128, 127, 0,\n};\n"
    assert c_text.declaration("a", values) == "extern const int8_t a[4];\n"
    assert c_text.array("b", np.array([0.5], np.float32)) == "const float b[1] = {\n    0.5f,\n};\n"


def test_long_arrays_are_broken_into_lines() -> None:
    lines = c_text.array("a", np.arange(256, dtype=np.uint8)).splitlines()
    assert max(map(len, lines)) <= 100
    numbers = " ".join(lines[1:-1]).replace(",", "").split()
    assert numbers == [str(one) for one in range(256)]


def test_arrays_of_texts() -> None:
    assert c_text.texts("n", ["a", '"']) == 'const char *const n[] = {\n    "a",\n    "\\042"\n};\n'
