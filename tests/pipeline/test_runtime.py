from __future__ import annotations

import copy
import importlib
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from alone import run_alone

from pipeline import runtime
from pipeline.data.preprocessing import Preprocessing
from pipeline.runtime import ModelFileError, SequenceClassifier, WindowError, softmax

pytestmark = pytest.mark.slow  # the tiny models are converted once, in a process with TensorFlow

TINY = Path(__file__).with_name("tiny_model.py")
METADATA: dict[str, Any] = runpy.run_path(str(TINY))["METADATA"]
with_metadata: Callable[[bytes, Any], bytes] = runpy.run_path(str(TINY))["with_metadata"]
KINDS = ("float32", "int8", "int8_io")
STEPS, FEATURES = 5, 3


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("tiny")
    subprocess.run([sys.executable, str(TINY), str(folder)], check=True, capture_output=True)
    return {kind: (folder / f"{kind}.tflite").read_bytes() for kind in KINDS}


@pytest.fixture(params=KINDS)
def classifier(request: pytest.FixtureRequest, models: dict[str, bytes]) -> SequenceClassifier:
    return SequenceClassifier(models[request.param])


def window(seed: int = 0, steps: int = STEPS) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.5, 2.0, (steps, FEATURES))


def changed(models: dict[str, bytes], path: str, value: Any) -> bytes:
    """The float model with one entry of its metadata replaced; `...` takes it away."""
    metadata = copy.deepcopy(METADATA)
    *parents, key = path.split(".")
    place = metadata
    for parent in parents:
        place = place[parent]
    place[key] = value
    if value is ...:
        del place[key]
    return retagged(models["float32"], metadata)


def retagged(model: bytes, content: Any) -> bytes:
    """The model with other metadata; the old entry gets another name of the same length."""
    return with_metadata(model.replace(b"FUSELAGE_METADATA", b"SOMETHING_METADAT"), content)


# --- what it computes ------------------------------------------------------------------------------


def test_prediction_is_complete(classifier: SequenceClassifier) -> None:
    prediction = classifier.predict(window())
    assert prediction.label == METADATA["class_names"][prediction.class_index]
    assert prediction.class_index == prediction.logits.argmax() == prediction.probabilities.argmax()
    assert prediction.probabilities.sum() == pytest.approx(1, abs=1e-6)
    assert prediction.attention_weights.shape == (STEPS,)
    assert prediction.attention_weights.sum() == pytest.approx(1, abs=STEPS / 512)
    for values in (prediction.probabilities, prediction.logits, prediction.attention_weights):
        assert values.dtype == np.float32


def test_outputs_come_under_their_own_names(classifier: SequenceClassifier) -> None:
    outputs = classifier.run(np.zeros((STEPS, FEATURES), np.float32))
    assert {name: values.shape for name, values in outputs.items()} == {
        "logits": (2,),
        "attention_weights": (STEPS,),
    }


def test_int8_is_close_to_float_and_not_equal(models: dict[str, bytes]) -> None:
    features = np.random.default_rng(0).uniform(-1, 1, (STEPS, FEATURES))  # well inside the calibrated range
    exact, rounded = (SequenceClassifier(models[kind]).run(features) for kind in ("float32", "int8"))
    for name, limit in {"logits": 0.05, "attention_weights": 0.02}.items():
        assert 0 < np.abs(exact[name] - rounded[name]).max() < limit


@pytest.mark.parametrize("kernels", runtime.KERNELS)
def test_every_kind_of_kernels_answers_within_a_step(models: dict[str, bytes], kernels: str) -> None:
    one, other = SequenceClassifier(models["int8"]), SequenceClassifier(models["int8"], kernels=kernels)
    for seed in range(5):
        expected, found = one.predict(window(seed)), other.predict(window(seed))
        assert np.abs(expected.attention_weights - found.attention_weights).max() <= 1 / 256


def test_kernels_are_the_librarys_own(monkeypatch: pytest.MonkeyPatch, models: dict[str, bytes]) -> None:
    asked: list[Any] = []

    class Interpreter(runtime._interpreter_class()):  # type: ignore[misc]
        def __init__(self, **options: Any) -> None:
            asked.append(options.get("experimental_op_resolver_type"))
            super().__init__(**options)

    Interpreter.__module__ = runtime._interpreter_class().__module__
    monkeypatch.setattr(runtime, "_interpreter_class", lambda: Interpreter)
    for kernels in runtime.KERNELS:
        runtime.load_model(models["float32"], kernels=kernels)
    names = [one and one.name for one in asked]
    assert names == [None, None, "BUILTIN_WITHOUT_DEFAULT_DELEGATES", "BUILTIN_REF"]


def test_unknown_kernels_are_refused(models: dict[str, bytes]) -> None:
    with pytest.raises(ValueError, match=r"Unknown kernels 'fast'\. Known: builtin, default, undelegated"):
        SequenceClassifier(models["int8"], kernels="fast")


def test_int8_input_and_output_change_nothing(models: dict[str, bytes]) -> None:
    outside, inside = SequenceClassifier(models["int8_io"]), SequenceClassifier(models["int8"])
    for seed in range(5):
        one, other = outside.predict(window(seed)), inside.predict(window(seed))
        np.testing.assert_array_equal(one.logits, other.logits)
        np.testing.assert_array_equal(one.attention_weights, other.attention_weights)


def test_output_scales_are_those_of_the_quantized_outputs(models: dict[str, bytes]) -> None:
    scales = {kind: SequenceClassifier(models[kind]).output_scales for kind in KINDS}
    assert scales["float32"] == {"logits": 0.0, "attention_weights": 0.0}
    assert scales["int8"] == scales["int8_io"]
    assert scales["int8"]["attention_weights"] == 1 / 256  # an int8 softmax has no other
    logits = SequenceClassifier(models["int8"]).predict(window()).logits / scales["int8"]["logits"]
    np.testing.assert_allclose(logits, np.rint(logits), atol=1e-4)


# --- the state ----------------------------------------------------------------------------------------


def test_the_same_window_twice_gives_the_same_bits(classifier: SequenceClassifier) -> None:
    first = classifier.run(classifier.standardize(window()))
    classifier.predict(window(seed=1))
    again = classifier.run(classifier.standardize(window()))
    for name, values in first.items():
        np.testing.assert_array_equal(values, again[name])


def test_without_the_reset_the_second_call_differs(
    classifier: SequenceClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = classifier.predict(window()).logits
    monkeypatch.setattr(classifier._interpreter, "reset_all_variables", lambda: None)
    classifier.predict(window())
    assert np.abs(classifier.predict(window()).logits - first).max() > 0.01


# --- preprocessing ------------------------------------------------------------------------------------


def test_standardization_by_hand(classifier: SequenceClassifier) -> None:
    raw = np.tile([2.5, 0.75, 1.0], (STEPS, 1))  # mean 0.5, -0.25, 0; std 2, 1, 0.5
    np.testing.assert_array_equal(classifier.standardize(raw), np.tile([1.0, 1.0, 2.0], (STEPS, 1)))


def test_standardization_has_the_bits_of_the_one_in_training(classifier: SequenceClassifier) -> None:
    rule = Preprocessing.from_dict(METADATA["preprocessing"])
    raw = window().astype(np.float32)
    np.testing.assert_array_equal(classifier.standardize(raw), rule.apply(raw[np.newaxis])[0])


def test_a_short_window_is_padded_with_zeros_in_front_after_standardization(
    classifier: SequenceClassifier,
) -> None:
    features = classifier.standardize(window(steps=2))
    assert (features[:3] == 0).all()
    full = np.concatenate([np.tile(np.float32(METADATA["preprocessing"]["mean"]), (3, 1)), window(steps=2)])
    np.testing.assert_array_equal(features, classifier.standardize(full))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (window(steps=6), "6 steps; the model takes 1 to 5"),
        (np.zeros((0, 3)), "0 steps"),
        (np.zeros((5, 2)), r"\[time, 3\] \(channels: x, y, z\), got shape \(5, 2\)"),
        (np.zeros(5), r"got shape \(5,\)"),
        (np.zeros((1, 5, 3)), r"got shape \(1, 5, 3\)"),
        (np.where(np.arange(15).reshape(5, 3) == 7, np.nan, 0), "1 values .* the first at step 2, channel 1"),
        (np.full((5, 3), np.inf), "15 values .* step 0, channel 0"),
        (np.full((5, 3), 1e300), "too large"),
        (np.full((5, 3), 3.2e38), "too large"),  # finite, but not once it is divided by a std of 0.5
        (np.full((5, 3), "1"), "holds numbers, got <U1"),
        (np.zeros((5, 3), complex), "holds numbers, got complex128"),
        ([[1.0], [1.0, 2.0]], "rows of the window differ in length"),
    ],
)
def test_bad_window_is_refused(classifier: SequenceClassifier, bad: Any, message: str) -> None:
    with pytest.raises(WindowError, match=message):
        classifier.predict(bad)


def test_without_padding_every_other_length_is_refused(models: dict[str, bytes]) -> None:
    strict = SequenceClassifier(changed(models, "preprocessing.padding", "none"))
    strict.predict(window())
    for steps in (4, 6):
        with pytest.raises(WindowError, match=f"{steps} steps; the model takes exactly 5"):
            strict.predict(window(steps=steps))


@pytest.mark.parametrize("shape", [(4, 3), (5, 2), (1, 5, 3)])
def test_run_takes_the_exact_shape_only(classifier: SequenceClassifier, shape: tuple[int, ...]) -> None:
    with pytest.raises(WindowError, match=r"features of shape \(5, 3\)"):
        classifier.run(np.zeros(shape, np.float32))


def test_softmax_by_hand_and_without_overflow() -> None:
    np.testing.assert_allclose(softmax(np.log([1.0, 3.0])), [0.25, 0.75], rtol=1e-7)
    assert softmax(np.array([1e4, 0.0], np.float32)).tolist() == [1.0, 0.0]


def test_quantization_rounds_ties_to_even_and_saturates() -> None:
    details = {"dtype": np.int8, "quantization": (0.5, 3)}
    q = runtime.quantize(np.array([0.25, 0.75, -1000, 1000], np.float32), details)
    assert q.tolist() == [3, 5, -128, 127]
    assert runtime.dequantize(q, details).tolist() == [0.0, 1.0, -65.5, 62.0]


# --- the file -----------------------------------------------------------------------------------------


def test_path_and_bytes_are_the_same(models: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(models["int8"])
    metadata = SequenceClassifier(path).metadata
    assert metadata == SequenceClassifier(models["int8"]).metadata
    assert {**metadata, "sha256": METADATA["sha256"]} == METADATA
    SequenceClassifier(str(path), num_threads=2).predict(window())


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"Cannot read the model .*absent\.tflite': No such file"):
        SequenceClassifier(tmp_path / "absent.tflite")
    with pytest.raises(ModelFileError, match="Is a directory"):
        SequenceClassifier(tmp_path)


@pytest.mark.parametrize("content", [b"", b"TFL3", b"\0\0\0\0TFL3", b"PK\x03\x04" + bytes(99), bytes(99)])
def test_garbage_is_refused(content: bytes) -> None:
    with pytest.raises(ModelFileError):
        SequenceClassifier(content)


CUT = """
import sys
from pipeline.runtime import ModelFileError, SequenceClassifier
content = open(sys.argv[1], "rb").read()
lengths = [*range(0, len(content), 41), *range(len(content) - 12, len(content))]
for length in lengths:
    try:
        SequenceClassifier(content[:length])
    except ModelFileError:
        continue
    raise SystemExit(f"accepted at {length} bytes")
print(len(lengths))
"""


@pytest.mark.parametrize("kind", ["float32", "int8"])
def test_truncated_file_is_refused_at_every_length_and_never_crashes(
    models: dict[str, bytes], tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(models[kind])
    done = subprocess.run([sys.executable, "-c", CUT, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout) > 150


def test_our_own_walk_stays_inside_a_truncated_file(models: dict[str, bytes]) -> None:
    content = models["int8"]
    for length in range(len(content)):
        try:
            assert runtime._read_metadata(content[:length])["name"] == METADATA["name"]
        except ModelFileError:
            continue


def test_our_own_walk_stays_inside_a_damaged_file(models: dict[str, bytes]) -> None:
    random = np.random.default_rng(0)
    refused = 0
    for _ in range(500):
        content = np.frombuffer(models["int8"], np.uint8).copy()
        content[random.integers(0, len(content), 200)] = random.integers(0, 256, 200)
        try:
            runtime._read_metadata(content.tobytes())
        except ModelFileError:
            refused += 1
    assert refused > 100


def test_a_model_without_our_metadata_is_refused(models: dict[str, bytes]) -> None:
    with pytest.raises(ModelFileError, match="no FUSELAGE_METADATA"):
        SequenceClassifier(models["int8"].replace(b"FUSELAGE_METADATA", b"SOMETHING_METADAT"))


def test_a_changed_byte_anywhere_is_noticed_before_the_interpreter_sees_it(
    models: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(runtime, "open_interpreter")
    for place in range(0, len(models["int8"]), 7):
        content = bytearray(models["int8"])
        content[place] ^= 1
        with pytest.raises(ModelFileError):
            SequenceClassifier(bytes(content))


def test_a_change_on_purpose_is_taken_where_that_is_said(models: dict[str, bytes]) -> None:
    content = models["float32"].replace(b'"tiny"', b'"mine"')
    with pytest.raises(ModelFileError, match=r"damaged, or was changed .* checksum does not fit"):
        SequenceClassifier(content)
    assert SequenceClassifier(content, verify_checksum=False).metadata["name"] == "mine"


@pytest.mark.parametrize("checksum", [..., None, "", "0" * 63, "g" * 64, 1])
def test_metadata_without_a_checksum_is_refused(models: dict[str, bytes], checksum: object) -> None:
    with pytest.raises(ModelFileError, match="has no checksum"):
        SequenceClassifier(changed(models, "sha256", checksum))


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[" * 100_000, b""])
def test_metadata_that_is_not_json_is_refused(models: dict[str, bytes], content: bytes) -> None:
    with pytest.raises(ModelFileError, match="not JSON"):
        SequenceClassifier(retagged(models["float32"], content))


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("format", "other", "not 'fuselage-metadata'"),
        ("version", 2, "version 2, this runtime reads version 1"),
        ("version", ..., "version None"),
        ("class_names", [], "class_names has to be a list of texts"),
        ("class_names", ["a", 1], "class_names has to be a list of texts"),
        ("class_names", ["a", "b", "c"], r"'logits' has shape \[1, 2\]; its metadata says \[1, 3\]"),
        ("channel_names", ["x"], "channel_names needs one text a feature"),
        ("channel_units", ..., "channel_units needs one text a feature"),
        ("preprocessing", ..., "preprocessing is missing"),
        ("preprocessing.steps", 0, "preprocessing.steps has to be a positive number"),
        ("preprocessing.steps", 6, r"'features' has shape \[1, 5, 3\]; its metadata says \[1, 6, 3\]"),
        ("preprocessing.features", "3", "preprocessing.features has to be a positive number"),
        ("preprocessing.mean", [0.0, 0.0], "preprocessing.mean needs one number a feature"),
        ("preprocessing.mean", [0.0, 0.0, float("nan")], "preprocessing.mean has to hold numbers"),
        ("preprocessing.mean", [0.0, 0.0, 1e300], "preprocessing.mean has to hold numbers"),
        ("preprocessing.std", "ones", "preprocessing.std has to hold numbers"),
        ("preprocessing.std", [1.0, 0.0, 1.0], "preprocessing.std has to be positive"),
        ("preprocessing.std", [1.0, 1e-60, 1.0], "preprocessing.std has to be positive"),
        ("preprocessing.padding", "back", "preprocessing.padding has to be 'none', 'front' or 'end'"),
    ],
)
def test_metadata_that_cannot_be_relied_on_is_refused(
    models: dict[str, bytes], path: str, value: Any, message: str
) -> None:
    with pytest.raises(ModelFileError, match=message):
        SequenceClassifier(changed(models, path, value))


def test_metadata_has_to_be_an_object(models: dict[str, bytes]) -> None:
    with pytest.raises(ModelFileError, match="not 'fuselage-metadata'"):
        SequenceClassifier(retagged(models["float32"], b"[1]"))


def test_a_model_without_the_signature_is_refused(models: dict[str, bytes]) -> None:
    content = models["float32"].replace(b"serving_default", b"serving_another")
    with pytest.raises(ModelFileError, match="no signature 'serving_default'"):
        SequenceClassifier(content, verify_checksum=False)


def test_a_missing_output_is_named(models: dict[str, bytes]) -> None:
    content = models["float32"].replace(b"attention_weights\0", b"attention_waights\0")
    with pytest.raises(ModelFileError, match="no tensor 'attention_weights'"):
        SequenceClassifier(content, verify_checksum=False)


def test_buffers_outside_of_the_flatbuffer_are_refused(
    models: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "_BUFFER_OFFSET", runtime._BUFFER_DATA)  # as if that field were set
    with pytest.raises(ModelFileError, match="outside of the flatbuffer"):
        SequenceClassifier(models["float32"])


# --- alone on a device --------------------------------------------------------------------------------


def test_a_copy_of_the_file_works_alone_and_loads_nothing_else(
    models: dict[str, bytes], tmp_path: Path
) -> None:
    shutil.copy(runtime.__file__, tmp_path / "runtime.py")
    (tmp_path / "model.tflite").write_bytes(models["int8"])
    code = (
        "import json, sys, numpy, runtime\n"
        "p = runtime.SequenceClassifier('model.tflite').predict(numpy.ones((5, 3)))\n"
        "ours = {'pipeline', 'models', 'converters', 'tensorflow', 'aeon'}\n"
        "print(json.dumps([p.label, sorted(ours & {name.split('.')[0] for name in sys.modules})]))"
    )
    label, seen = run_alone(code, tmp_path)
    assert label in METADATA["class_names"]
    assert seen == []


@pytest.mark.parametrize(
    "installed", ["ai_edge_litert.interpreter", "tflite_runtime.interpreter", "tensorflow"]
)
def test_the_first_interpreter_there_is_gets_used(monkeypatch: pytest.MonkeyPatch, installed: str) -> None:
    class Found:
        pass

    def find(name: str) -> ModuleType:
        if name != installed:
            raise ImportError(name)
        module = ModuleType(name)
        place = module if name != "tensorflow" else ModuleType("lite")
        module.lite = place  # type: ignore[attr-defined]
        place.Interpreter = Found  # type: ignore[attr-defined]
        return module

    monkeypatch.setattr(importlib, "import_module", find)
    assert runtime._interpreter_class() is Found


def test_no_interpreter_at_all_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(name: str) -> ModuleType:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", find)
    with pytest.raises(ImportError, match="pip install ai-edge-litert"):
        runtime._interpreter_class()


def test_a_model_that_says_it_has_no_attention_gives_none(models: dict[str, bytes]) -> None:
    """As of a model that was brought: its metadata lists its outputs."""
    content = models["float32"].replace(b"attention_weights\0", b"attention_waights\0")
    metadata = METADATA | {"signature": {"input": "features", "outputs": ["logits", "attention_waights"]}}
    classifier = SequenceClassifier(retagged(content, metadata), verify_checksum=False)
    prediction = classifier.predict(window())
    assert prediction.attention_weights.shape == (0,)
    right = SequenceClassifier(models["float32"], verify_checksum=False).predict(window())
    np.testing.assert_array_equal(prediction.logits, right.logits)


@pytest.mark.parametrize("signature", [None, [], {"outputs": 3}])
def test_a_signature_that_lists_no_outputs_excuses_nothing(models: dict[str, bytes], signature: Any) -> None:
    content = models["float32"].replace(b"attention_weights\0", b"attention_waights\0")
    with pytest.raises(ModelFileError, match="no tensor 'attention_weights'"):
        SequenceClassifier(retagged(content, METADATA | {"signature": signature}), verify_checksum=False)
