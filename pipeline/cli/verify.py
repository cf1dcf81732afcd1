"""`pipeline verify`: one .tflite file held against another."""

from pathlib import Path
from typing import Any

import click

from models.errors import InputError
from pipeline.cli.flags import ConfigCommand, given_flags, tolerance_options
from pipeline.cli.kernels import kernels_option
from pipeline.cli.lazy import examples
from pipeline.targets.cpus import CPUS
from pipeline.targets.cpus import DEFAULT as DEFAULT_CPU


@click.command(
    cls=ConfigCommand,
    epilog=examples(
        "pipeline verify model_float32.tflite model_int8.tflite --data golden.npz",
        "pipeline verify a.tflite theirs.tflite --data recordings.npz --out parity",
        "pipeline verify a.tflite b.tflite --data har --limit-accuracy-drop 0.005",
        "pipeline verify a.tflite b.tflite --data t.npz --logits o_0 --attention o_1",
        "pipeline verify a.tflite b.tflite --data test.npz --kernels fuselage",
        "pipeline verify build/japanese-vowels --target arm64",
        "pipeline verify build/har --target arm64 --target ssh:pi@raspberry",
    ),
)
@click.argument("reference", metavar="A", type=click.Path(path_type=Path))
@click.argument("candidate", metavar="[B]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--data", "source", metavar="SOURCE",
    help="Name of a data set, or an .npz with x_test (and y_test), or a build's golden.npz. Needed of two "
    "files; of a build [default: its golden.npz].",
)  # fmt: skip
@click.option(
    "--target", "targets", multiple=True, metavar="TARGET",
    help="Where the files are run too, and held against themselves here: arm64 (under qemu), "
    "ssh:USER@HOST[:PORT], adb[:SERIAL]; may be given again [default: host].",
)  # fmt: skip
@click.option(
    "--cpu", metavar="NAME", type=click.Choice(list(CPUS)),
    help=f"The processor that arm64 emulates [default: {DEFAULT_CPU}].",
)  # fmt: skip
@click.option(
    "--cache", type=click.Path(path_type=Path), metavar="DIR",
    help="Where the emulation is kept [default: $FUSELAGE_CACHE, else fuselage in the user's cache].",
)  # fmt: skip
@click.option(
    "--python", metavar="PATH",
    help="The Python of an ssh or adb target [default: python3; adb: one that is copied to the phone].",
)  # fmt: skip
@click.option("--logits", metavar="NAME", help="The output with a number a class [default: logits].")
@click.option(
    "--attention", metavar="NAME", help="The output with a weight a step [default: attention_weights]."
)
@kernels_option("What runs B's LSTMs; A runs as built in.")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR",
    help="Write report.json, report.md, report.html and junit.xml there.",
)  # fmt: skip
@click.option("--quiet", "-q", is_flag=True, help="No progress on stderr.")
@tolerance_options
def verify(
    reference: Path,
    candidate: Path | None,
    source: str | None,
    targets: tuple[str, ...],
    cpu: str | None,
    cache: Path | None,
    python: str | None,
    logits: str | None,
    attention: str | None,
    kernels: str,
    out: Path | None,
    quiet: bool,
    **flags: Any,
) -> int:
    """Hold B, any .tflite file, against A, another one with the same signature.

    A is the reference, usually float. The checks, limits, reports and exit codes are those of `build`; of a
    check without a limit only the value is told. Without --out nothing is written. A alone may be the folder
    of a build: its int8 file is held against its float one. On a --target all files run that were named (of a
    build all but TensorFlow's stock one), and each has to answer as it does here.
    """
    from pipeline.cli.progress import listener
    from pipeline.cli.summary import print_parity
    from pipeline.config_reader import read_config
    from pipeline.disk import disk_errors
    from pipeline.report import render_all
    from pipeline.targets import targets_named
    from pipeline.verify import given_for, verify_files

    reference, candidate, beside, source = _chosen(reference, candidate, source)
    places = targets_named(targets, cpu=cpu, cache=cache, python=python)
    limits = read_config(None, given_flags(flags)).tolerances.model_dump()
    with listener(quiet) as progress:
        given = given_for(source, reference, candidate, logits=logits, attention=attention)
        report = verify_files(
            reference, candidate, given, limits, progress, logits=logits, attention=attention,
            targets=places, beside=beside, kernels=kernels,
        )  # fmt: skip
        if out is not None:
            with disk_errors(out):
                out.mkdir(parents=True, exist_ok=True)
                render_all(report, out)
    print_parity(report.parity(), None if out is None else out / "report.html")
    return 0 if report.verdict == "pass" else 1


def _chosen(
    reference: Path, candidate: Path | None, source: str | None
) -> tuple[Path, Path, tuple[Path, ...], str]:
    """The two files, those beside them, and the windows."""
    from pipeline.built_files import built_files

    if candidate is None and not reference.exists():
        raise InputError(
            f"There is no folder '{reference}'.",
            "Name the --out folder of `pipeline build`, or two files A and B.",
        )
    if candidate is None and not reference.is_dir():
        raise click.UsageError("Missing argument 'B'. One argument alone has to be the folder of a build.")
    if candidate is not None:
        if source is None:
            raise click.UsageError("Missing option '--data': two files bring no windows.")
        return reference, candidate, (), source
    built = built_files(reference)
    return built.float32, built.tested, built.others, source or str(built.golden)
