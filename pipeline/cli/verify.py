"""`pipeline verify`: one .tflite file held against another."""

from pathlib import Path
from typing import Any

import click

from pipeline.cli.flags import ConfigCommand, given_flags, tolerance_options
from pipeline.cli.lazy import examples


@click.command(
    cls=ConfigCommand,
    epilog=examples(
        "pipeline verify model_float32.tflite model_int8.tflite --data golden.npz",
        "pipeline verify float.tflite theirs.tflite --data recordings.npz --out parity",
        "pipeline verify a.tflite b.tflite --data basic-motions --limit-accuracy-drop 0.005",
        "pipeline verify a.tflite b.tflite --data test.npz --logits output_0 --attention output_1",
    ),
)
@click.argument("reference", metavar="A", type=click.Path(path_type=Path))
@click.argument("candidate", metavar="B", type=click.Path(path_type=Path))
@click.option(
    "--data", "source", required=True, metavar="SOURCE",
    help="Name of a data set, or an .npz with x_test (and y_test), or a build's golden.npz.",
)  # fmt: skip
@click.option("--logits", metavar="NAME", help="The output with a number a class [default: logits].")
@click.option(
    "--attention", metavar="NAME", help="The output with a weight a step [default: attention_weights]."
)
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR",
    help="Write report.json, report.md, report.html and junit.xml there.",
)  # fmt: skip
@click.option("--quiet", "-q", is_flag=True, help="No progress on stderr.")
@tolerance_options
def verify(
    reference: Path,
    candidate: Path,
    source: str,
    logits: str | None,
    attention: str | None,
    out: Path | None,
    quiet: bool,
    **flags: Any,
) -> int:
    """Hold B, any .tflite file, against A, another one with the same signature.

    A is the reference, usually float. The checks, limits, reports and exit codes are those of `build`; of a
    check without a limit only the value is told. Without --out nothing is written.
    """
    from pipeline.cli.progress import listener
    from pipeline.cli.summary import print_parity
    from pipeline.config_reader import read_config
    from pipeline.data.given import read_given
    from pipeline.disk import disk_errors
    from pipeline.report import render_all
    from pipeline.verify import verify_files

    limits = read_config(None, given_flags(flags)).tolerances.model_dump()
    with listener(quiet) as progress:
        report = verify_files(
            reference, candidate, read_given(source), limits, progress, logits=logits, attention=attention
        )
        if out is not None:
            with disk_errors(out):
                out.mkdir(parents=True, exist_ok=True)
                render_all(report, out)
    print_parity(report.parity(), None if out is None else out / "report.html")
    return 0 if report.verdict == "pass" else 1
