"""Text for a terminal: what users and files give is shown as text, never obeyed."""

from collections.abc import Iterable
from typing import Any


def printable(text: object) -> str:
    """The text with control characters spelled out, so that a class name cannot move the cursor."""
    return "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in str(text)
    )


def print_table(headings: Iterable[str], rows: Iterable[Iterable[object]], right: Iterable[int] = ()) -> None:
    """Print a table to stdout; no markup in cells is interpreted.

    Args:
        right: the columns set flush right.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for index, heading in enumerate(headings):
        table.add_column(Text(heading), justify="right" if index in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    stdout().print(table)


def stdout() -> Any:
    """A rich console on stdout: no markup, no highlighting; 80 columns where it is no terminal."""
    from rich.console import Console

    console = Console(markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = 80
    return console
