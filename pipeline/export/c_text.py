"""Values as C99 and C++ source: what is written is what is read back, whatever is in a name."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

_C_TYPES = {
    "float32": "float",
    "int8": "int8_t",
    "int16": "int16_t",
    "int32": "int32_t",
    "uint8": "unsigned char",
}


def text(value: str) -> str:
    """A string literal of the text in UTF-8.

    Letters, digits and harmless marks stand as they are; every other byte is three octal digits. Unlike
    hexadecimal ones these cannot run into what follows; no quote, backslash, trigraph or line end is left.
    """
    plain = b" !#$%&()*+,-./:;<=>@[]^_`{|}~"
    escaped = (
        chr(byte) if (chr(byte).isascii() and chr(byte).isalnum()) or byte in plain else f"\\{byte:03o}"
        for byte in value.encode("utf-8", "replace")
    )
    return f'"{"".join(escaped)}"'


def number(value: float) -> str:
    """A float literal: nine significant digits bring every float32 back to the last bit."""
    digits = f"{float(np.float32(value)):.9g}"
    return f"{digits}f" if "." in digits or "e" in digits else f"{digits}.0f"


def array(name: str, values: NDArray[np.generic], before: str = "const ") -> str:
    """The definition of a one-dimensional array that holds the values in C order."""
    flat = values.ravel()
    shown = (number(one) if flat.dtype == np.float32 else str(one) for one in flat.tolist())
    return f"{before}{_C_TYPES[str(flat.dtype)]} {name}[{flat.size}] = {{\n{_rows(shown)}\n}};\n"


def declaration(name: str, values: NDArray[np.generic]) -> str:
    """What a header says of that array."""
    return f"extern const {_C_TYPES[str(values.dtype)]} {name}[{values.size}];\n"


def texts(name: str, values: Iterable[str]) -> str:
    """The definition of an array of strings."""
    rows = ",\n".join(f"    {text(value)}" for value in values)
    return f"const char *const {name}[] = {{\n{rows}\n}};\n"


def _rows(shown: Iterable[str], width: int = 100) -> str:
    lines, line = [], "   "
    for one in shown:
        if len(line) + len(one) + 2 > width:
            lines.append(line)
            line = "   "
        line += f" {one},"
    return "\n".join([*lines, line])
