"""What is put into the Android app: the committed assets, made again, and each refusal."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from android_app import APP, ASSETS, asset, build_of_the_demo, empty_app
from built_files import build_folder, config, files, write_verdict
from click.testing import CliRunner

from models.errors import InputError
from pipeline import runtime
from pipeline.cli import cli
from pipeline.export.android import MOST_WINDOWS, export_android

FILES = ("model.tflite", "model.json", "golden.json")


def exported(tmp_path: Path, **changes: Any) -> Path:
    """The assets that an export of the demo's model, with some of its metadata changed, writes."""
    written = export_android(build_of_the_demo(tmp_path / "build", **changes), empty_app(tmp_path / "app"))
    assert [path.name for path in written] == list(FILES)
    return written[0].parent


def test_the_committed_assets_are_what_an_export_writes(tmp_path: Path) -> None:
    made = exported(tmp_path)
    for name in FILES:
        assert (made / name).read_bytes() == (ASSETS / name).read_bytes(), name
    assert sorted(path.name for path in made.iterdir()) == sorted(FILES)  # no part is left


def test_the_card_says_what_the_file_says() -> None:
    content, card = (ASSETS / "model.tflite").read_bytes(), asset("model.json")
    model = runtime.SequenceClassifier(content)
    metadata = model.metadata
    assert card["sha256"] == hashlib.sha256(content).hexdigest()
    assert card["size_bytes"] == len(content)
    assert card["class_names"] == metadata["class_names"]
    assert [one["name"] for one in card["channels"]] == metadata["channel_names"]
    assert (card["steps"], card["sample_rate_hz"]) == (100, 10.0)
    for key in ("mean", "std"):
        assert card[key] == metadata["preprocessing"][key]
    assert card["input"]["shape"] == [1, 100, 6]
    assert card["attention"]["step"] == card["attention"]["scale"] == 1 / 256
    assert card["logits"]["index"] != card["attention"]["index"]


def test_golden_windows_are_two_of_each_class_with_the_runtimes_answers() -> None:
    model, card = runtime.SequenceClassifier(ASSETS / "model.tflite"), asset("model.json")
    windows = asset("golden.json")["windows"]
    assert [one["label"] for one in windows] == [name for name in card["class_names"] for _ in range(2)]
    for one in windows:
        said = model.predict(np.array(one["window"], np.float32))
        assert one["answer"] == said.label
        for name, values in (("logits", said.logits), ("attention", said.attention_weights)):
            q, tensor = np.array(one[name]), card[name]
            np.testing.assert_allclose((q - tensor["zero_point"]) * tensor["scale"], values, rtol=1e-6)
    assert np.abs(np.array(windows[0]["input"])).max() <= 128


def test_windows_come_back_as_the_float32_they_were() -> None:
    windows = np.array([one["window"] for one in asset("golden.json")["windows"]])
    np.testing.assert_array_equal(windows.astype(np.float32).astype(str).astype(float), windows)


def test_the_recordings_hold_no_gravity_so_the_sensor_without_it_is_asked() -> None:
    sensors = [one["sensor"] for one in asset("model.json")["channels"]]
    assert sensors == ["linear_acceleration"] * 3 + ["gyroscope"] * 3


@pytest.mark.parametrize("rate", [None, 0.0, 200.5])
def test_a_rate_that_cannot_be_measured_is_refused(tmp_path: Path, rate: float | None) -> None:
    with pytest.raises(InputError, match=f"sample rate is {rate} Hz"):
        exported(tmp_path, sample_rate_hz=rate)
    assert not (tmp_path / "app" / "app" / "src" / "main" / "assets").exists()


def test_channels_that_are_no_sensors_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot measure: 'pulse'"):
        exported(tmp_path, channel_names=["pulse", *(f"gyro {axis}" for axis in "xyz"), "acc x", "acc y"])


def test_another_task_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="task is multi-label") as error:
        exported(tmp_path, task="multi-label")
    assert "basic-motions" in error.value.tip


def test_a_build_without_report_or_with_few_labels(tmp_path: Path) -> None:
    build = build_of_the_demo(tmp_path / "build")
    write_verdict(build)
    card, _ = (json.loads(path.read_text()) for path in export_android(build, empty_app(tmp_path / "a"))[1:])
    assert card["attribution"] == ""
    with np.load(build / "golden.npz") as golden:
        raw = golden["raw_features"]
    np.savez(build / "golden.npz", raw_features=raw)
    with pytest.raises(InputError, match="no windows with labels"):
        export_android(build, tmp_path / "a")
    np.savez(build / "golden.npz", raw_features=raw, labels=np.full(len(raw), 9))
    with pytest.raises(InputError, match="no window of 100 steps"):
        export_android(build, tmp_path / "a")


def test_a_model_in_doubt_says_so_on_its_card(tmp_path: Path) -> None:
    build, app = build_of_the_demo(tmp_path / "build"), empty_app(tmp_path / "app")
    write_verdict(build, decision_agreement=False)
    with pytest.raises(InputError, match="failed: decision_agreement"):
        export_android(build, app)
    _, card, _ = export_android(build, app, force=True)
    warning = json.loads(card.read_text())["warning"]
    assert warning == "Parity of 'model_int8.tflite' failed: decision_agreement."


def test_the_interpreter_says_nothing_in_between(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    exported(tmp_path)
    assert capfd.readouterr() == ("", "")


def test_what_is_not_the_app_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not the Android app"):
        export_android(build_of_the_demo(tmp_path / "build"), tmp_path)


@pytest.mark.slow
def test_models_whose_attention_is_no_single_row_or_that_take_lengths_are_refused(tmp_path: Path) -> None:
    for of, said in (
        (config(query="all"), "draws one weight a step"),
        (config(variable_length=True), "lengths"),
    ):
        build = build_folder(tmp_path / said[:5], of, _named(files(of)["int8"]))
        with np.load(build / "golden.npz") as golden:
            arrays = dict(golden)
        np.savez(build / "golden.npz", **arrays, labels=np.arange(30) % 3)
        with pytest.raises(InputError, match=said):
            export_android(build, empty_app(tmp_path / f"app {said[:5]}"))


@pytest.mark.slow
def test_a_model_with_float_borders_is_taken_and_its_steps_are_told(tmp_path: Path) -> None:
    of = config()
    build = build_folder(tmp_path / "build", of, _named(files(of)["int8"]), windows=90)
    with np.load(build / "golden.npz") as golden:
        np.savez(build / "golden.npz", raw_features=golden["raw_features"], labels=np.arange(90) % 3)
    _, card, golden_file = export_android(build, empty_app(tmp_path / "app"))
    said = json.loads(card.read_text())
    assert (said["input"]["type"], said["logits"]["type"], said["logits"]["scale"]) == (
        "float32",
        "float32",
        0.0,
    )
    assert said["attention"]["step"] == 1 / 256
    assert said["channels"][0]["factor"] == pytest.approx(1 / 9.80665)
    windows = json.loads(golden_file.read_text())["windows"]
    assert len(windows) == 6 <= MOST_WINDOWS
    assert sum(windows[0]["attention"]) == pytest.approx(1.0, abs=0.1)


def _named(content: bytes) -> bytes:
    from converters.metadata import attach_metadata, read_metadata

    names = {"channel_names": [f"accelerometer {axis}" for axis in "xyz"]}
    return attach_metadata(content, (read_metadata(content) or {}) | names)


def test_the_command_prints_what_it_wrote(tmp_path: Path) -> None:
    build, app = build_of_the_demo(tmp_path / "build"), empty_app(tmp_path / "app")
    said = CliRunner().invoke(cli, ["export", "android", str(app), "--from", str(build)])
    assert said.exit_code == 0, said.output
    assert [Path(line).name for line in said.stdout.splitlines()] == list(FILES)


def test_the_app_is_where_the_documentation_says() -> None:
    assert (APP / "Makefile").is_file()
