"""`pipeline data list` and `pipeline data describe`."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from sounds import write_tones

from pipeline.data.registry import names


def test_every_registered_data_set_is_listed_with_its_source(invoke: Any) -> None:
    done = invoke("data", "list")
    assert done.code == 0
    lines = done.out.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == list(names())
    assert "9 classes, 270 training and 370 test windows" in done.out
    assert "CC BY 4.0" in done.out


def test_a_folder_is_described(invoke: Any, tmp_path: Path) -> None:
    folder = write_tones(tmp_path / "tones")
    options = ("--pattern", "{label}_{who}_{take}.wav", "--test", "take < 5", "--audio-mels", "4")
    done = invoke("data", "describe", folder, *options)
    assert done.code == 0, done.err
    assert done.out.startswith("tones: classification, windows of 15 steps, 62.5 steps a second, 4 channel")
    assert "Front end: kind log-mel" in done.out
    assert "high       10     10" in done.out
    assert done.out.endswith("Nothing suspicious.\n")
    assert max(map(len, done.out.splitlines())) <= 80

    done = invoke("data", "describe", folder, *options, "--json")
    found = json.loads(done.out)
    assert found["front_end"]["mels"] == 4
    assert found["parts"]["train"]["windows"] == 20


def test_a_configuration_says_how_and_flags_win(invoke: Any, tmp_path: Path) -> None:
    folder = write_tones(tmp_path / "tones")
    config = tmp_path / "c.toml"
    config.write_text('[data]\nsource = "absent"\npattern = "{label}_{who}_{take}.wav"\ntest = "take < 5"\n')
    done = invoke("data", "describe", folder, "--config", config, "--test", "take < 2", "--json")
    assert json.loads(done.out)["parts"]["test"]["windows"] == 8, done.err


def test_what_is_suspicious_is_told(invoke: Any, tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(20, 4, 1))
    y = np.arange(20) % 2
    np.savez(tmp_path / "a.npz", x_train=x, y_train=y, x_test=x[:10], y_test=y[:10])
    done = invoke("data", "describe", tmp_path / "a.npz")
    assert done.code == 0
    assert "Suspicious: 10 of 10 test windows are in the training part too" in done.out


def test_what_cannot_be_read_is_an_error(invoke: Any, tmp_path: Path) -> None:
    done = invoke("data", "describe", tmp_path)
    assert done.code == 2
    assert "holds nothing" in done.err
    done = invoke("data", "describe", "japanese-vowels", "--group", "who")
    assert done.code == 2
    assert "[data] group would do nothing" in done.err
