"""`pipeline report`: render again what a build has measured."""

from pathlib import Path

import click

from pipeline.cli.lazy import examples


@click.command(epilog=examples("pipeline report build/japanese-vowels"))
@click.argument("build_dir", type=click.Path(path_type=Path))
@click.option("--quiet", "-q", is_flag=True, help="No progress on stderr.")
def report(build_dir: Path, quiet: bool) -> int:
    """Render report.json, report.md, report.html and junit.xml of BUILD_DIR again.

    Nothing is measured again; the exit code is that of the build.
    """
    from pipeline.build import render_again
    from pipeline.cli.progress import listener
    from pipeline.cli.summary import print_summary

    with listener(quiet) as progress:
        result = render_again(build_dir, progress)
    print_summary(result)
    return 0 if result.passed else 1
