"""Models are timed in a child process; what goes wrong there is told of the file it went wrong with."""

import signal
from pathlib import Path

import numpy as np
import pytest
from float_lstm_file import build, random_lstm
from hand_made import hand_made

from models.errors import InputError, VerificationError
from pipeline.benchmark import measuring
from pipeline.benchmark.measuring import Candidate, start_fresh, time_together
from pipeline.benchmark.profile import RUNS
from pipeline.benchmark.runners import save_inputs
from pipeline.progress import Silence

X = np.random.default_rng(0).normal(size=(1, 5, 3)).astype(np.float32)


class Heard(Silence):
    """Counts what is told."""

    def __init__(self) -> None:
        self.steps = 0

    def advance(self, n: int = 1, note: str = "") -> None:
        self.steps += n


def candidate(folder: Path, name: str, content: bytes, profiled: bool = False) -> Candidate:
    path, inputs = folder / f"{name}.tflite", folder / f"{name}.npz"
    path.write_bytes(content)
    save_inputs(inputs, [X])
    return Candidate(name, path, inputs, "tflite", profiled)


def test_all_are_timed_in_every_round(tmp_path: Path) -> None:
    heard = Heard()
    given = [candidate(tmp_path, "a", random_lstm(3, 4, 5)), candidate(tmp_path, "b", hand_made(), True)]
    found = time_together(given, 25, 2, 1, heard)
    assert {name: len(times) for name, times in found.times_ms.items()} == {"a": 25, "b": 25}
    assert min(map(min, found.times_ms.values())) > 0
    assert heard.steps == 25
    assert set(found.memory_bytes) == {"a", "b"}
    assert {name: [len(one) for one in times] for name, times in found.profiles.items()} == {"b": [RUNS] * 4}


def test_a_start_is_from_the_file_to_the_first_answer(tmp_path: Path) -> None:
    heard = Heard()
    found = start_fresh(candidate(tmp_path, "a", hand_made()), 1, heard)
    assert found.processes == heard.steps == measuring.PROCESSES
    assert found.load_ms > 0
    assert found.first_ms > 0


def test_a_model_that_answers_with_no_number(tmp_path: Path) -> None:
    nan = build(*(np.full(shape, np.nan) for shape in ((4, 2, 3), (4, 2, 2), (4, 2))), 5)
    given = [candidate(tmp_path, "good", hand_made()), candidate(tmp_path, "nan", nan)]
    with pytest.raises(InputError, match=r"nan.tflite' answers seeded inputs with NaN"):
        time_together(given, 1, 0, 1, Silence())


def test_a_model_that_is_refused(tmp_path: Path) -> None:
    given = [candidate(tmp_path, "good", hand_made()), candidate(tmp_path, "cut", hand_made()[:300])]
    with pytest.raises(InputError, match=r"cut.tflite' cannot be run"):
        time_together(given, 1, 0, 1, Silence())


def test_the_end_of_the_child_is_told_of_the_file_it_was_at(tmp_path: Path) -> None:
    given = [candidate(tmp_path, name, hand_made()) for name in ("a", "b")]
    relay = measuring._Relay(Silence(), given)
    assert isinstance(relay.crashed(1, "failed."), VerificationError)
    relay.message("at 1")
    for code, message in ((-signal.SIGALRM, "not come to an end within 60 s"), (-signal.SIGSEGV, "crashed")):
        error = relay.crashed(code, "was ended.")
        assert isinstance(error, InputError)
        assert message in error.message
        assert "b.tflite" in error.message
