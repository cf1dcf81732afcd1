"""A benchmark that nobody ran: figures that are easy to recognize."""

from dataclasses import replace

from converters.findings.memory import Memory
from pipeline.benchmark.environment import Environment
from pipeline.benchmark.percentiles import Latency
from pipeline.benchmark.result import Benchmark, Entry, Instructions, Operator, Padding, Profile, Startup
from pipeline.targets.counting import OpInstructions

COUNTED = tuple(
    OpInstructions.counted(index, *one)
    for index, one in enumerate((("UNIDIRECTIONAL_SEQUENCE_LSTM", 1_043_554), ("RESHAPE", -12)))
)
FLOAT, INT8 = "model_float32.tflite", "model_int8.tflite"


def made(**changes: object) -> Benchmark:
    """Two files, one peer; profile, instructions and a padding of the second."""
    first = Entry(
        FLOAT, "", "tflite", 107_400, {"lstm": "float32"}, Latency(200, 0.05, 0.06, 0.09, 0.04, None),
        Startup(3, 0.8, 0.12), Memory(17_700, "interpreter"),
    )  # fmt: skip
    entries = (
        first,
        replace(
            first, name=INT8, size_bytes=36_800, lstms={"lstm": "int8 8x8_16"},
            latency=Latency(200, 0.5, 0.56, 0.72, 0.49, 9.6), memory=Memory(5_600, "tensors"),
            instructions=Instructions("cortex-a76", 1_075_714, 18_078_720, COUNTED, {}),
        ),
        replace(
            first, name="onnxruntime float32", peer_of=FLOAT, runner="onnxruntime", lstms={}, memory=None,
            latency=Latency(200, 0.035, 0.04, 0.05, 0.03, 0.7), largest_error=1.2e-6,
        ),
    )  # fmt: skip
    profile = Profile(
        INT8, 50,
        (Operator(None, "(the call itself)", "", 0.001, 0.001, 0.001),
         Operator(0, "UNIDIRECTIONAL_SEQUENCE_LSTM", "int8 1x29x64", 0.499, 0.49, 0.5),
         Operator(1, "RESHAPE", "int8 1x64", 0.0, -0.002, 0.0023)),
        whole_ms=0.5,
    )  # fmt: skip
    found = Benchmark(
        Environment("A processor", "x86_64", 2, 0.1, 1, "Linux 6", {"fuselage": "0.1.0"}),
        "seeded noise", 200, 10, entries, ("unfused: not asked for (--peer unfused)",), (profile,),
        (Padding(INT8, "lstm", 6, 12, "cortex-a76", 1000, ((8, 12, 800), (6, 16, 1100), (8, 16, 900))),),
        ("The machine was busy.",),
    )  # fmt: skip
    return replace(found, **changes)  # type: ignore[arg-type]
