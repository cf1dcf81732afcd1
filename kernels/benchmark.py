"""How fast the fused int8 LSTM is: `python kernels/benchmark.py`, one command, one run, one thread.

Everything is timed in turn, round after round, so that what else the machine does falls on all alike: the
built-in kernel, this package on each instruction set that runs here, TFLite's float LSTM, and onnxruntime's
LSTM in float and with dynamic int8 weights where `onnx` and `onnxruntime` are installed. First the op alone,
then whole models with attention. Medians of a call; ratios are of medians.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fuselage_kernels
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from benchmark_shapes import SHAPES

SLICE_S = 0.0005  # of one contender in one round: seldom interrupted, even on a busy machine
MODELS = Path(__file__).with_name("benchmark_models.py")
BUILTIN, FLOAT = "TFLite int8, built in", "TFLite float"
Call = Callable[[], Any]


def tflite(file: Path, delegate: Any = None) -> Call:
    """One inference; random input, the state carried."""
    delegates = [delegate] if delegate else None
    interpreter = Interpreter(str(file), num_threads=1, experimental_delegates=delegates)
    interpreter.allocate_tensors()
    (taken,) = interpreter.get_input_details()
    noise = np.random.default_rng(0).normal(size=taken["shape"])
    values = noise * 40 if taken["dtype"] == np.int8 else noise
    interpreter.set_tensor(taken["index"], np.clip(values, -128, 127).astype(taken["dtype"]))
    return interpreter.invoke  # type: ignore[no-any-return]


def onnx_lstms(steps: int, features: int, units: int, folder: Path) -> dict[str, Call]:
    """onnxruntime's LSTM in float and with dynamic int8 weights; {} where it is not installed."""
    try:
        import onnx
        import onnxruntime
        from onnxruntime.quantization import quantize_dynamic
    except ImportError:
        return {}
    random = np.random.default_rng(0)
    weights = {
        "W": random.normal(0, 0.1, (1, 4 * units, features)),
        "R": random.normal(0, 0.1, (1, 4 * units, units)),
        "B": random.normal(0, 0.1, (1, 8 * units)),
    }
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("LSTM", ["x", "W", "R", "B"], ["y"], hidden_size=units)],
        "lstm",
        [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [steps, 1, features])],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [steps, 1, 1, units])],
        [onnx.numpy_helper.from_array(array.astype(np.float32), name) for name, array in weights.items()],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9)
    files = {"onnxruntime float": folder / "float.onnx", "onnxruntime int8, dynamic": folder / "int8.onnx"}
    plain, quantized = files.values()
    onnx.save(model, plain)
    quantize_dynamic(plain, quantized, op_types_to_quantize=["LSTM"])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    x = random.normal(size=(steps, 1, features)).astype(np.float32)
    calls: dict[str, Call] = {}
    for name, file in files.items():
        session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        binding = session.io_binding()  # no copies in or out
        binding.bind_cpu_input("x", x)
        binding.bind_output("y")
        calls[name] = lambda session=session, binding=binding: session.run_with_iobinding(binding)
    return calls


def measure(calls: dict[str, Call], rounds: int) -> dict[str, list[float]]:
    """Microseconds of a call, a mean over a short slice a round, all in turn."""
    counts = {}
    for name, call in calls.items():
        for _ in range(3):
            call()
        start = time.perf_counter()
        call()
        counts[name] = max(1, int(SLICE_S / (time.perf_counter() - start)))
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.perf_counter()
            for _ in range(counts[name]):
                call()
            times[name].append((time.perf_counter() - start) / counts[name] * 1e6)
    return times


def machine() -> str:
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), name)
        numbers = [line.split(":")[1].strip() for line in lines if line.startswith(("cpu family", "model\t"))]
        name += f" (family {', model '.join(numbers[:2])})" if numbers else ""
    except OSError:
        pass
    return f"{name}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"


def ours(file: Path) -> dict[str, Call]:
    """This package on each instruction set, the best first."""
    calls = {}
    for path in fuselage_kernels.runnable_paths():
        delegate = fuselage_kernels.load("ai_edge_litert", path=path)
        calls[f"fuselage {path}"] = tflite(file, delegate)
        assert fuselage_kernels.describe(delegate).taken == 1
    return calls


def table(title: str, times: dict[str, list[float]]) -> None:
    medians = {name: statistics.median(values) for name, values in times.items()}
    print(f"\n{title}\n\n| | median, us | least, us | built-in / this | float / this |")
    print("|---|---|---|---|---|")
    for name, median in medians.items():
        ratios = " | ".join(f"{medians[other] / median:.1f}" for other in (BUILTIN, FLOAT))
        print(f"| {name} | {median:.1f} | {min(times[name]):.1f} | {ratios} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="how often each is timed [default: 200]")
    parser.add_argument("--models", type=Path, help="keep the models there, and take them from there")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.models or Path(temporary)
        if not list(folder.glob("*.tflite")):
            print("Making the models with TensorFlow ...", file=sys.stderr)
            folder.mkdir(parents=True, exist_ok=True)
            subprocess.run([sys.executable, str(MODELS), str(folder)], check=True, stderr=subprocess.DEVNULL)
        print(f"One thread, medians of {given.rounds} rounds in turn. {machine()}")
        for name, shape in SHAPES.items():
            calls = {BUILTIN: tflite(folder / f"{name}.lstm.int8.tflite")}
            calls |= ours(folder / f"{name}.lstm.int8.tflite")
            calls[FLOAT] = tflite(folder / f"{name}.lstm.float.tflite")
            calls |= onnx_lstms(*shape, Path(temporary))
            table(f"LSTM alone, {name}", measure(calls, given.rounds))
        for name in SHAPES:
            calls = {BUILTIN: tflite(folder / f"{name}.model.int8.tflite")}
            calls |= ours(folder / f"{name}.model.int8.tflite")
            calls[FLOAT] = tflite(folder / f"{name}.model.float.tflite")
            table(f"Whole model with attention, {name}", measure(calls, given.rounds))
        print(f"\nAt the end: {machine()}")


if __name__ == "__main__":
    main()
