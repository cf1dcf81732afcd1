"""A stream of samples against the whole windows; what is carried, what a reset does, what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from alone import run_alone
from built_files import FEATURES, STEPS, config, files, raw_windows

from converters.streaming import streaming_file
from pipeline import runtime, streaming
from pipeline.runtime import ModelFileError, WindowError, load_model
from pipeline.streaming import StreamAnswer, StreamingClassifier, StreamingModel

pytestmark = pytest.mark.slow  # the file takes ten seconds to make


@pytest.fixture(scope="module")
def whole() -> bytes:
    return files(config())["int8"]


@pytest.fixture(scope="module")
def streamed(whole: bytes) -> bytes:
    return streaming_file(whole)


def recording(samples: int, seed: int = 1) -> np.ndarray:
    """[samples, channels], raw units."""
    return raw_windows(1, seed, samples)[0]


def pushed(stream: StreamingModel, samples: np.ndarray, sizes: Any) -> list[StreamAnswer]:
    """All answers where the samples come in pieces of these sizes, over and over."""
    answers, at, place = [], 0, 0
    while at < len(samples):
        size = sizes[place % len(sizes)]
        answers += stream.push(samples[at : at + size])
        at, place = at + size, place + 1
    return answers


def assert_same(found: Any, wanted: Any) -> None:
    """Two predictions, to the last bit."""
    assert type(found) is type(wanted)
    for name, value in vars(wanted).items():
        np.testing.assert_array_equal(getattr(found, name), value, err_msg=name)


@pytest.mark.parametrize("hop", [1, 3, STEPS, STEPS + 5])
@pytest.mark.parametrize("sizes", [[1], [5], [2, 0, 11], [1000]], ids=str)
def test_windows_are_answered_as_the_whole_model_answers_them(
    whole: bytes, streamed: bytes, hop: int, sizes: list[int]
) -> None:
    samples, model = recording(61), load_model(whole)
    answers = pushed(StreamingClassifier(streamed, "window", hop), samples, sizes)
    starts = range(0, len(samples) - STEPS + 1, hop)
    assert [(one.start, one.stop) for one in answers] == [(start, start + STEPS) for start in starts]
    for one in answers:
        assert_same(one.prediction, model.predict(samples[one.start : one.stop]))


TASKS = {
    "multi-label": config("multi-label"),
    "regression": config("regression"),
    "per-step": config("per-step", query="all"),
    "lengths": config(variable_length=True),
    "two layers": config(units=(5, 4)),
}


@pytest.mark.parametrize("kind", ["int8", "float32"])
@pytest.mark.parametrize("of", TASKS.values(), ids=TASKS)
def test_every_task_streams(of: Any, kind: str) -> None:
    content, samples = files(of)[kind], recording(40)
    model = load_model(content)
    answers = StreamingModel(streaming_file(content), "window", 5).push(samples)
    assert len(answers) == 7
    for one in answers:
        assert_same(one.prediction, model.predict(samples[one.start : one.stop]))


def test_int8_input_streams() -> None:
    content, samples = files(config(), io="int8")["int8"], recording(40)
    model = load_model(content)
    for one in StreamingModel(streaming_file(content), "window").push(samples):
        assert_same(one.prediction, model.predict(samples[one.start : one.stop]))


def without_reset(content: bytes, samples: np.ndarray) -> list[np.ndarray]:
    """Logits of the whole file window after window, its state left as it is."""
    interpreter = runtime.open_interpreter(content, 1)
    runner = interpreter.get_signature_runner("serving_default")
    _, metadata = runtime.read_checked(content)
    features = runtime.standardized(samples, metadata).reshape(-1, 1, STEPS, FEATURES)
    return [runner(features=window)["logits"][0] for window in features]


def test_carried_state_is_the_interpreters_that_is_never_reset(whole: bytes, streamed: bytes) -> None:
    samples = recording(20 * STEPS)
    carried = StreamingClassifier(streamed, "carried").push(samples)
    for answer, logits in zip(carried, without_reset(whole, samples), strict=True):
        np.testing.assert_array_equal(answer.prediction.logits, logits)
    fresh = StreamingClassifier(streamed, "window").push(samples)
    assert_same(carried[0].prediction, fresh[0].prediction)  # both start from zero
    logits = [np.array([one.prediction.logits for one in answers]) for answers in (carried, fresh)]
    assert (logits[0] != logits[1]).any()


@pytest.mark.parametrize("hop", [1, 3, STEPS + 5])
def test_carried_windows_overlap_or_leave_samples_between(streamed: bytes, hop: int) -> None:
    """Every hop sees the one LSTM that runs on: the same window has the same answer whatever the hop."""
    samples = recording(60)
    every = {one.stop: one for one in StreamingClassifier(streamed, "carried", 1).push(samples)}
    assert min(every) == STEPS
    answers = pushed(StreamingClassifier(streamed, "carried", hop), samples, [7])
    assert [one.start for one in answers] == list(range(0, 60 - STEPS + 1, hop))
    for one in answers:
        assert_same(one.prediction, every[one.stop].prediction)


@pytest.mark.parametrize("state", ["window", "carried"])
def test_a_reset_makes_the_next_sample_the_first(streamed: bytes, state: str) -> None:
    samples = recording(3 * STEPS)
    stream = StreamingClassifier(streamed, state)
    first = stream.push(samples)
    stream.push(samples[: STEPS // 2])
    stream.reset()
    assert stream.seen == 0
    again = stream.push(samples)
    assert [one.start for one in again] == [0, STEPS, 2 * STEPS]
    for one, before in zip(again, first, strict=True):
        assert_same(one.prediction, before.prediction)


def test_100_000_samples_of_carried_state_do_not_drift(whole: bytes, streamed: bytes) -> None:
    """Each answer is that of the whole file, whose state the interpreter carries in chunks of a window."""
    samples = np.tile(recording(1000), (100, 1))
    answers = pushed(StreamingClassifier(streamed, "carried"), samples, [997])
    found = np.array([one.prediction.logits for one in answers])
    assert found.shape == (100_000 // STEPS, 3)
    assert int((found != np.array(without_reset(whole, samples))).sum()) == 0
    # A period of the samples is a period of the answers: what was long ago is forgotten, not piled up.
    period = 1000 // STEPS
    np.testing.assert_array_equal(found[-period:], found[period : 2 * period])


def test_one_sample_is_one_row(streamed: bytes) -> None:
    stream, samples = StreamingClassifier(streamed, "window"), recording(STEPS)
    answers = [answer for sample in samples for answer in stream.push(sample)]
    assert [one.stop for one in answers] == [STEPS]
    assert stream.push(np.zeros((0, FEATURES))) == []
    assert stream.push([]) == []
    assert stream.seen == STEPS


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros((2, FEATURES + 1)), r"Samples are \[n, 3\] \(channels: x, y, z\), got shape \(2, 4\)"),
        (np.zeros(FEATURES - 1), r"got shape \(1, 2\)"),
        (np.zeros((1, 2, FEATURES)), "got shape"),
        (np.zeros((0, FEATURES - 1)), r"got shape \(0, 2\)"),
        (np.zeros((5, 0)), r"got shape \(5, 0\)"),
        (3.0, r"got shape \(\)"),
        ([[1, 2, 3], [4, np.nan, 6]], "1 values are NaN.*step 1, channel 1"),
        ([["a", "b", "c"]], "holds numbers"),
        ([[1, 2, 3], [4, 5]], "differ in length"),
        ([[3e38, 0, 0], [0, -3.4e38, 0]], "infinite or too large"),
    ],
)
def test_samples_that_do_not_fit_are_refused_and_none_is_taken(
    streamed: bytes, samples: Any, message: str
) -> None:
    stream = StreamingClassifier(streamed, "window")
    stream.push(recording(3))
    with pytest.raises(WindowError, match=message):
        stream.push(samples)
    assert stream.seen == 3


def test_what_the_user_has_to_choose(streamed: bytes) -> None:
    with pytest.raises(ValueError, match=r"Unknown state 'forever'. Known: window, carried"):
        StreamingClassifier(streamed, "forever")
    for hop in (0, -1, 1.5, True, "3"):
        with pytest.raises(ValueError, match=f"whole number of samples, at least one; got {hop!r}"):
            StreamingClassifier(streamed, "window", hop)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="state"):
        StreamingClassifier(streamed)  # type: ignore[call-arg]


def test_files_that_do_not_stream(whole: bytes, streamed: bytes) -> None:
    with pytest.raises(ModelFileError, match=r"no signatures 'encode' and 'attend'.*--streaming"):
        StreamingClassifier(whole, "window")
    with pytest.raises(ModelFileError, match=r"no signature 'serving_default'.*for streaming"):
        load_model(streamed)
    with pytest.raises(ModelFileError, match="checksum"):
        StreamingClassifier(streamed.replace(b"up", b"UP"), "window")
    with pytest.raises(ModelFileError, match=r"'features' .* is \[1, 2, 3\], not \[1, 1, 3\]"):
        StreamingClassifier(streaming_file(whole, 2), "window")
    with pytest.raises(ModelFileError, match="task is regression; StreamingClassifier is for classification"):
        StreamingClassifier(streaming_file(files(config("regression"))["int8"]), "window")
    renamed = streamed.replace(b"hidden\0", b"hiddem\0")
    with pytest.raises(ModelFileError, match="do not fit together"):
        StreamingClassifier(renamed, "window", verify_checksum=False)


def test_two_files_alone_on_a_device(streamed: bytes, tmp_path: Path) -> None:
    for module in (runtime, streaming):
        shutil.copy(str(module.__file__), tmp_path)
    (tmp_path / "streaming.tflite").write_bytes(streamed)
    code = (
        "import json, sys, numpy, streaming\n"
        "s = streaming.StreamingClassifier('streaming.tflite', 'carried')\n"
        f"answers = s.push(numpy.ones(({2 * STEPS}, {FEATURES})))\n"
        "ours = {'pipeline', 'models', 'converters', 'tensorflow', 'aeon'}\n"
        "print(json.dumps([len(answers), sorted(ours & {name.split('.')[0] for name in sys.modules})]))"
    )
    assert run_alone(code, tmp_path) == [2, []]
