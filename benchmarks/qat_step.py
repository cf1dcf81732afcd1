"""What a quantization-aware training step costs, beside Keras's own float step. Both are measured in one run.

    python benchmarks/qat_step.py [--repeats N] [--json]

A step is forward, gradient and Adam update, compiled as ``model.fit`` compiles it. Float and quantized step
take turns, so that whatever else the machine does meets both; the ratio is the one of the medians.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

THREADS = 2
UNITS, CLASSES = 64, 9
SHAPES = ((29, 12, 32), (128, 9, 64))  # steps T, features F, batch
LIMIT, GOAL = 2.0, 1.0
WARM_UP = 3

Step = Callable[[], Any]


def training_step(model: Any, loss: Callable[..., Any], x: Any, targets: Any) -> Step:
    """One step on a fixed batch, traced at the first call."""
    import tensorflow as tf
    import tf_keras

    optimizer = tf_keras.optimizers.Adam(1e-4, clipnorm=1.0)

    @tf.function
    def step() -> Any:
        with tf.GradientTape() as tape:
            value = loss(targets, model(x, training=True))
        gradients = tape.gradient(value, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return value

    return lambda: step().numpy()


def lstm_steps(steps: int, features: int, batch: int) -> tuple[Step, Step]:
    """Keras's LSTM layer alone and our fake-quantized one, towards random hidden states."""
    import tensorflow as tf
    import tf_keras

    from models.quantization.lstm import QuantizedLSTM

    def step(layer: Any) -> Step:
        inputs = tf_keras.Input((steps, features))
        return training_step(
            tf_keras.Model(inputs, layer(inputs)),
            lambda y, hidden: tf.reduce_mean(tf.square(y - hidden)),
            tf.random.normal([batch, steps, features]),
            tf.random.uniform([batch, steps, UNITS], -1.0, 1.0),
        )

    return step(tf_keras.layers.LSTM(UNITS, return_sequences=True)), step(QuantizedLSTM(UNITS))


def classifier_steps(steps: int, features: int, batch: int) -> tuple[Step, Step]:
    """LSTM, attention and head: the float model and its twin, both towards a teacher's answers."""
    import tensorflow as tf

    from models.classifier import build_model
    from models.config import ModelConfig, RecurrentConfig
    from models.quantization import quantize_model
    from models.quantization.divergence import class_divergence
    from models.quantization.training import attention_divergence

    model = build_model(ModelConfig(steps, features, CLASSES, recurrent=RecurrentConfig((UNITS,))))
    x = tf.random.normal([batch, steps, features])
    teacher = {
        "logits": tf.random.normal([batch, CLASSES]),
        "attention_weights": tf.nn.softmax(tf.random.normal([batch, steps])),
    }

    def loss(targets: Any, answers: Any) -> Any:
        logits = class_divergence(targets["logits"], answers["logits"])
        attention = attention_divergence(targets["attention_weights"], answers["attention_weights"])
        return tf.reduce_mean(logits + 3.0 * attention)

    return training_step(model, loss, x, teacher), training_step(quantize_model(model), loss, x, teacher)


def take_turns(float_step: Step, quantized_step: Step, repeats: int) -> tuple[float, float]:
    """Median time of each in milliseconds, run alternately."""
    taken_ms: tuple[list[float], list[float]] = ([], [])
    for turn in range(WARM_UP + repeats):
        for step, times in zip((float_step, quantized_step), taken_ms, strict=True):
            start = time.perf_counter()
            step()
            if turn >= WARM_UP:
                times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(taken_ms[0]), statistics.median(taken_ms[1])


def measure(repeats: int) -> list[dict[str, Any]]:
    """One row for each part and shape."""
    rows = []
    for part, make in (("LSTM layer", lstm_steps), ("classifier with attention", classifier_steps)):
        for steps, features, batch in SHAPES:
            float_ms, quantized_ms = take_turns(*make(steps, features, batch), repeats)
            rows.append(
                {
                    "part": part,
                    "units": UNITS,
                    "steps": steps,
                    "features": features,
                    "batch": batch,
                    "float_ms": float_ms,
                    "quantized_ms": quantized_ms,
                    "ratio": quantized_ms / float_ms,
                }
            )
    return rows


def machine() -> dict[str, Any]:
    """Where and with what the times were taken."""
    names = [line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "threads": THREADS,
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
        **{package: version(package) for package in ("tensorflow", "tf_keras", "numpy")},
    }


def _lines(path: str) -> Sequence[str]:
    try:
        return Path(path).read_text("utf-8").splitlines()
    except OSError:
        return ()


def show(result: dict[str, Any]) -> None:
    """Two tables and the limits."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    where = result["machine"]
    console.print(
        f"{where['processor']}, {where['cores']} cores, {where['threads']} threads, "
        f"load {where['load']:.1f}; "
        f"Python {where['python']}, tensorflow {where['tensorflow']}, tf_keras {where['tf_keras']}"
    )
    for part in dict.fromkeys(row["part"] for row in result["rows"]):
        table = Table(title=f"Training step, {part}, {UNITS} units: median of {result['repeats']}")
        for heading in ("T", "F", "batch", "float, Keras (ms)", "quantization-aware (ms)", "ratio"):
            table.add_column(heading, justify="right")
        for row in result["rows"]:
            if row["part"] == part:
                counts = (str(row[name]) for name in ("steps", "features", "batch"))
                times = (f"{row[name]:.1f}" for name in ("float_ms", "quantized_ms"))
                table.add_row(*counts, *times, f"{row['ratio']:.2f} x")
        console.print(table)
    console.print(f"Limit for the LSTM layer: {LIMIT} x. Goal: {GOAL:g} x.")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=30, help="timed steps of each kind (default: 30)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()

    from models.quiet_tensorflow import load_tensorflow

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    tf.config.threading.set_inter_op_parallelism_threads(THREADS)
    load_tensorflow()
    result = {
        "machine": machine(),
        "repeats": options.repeats,
        "limit": LIMIT,
        "goal": GOAL,
        "rows": measure(options.repeats),
    }
    print(json.dumps(result, indent=1)) if options.json else show(result)


if __name__ == "__main__":
    main()
