"""Every attention x query x direction x scheme: does it build, fuse and verify, and how close is it?

    python benchmarks/matrix.py [--data SOURCE ...] [--kinds KIND ...] [--table FILE] [-- BUILD OPTIONS]

Each cell is one `pipeline build` with all schemes; a cell that was built before with the same options is
taken from the store. What follows `--` goes to every build, for example `-- --no-qat`. The table is written
again after every cell; what stands below it on the page, from `## ` on, is kept. Exit code 1 where a cell did
not build, an LSTM is not one fused op, or a limit, or what is to be reached beside it, is missed.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

sys.path.insert(0, str(Path(__file__).parent))

from lstm_error import of_build  # noqa: E402

from models.config import ATTENTION_KINDS, QUERIES  # noqa: E402

SOURCES = ("japanese-vowels", "basic-motions")
SCHEMES = ("--quantize", "int8", "--quantize", "float16", "--quantize", "dynamic")
PRECISIONS = [word for name in ("int8", "int16", "float32") for word in ("--attention-precision", name)]
NOT_JUDGED = "float32"
LEAST_AGREEMENT = {"japanese-vowels": 0.99, "uci_har_subset": 0.985}
"""Of int8 files, whatever limit a build has: what this project sets itself."""
LARGEST_LSTM_ERROR = 0.03


@dataclass(frozen=True)
class Cell:
    """One model on one data set."""

    source: str
    kind: str
    query: str
    bidirectional: bool
    units: int = 64

    @property
    def direction(self) -> str:
        """One or both."""
        return "both" if self.bidirectional else "one"

    @property
    def folder(self) -> str:
        """Where its build lies."""
        return "-".join((Path(self.source).stem, self.kind, self.query, self.direction))

    def options(self) -> list[str]:
        """Of `pipeline build`."""
        size = self.units // 2 if self.bidirectional else self.units
        both = ["--bidirectional"] if self.bidirectional else []
        model = ["--attention", self.kind, "--query", self.query, "--units", str(size), *both]
        return ["--data", self.source, *model]


def build(cell: Cell, out: Path, extra: Sequence[str]) -> dict[str, Any] | str:
    """The report of a cell's build, or the last line of what went wrong."""
    folder = out / cell.folder
    command = [sys.executable, "-m", "pipeline.cli", "build", *cell.options(), *SCHEMES, *PRECISIONS]
    done = subprocess.run(
        [*command, "--out", str(folder), *extra],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    if done.returncode not in (0, 1):
        return f"exit code {done.returncode}: {(done.stderr.strip().splitlines() or ['no message'])[-1]}"
    report: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    errors = of_build(folder)
    for scheme in report["schemes"]:
        scheme["lstm_error"] = max(errors[scheme["file"]]) if scheme["file"] in errors else None
    return report


def rows(cell: Cell, report: dict[str, Any] | str) -> Iterator[list[str]]:
    """A row for each scheme of a cell."""
    head = [Path(cell.source).stem, cell.kind, cell.query, cell.direction]
    if isinstance(report, str):
        yield [*head, "-", report, *[""] * (len(HEADINGS) - 6)]
        return
    for scheme in report["schemes"]:
        if scheme["name"] == NOT_JUDGED:
            continue
        missed = [check["name"] for check in scheme["checks"] if check["passed"] is False]
        missed += beyond_the_limits(cell, scheme)
        yield [
            *head,
            f"`{scheme['name']}`",
            ", ".join(f"`{name}`" for name in missed) or scheme["verdict"],
            f"{scheme['size_bytes'] / 1e3:.1f}",
            f"{scheme['accuracy']:.3f}",
            f"{scheme['decision_agreement']:.3f}",
            f"{scheme['attention_max_error']:.4f}",
            f"{scheme['attention_total_variation']:.4f}",
            f"{scheme['attention_row_sum_error']:.5f}",
            "" if scheme["lstm_error"] is None else f"{scheme['lstm_error']:.1%}",
        ]


def beyond_the_limits(cell: Cell, scheme: dict[str, Any]) -> Iterator[str]:
    """What an int8 file misses of what is to be reached beside its limits."""
    if not scheme["name"].startswith("int8"):
        return
    if scheme["decision_agreement"] < LEAST_AGREEMENT.get(Path(cell.source).stem, 0.0):
        yield "agreement to be reached"
    if not scheme["lstm_error"] <= LARGEST_LSTM_ERROR:
        yield "LSTM error to be reached"


HEADINGS = (
    "data", "attention", "query", "directions", "scheme", "verdict", "kB", "accuracy", "agreement",
    "largest attention error", "total variation", "row sum error", "LSTM error",
)  # fmt: skip


def table(found: Sequence[list[str]], options: Sequence[str]) -> str:
    """The document docs/matrix.md; ``options`` are those of the command that measured it."""
    passed = sum(row[5] == "pass" for row in found)
    command = " ".join(["python benchmarks/matrix.py", *options])
    lines = [
        "# Every attention, every precision",
        "",
        f"Written by `{command}`: {passed} of {len(found)} pass.",
        "Each row is a file held against the original float model on all test windows, with the limits of",
        "[parity.md](parity.md), which says what the columns mean; in each, every LSTM is one fused op. The",
        "last column is the RMS error of an int8 LSTM's hidden states, of the worse of two directions, as a",
        "part of their standard deviation. One direction has 64 units, two have 32 each. Beside its limits",
        "an int8 file has to reach an LSTM error of at most 3 % and, on japanese-vowels and UCI HAR, an",
        "agreement of 0.99 and 0.985.",
        "",
        f"| {' | '.join(HEADINGS)} |",
        f"|{'---|' * 6}{'--:|' * (len(HEADINGS) - 6)}",
        *(f"| {' | '.join(row)} |" for row in found),
    ]
    return "\n".join(lines) + "\n"


def below_the_table(page: Path) -> str:
    """What a person has written there: from the first `## ` on."""
    text = page.read_text(encoding="utf-8") if page.is_file() else ""
    return text[text.index("\n## ") :] if "\n## " in text else ""


def missing(source: str) -> bool:
    """Whether a source is a file that is not there; it is said, and counts for nothing."""
    absent = source.endswith(".npz") and not Path(source).is_file()
    if absent:
        print(f"Skipped {source}: there is no such file.", file=sys.stderr)
    return absent


def main() -> int:
    as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=as_written)
    parser.add_argument("--data", nargs="+", default=list(SOURCES), metavar="SOURCE")
    parser.add_argument("--kinds", nargs="+", default=list(ATTENTION_KINDS), choices=ATTENTION_KINDS)
    parser.add_argument("--queries", nargs="+", default=list(QUERIES), choices=QUERIES)
    parser.add_argument("--directions", nargs="+", default=["one", "both"], choices=["one", "both"])
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "matrix")
    parser.add_argument("--table", type=Path, default=ROOT / "docs" / "matrix.md")
    parser.add_argument("build", nargs="*", help="options for every build, after --")
    given = parser.parse_args()
    given.data = [source for source in given.data if not missing(source)]
    cells = [
        Cell(source, kind, query, direction == "both")
        for source, direction, query, kind in itertools.product(
            given.data, given.directions, given.queries, given.kinds
        )
    ]
    found: list[list[str]] = []
    kept = below_the_table(given.table)
    for place, cell in enumerate(cells, start=1):
        made = list(rows(cell, build(cell, given.out, given.build)))
        found += made
        given.table.write_text(table(found, sys.argv[1:]) + kept, encoding="utf-8")
        verdicts = ", ".join(dict.fromkeys(row[5] for row in made))
        print(f"{place}/{len(cells)} {cell.folder}: {verdicts}", flush=True)
    passed = sum(row[5] == "pass" for row in found)
    print(f"{passed} of {len(found)} files hold every limit; {given.table}")
    return 0 if found and passed == len(found) else 1


if __name__ == "__main__":
    sys.exit(main())
