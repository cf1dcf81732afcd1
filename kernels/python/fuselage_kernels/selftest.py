"""`python -m fuselage_kernels.selftest INTERPRETER [PATH]`: the delegate against the built-in kernel.

One tiny model (selftest.tflite: 37 units, 5 features, two windows at a time), in both: from the zero state,
from the state left behind, after a reset, and with another number of steps. Outputs and states have to be
equal to the last bit. Exit code 0, or 1 and a sentence on stderr.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

MODEL = Path(__file__).with_name("selftest.tflite")


def compare(module: str, path: str | None) -> str:
    """Return what differs, "" if nothing does."""
    import numpy as np

    from fuselage_kernels.library import describe
    from fuselage_kernels.loader import interpreter_of, open_delegate

    delegate = open_delegate(module, path)
    make = interpreter_of(module).Interpreter
    pair = [make(str(MODEL), num_threads=1, experimental_delegates=one) for one in (None, [delegate])]
    random = np.random.default_rng(7)

    def run(steps: int | None, what: str) -> str:
        """Run both on the same window; with `steps`, resized to as many before."""
        results = []
        if steps is not None:
            for interpreter in pair:
                batch, _, features = interpreter.get_input_details()[0]["shape"]
                interpreter.resize_tensor_input(0, [batch, steps, features])
                interpreter.allocate_tensors()
                interpreter.reset_all_variables()
        window = random.integers(-128, 128, pair[0].get_input_details()[0]["shape"]).astype(np.int8)
        for interpreter in pair:
            interpreter.set_tensor(interpreter.get_input_details()[0]["index"], window)
            interpreter.invoke()
            results.append([interpreter.get_tensor(place) for place in _places(interpreter)])
        same = all(np.array_equal(theirs, ours) for theirs, ours in zip(*results, strict=True))
        return "" if same else f"the results differ {what}."

    problem = ""
    for interpreter in pair:
        interpreter.allocate_tensors()
        interpreter.reset_all_variables()
    problem = run(None, "from the zero state") or run(None, "with a carried state")
    for interpreter in pair:
        interpreter.reset_all_variables()
    problem = problem or run(None, "after a reset") or run(11, "with another number of steps")
    taken = describe(delegate)
    if not problem and (taken.taken, taken.refused) != (1, 0):
        problem = f"the delegate took {taken.taken} LSTMs of 1: {'; '.join(taken.reasons)}."
    return problem


def _places(interpreter: Any) -> list[int]:
    """Indices of the output and of both states."""
    named = {tensor["name"]: tensor["index"] for tensor in interpreter.get_tensor_details()}
    return [named["y"], named["h"], named["c"]]


def main() -> int:
    module, path = (*sys.argv[1:], "", "")[:2]
    problem = compare(module, path or None)
    if problem:
        print(problem, file=sys.stderr)
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main())
