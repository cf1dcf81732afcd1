"""The commands: one thin file each. The only room that prints and picks exit codes."""

import signal
import sys

import click

import pipeline
from pipeline.cli.errors import guarded, terminate
from pipeline.cli.lazy import LazyGroup, examples

COMMANDS = {
    "build": ("pipeline.cli.build:build", "Train, quantize, convert and verify a model."),
    "quantize": ("pipeline.cli.quantize:quantize", "Quantize and verify a Keras model of your own."),
    "verify": ("pipeline.cli.verify:verify", "Hold one .tflite file against another."),
    "run": ("pipeline.cli.run:run", "Classify windows with a built model."),
    "inspect": ("pipeline.cli.inspect:inspect", "Show what is inside a .tflite file."),
    "explain": ("pipeline.cli.explain:explain", "Show where an int8 LSTM's error comes from."),
    "benchmark": ("pipeline.cli.benchmark:benchmark", "Measure what models cost, and their peers."),
    "export": ("pipeline.cli.export:export", "Make a folder for a device from a build."),
    "report": ("pipeline.cli.report:report", "Render the reports of a build again."),
    "data": ("pipeline.cli.data:data", "Look at the data sets."),
}


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    epilog=examples(
        "pipeline build --quantize int8", "pipeline inspect build/japanese-vowels/model_int8.tflite"
    ),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(pipeline.__version__, prog_name="fuselage")
def cli() -> None:
    """From sequence data to a verified int8 TFLite file with a fused LSTM and attention.

    \b
    Exit codes: 0 passed, 1 parity failed, 2 wrong usage or input,
    3 training, 4 quantization, 5 conversion, 6 verification, 7 report failed,
    70 a bug, 130 interrupted, 143 terminated.
    """


def main() -> None:
    """The console script."""
    signal.signal(signal.SIGTERM, terminate)
    sys.exit(guarded(lambda: cli.main(prog_name="pipeline", standalone_mode=False)))
