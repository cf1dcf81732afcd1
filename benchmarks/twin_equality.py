"""Does the int8 file compute what was trained? Every output over whole test sets, counted as integers.

    python benchmarks/twin_equality.py [--data SOURCE ...] [--seeds N ...] [--quick] [--out DIR] [--json]

For each data set and seed the file is built (or taken from an earlier run), and held against the twin that
was trained: the LSTM's hidden states at every step, the attention weights, the logits. The LSTM is one kernel
everywhere. What follows it runs twice: with LiteRT's default kernels, where XNNPACK computes FULLY_CONNECTED
and BATCH_MATMUL with the twin's roundings, and without XNNPACK, where the kernels of these two round
otherwise (tests/converters/test_product_roundings.py).

Exit code 1 where an LSTM output differs. A data set whose file is absent is skipped, and said so.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

SOURCES = ("japanese-vowels", "basic-motions", "../shared/data/har/uci_har_subset.npz")
ATTENTION_STEPS = 256  # an int8 softmax has steps of 1/256
HIDDEN_STEPS = 128  # hidden states have steps of 1/128, zero point 0
QUICK = ("--epochs", "4", "--qat-epochs", "1")
INT8 = "model_int8.tflite"


@dataclass(frozen=True)
class Difference:
    """How many integers differ, of how many, and by how many steps at most."""

    differing: int
    total: int
    largest: int

    @classmethod
    def between(cls, trained: NDArray[Any], ran: NDArray[Any]) -> Difference:
        """Both in steps, of one shape."""
        if trained.shape != ran.shape or not trained.size:
            raise SystemExit(f"The twin gave {trained.shape}, the file {ran.shape}: they cannot be compared.")
        steps = np.abs(np.rint(trained).astype(np.int64) - np.rint(ran).astype(np.int64))
        return cls(int(np.count_nonzero(steps)), steps.size, int(steps.max()))

    def __str__(self) -> str:
        return f"{self.differing} of {self.total:,}" + (f", by {self.largest}" if self.differing else "")


def compare(build: Path) -> dict[str, Difference]:
    """Hold the int8 file of a build against its twin.

    Args:
        build: an output folder of `pipeline build`, converted at least.

    Returns:
        `lstm`; `attention` and `logits` with the default kernels; the same with ` without XNNPACK`.
    """
    from ai_edge_litert.interpreter import OpResolverType

    from converters.microscope import inner
    from pipeline.data.prepared import PreparedData

    stages = build / "stages"
    features = PreparedData.load(stages / "data").x_test
    content = (stages / "convert" / INT8).read_bytes()
    trained = twin_answers(stages, features)
    (seen,) = inner.run({INT8: content}, features)[INT8]
    found = {"lstm": Difference.between(trained["hidden"] * HIDDEN_STEPS, seen.output)}
    for suffix, resolver in (
        ("", OpResolverType.AUTO),
        (" without XNNPACK", OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES),
    ):
        answers, logits_scale = file_answers(content, features, resolver)
        for name, steps in (("attention_weights", ATTENTION_STEPS), ("logits", 1 / logits_scale)):
            found[name.removesuffix("_weights") + suffix] = Difference.between(
                trained[name] * steps, answers[name] * steps
            )
    return found


def twin_answers(stages: Path, features: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
    """What the trained twin says: `logits`, `attention_weights` and, of its LSTM, `hidden` [n, T, units]."""
    from models.quiet_tensorflow import load_tensorflow

    load_tensorflow()
    import tf_keras

    from models.classifier import build_model, inference_config
    from models.config import ModelConfig
    from models.quantization import quantize_model

    document = json.loads((stages / "train" / "model.json").read_text("utf-8"))
    twin = quantize_model(build_model(inference_config(ModelConfig.from_dict(document))))
    twin.load_weights(stages / "quantize" / "int8" / "twin.weights.h5")
    whole = tf_keras.Model(twin.input, {**twin.output, "hidden": twin.get_layer("lstm").output})
    answers: dict[str, NDArray[Any]] = whole.predict(features, batch_size=512, verbose=0)
    return answers


def file_answers(
    content: bytes, features: NDArray[np.float32], resolver: Any
) -> tuple[dict[str, NDArray[Any]], float]:
    """What the file says with the kernels of a resolver, by output, and the step of its logits."""
    from ai_edge_litert.interpreter import Interpreter

    from pipeline.runtime import SequenceClassifier

    classifier = SequenceClassifier(content)
    interpreter = Interpreter(model_content=content, experimental_op_resolver_type=resolver)
    interpreter.allocate_tensors()
    (given,) = interpreter.get_input_details()
    outputs = interpreter.get_signature_runner().get_output_details()
    places = {name: one["index"] for name, one in outputs.items()}
    found: dict[str, list[Any]] = {name: [] for name in places}
    for window in features:
        interpreter.reset_all_variables()
        interpreter.set_tensor(given["index"], window[np.newaxis])
        interpreter.invoke()
        for name, place in places.items():
            found[name].append(interpreter.get_tensor(place)[0])
    return {name: np.stack(rows) for name, rows in found.items()}, classifier.output_scales["logits"]


def build(source: str, seed: int, out: Path, quick: bool) -> Path:
    """The output folder of a build, converted; what an earlier run has made is kept."""
    folder = out / f"{Path(source).stem}-seed-{seed}{'-quick' if quick else ''}"
    command = ["build", "--data", source, "--seed", str(seed), "--out", str(folder), "--until", "convert"]
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *command, *(QUICK if quick else ())],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=sys.stderr,
    )
    if done.returncode:
        raise SystemExit(f"The build of {source} with seed {seed} failed with exit code {done.returncode}.")
    return folder


def show(rows: Sequence[dict[str, Any]]) -> None:
    """One table: what differs, of how many."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title="int8 file against the trained twin: integers that differ, of all")
    columns = [name for name in rows[0] if name not in ("data", "seed")]
    for heading in ("data", "seed", *columns):
        table.add_column(heading, justify="right" if heading in columns else "left")
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    Console(width=180).print(table)


def main() -> int:
    """Build, count, print; 1 where an LSTM output differs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", nargs="+", default=SOURCES, metavar="SOURCE", help="as `pipeline build`")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1], metavar="N", help="default: 0 1")
    parser.add_argument("--quick", action="store_true", help="hardly any training; equality does not need it")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "equality", help="where builds are kept")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    rows: list[dict[str, Any]] = []
    for source in options.data:
        if source.endswith(".npz") and not Path(source).is_file():
            print(f"Skipped {source}: there is no such file.", file=sys.stderr)
            continue
        for seed in options.seeds:
            found = compare(build(source, seed, options.out, options.quick))
            rows.append({"data": Path(source).stem, "seed": seed, **found})
    if not rows:
        raise SystemExit("Nothing was compared.")
    if options.json:
        print(json.dumps([{name: as_json(value) for name, value in row.items()} for row in rows], indent=1))
    else:
        show(rows)
    return 1 if any(row["lstm"].differing for row in rows) else 0


def as_json(value: Any) -> Any:
    """A difference as an object; names and seeds as they are."""
    return asdict(value) if isinstance(value, Difference) else value


if __name__ == "__main__":
    sys.exit(main())
