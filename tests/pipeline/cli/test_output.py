"""Foreign text stays text."""

import pytest

from pipeline.cli.output import print_table, printable


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("plain é 漢\nsecond line", "plain é 漢\nsecond line"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\rb\tc\x00", "a\\rb\\tc\\x00"),
        ("\u202egpj", "\\u202egpj"),
        ("[bold]<script>", "[bold]<script>"),
    ],
)
def test_control_characters_are_spelled_out(given: str, shown: str) -> None:
    assert printable(given) == shown


def test_tables_show_markup_and_fit_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("class [b]", "n"), [("[red]x[/red] :smile: \x1b[2J", 3), ("w" * 200, 4)], right=(1,))
    text = capsys.readouterr().out
    assert "[red]x[/red] :smile: \\x1b[2J" in text
    assert "class [b]" in text
    assert text.count("w") == 200  # folded, not cut
    assert max(map(len, text.splitlines())) <= 80
