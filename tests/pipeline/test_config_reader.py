"""Reading a configuration: flags win, and every mistake is told at once."""

from pathlib import Path
from typing import Any

import pytest

from models.errors import InputError
from pipeline.config import BuildConfig
from pipeline.config_reader import read_config, settings


def write(folder: Path, text: str) -> Path:
    path = folder / "my.toml"
    path.write_text(text)
    return path


def mistakes_of(file: Path | None = None, flags: Any = None) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_config(file, flags)
    return [line.strip() for line in caught.value.message.splitlines()[1:]]


def test_nothing_given_means_the_defaults() -> None:
    assert read_config() == BuildConfig()


def test_flags_override_toml_and_toml_overrides_defaults(tmp_path: Path) -> None:
    file = write(tmp_path, "[model]\nunits = 32\ndropout = 0\n[train]\nepochs = 5\n")
    config = read_config(file, {"units": "16", "epochs": "auto", "qat": False, "learning-rate": "1e-2"})
    assert (config.model.units, config.model.dropout) == ((16,), 0.0)
    assert (config.train.epochs, config.train.learning_rate, config.quantize.qat) == (None, 0.01, False)


def test_three_mistakes_are_three_lines_with_where_got_and_allowed(tmp_path: Path) -> None:
    file = write(tmp_path, '[model]\nunits = "many"\ndropuot = 0.1\n[train]\nseed = -1\n')
    assert mistakes_of(file) == [
        f'{file}: [model] units: got "many", allowed: an integer from 1 to 1024, or a list',
        f"{file}: [model] dropuot: got an unknown key, allowed: task, units, bidirectional, layer_dropout, "
        "attention, query, combine, heads, variable_length, dropout, input_noise. "
        "Did you mean 'dropout'?",
        f"{file}: [train] seed: got -1, allowed: an integer from 0 to 2147483647",
    ]


def test_mistakes_in_flags_and_in_the_file_are_told_together(tmp_path: Path) -> None:
    file = write(tmp_path, '[convert]\nio = "int9"\n')
    lines = mistakes_of(file, {"data": "japanese-vowel", "epochs": "1.5", "quantize": "int-8"})
    assert len(lines) == 4
    assert '--epochs: got "1.5", allowed: an integer from 1 to 100000, or auto' in lines
    formats = "one of float32, float16, dynamic, int8, or a list"
    assert f"--quantize: got \"int-8\", allowed: {formats}. Did you mean 'int8'?" in lines
    assert f"{file}: [convert] io: got \"int9\", allowed: one of float32, int8. Did you mean 'int8'?" in lines
    assert "--data: " in lines[3]
    assert "Did you mean 'japanese-vowels'?" in lines[3]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[model]\nepochs = 3\n", "[model] epochs: got an unknown key"),
        ("[modle]\nunits = 3\n", "[modle]: got an unknown table"),
        ("units = 3\n", "[units]: got an unknown table"),
        ("model = 3\n", "[model]: got 3, allowed: a table"),
        ("[model]\nunits = true\n", "[model] units: got true"),
        ("[model]\ndropout = nan\n", "[model] dropout: got NaN"),
        ("[train]\nlearning_rate = inf\n", "[train] learning_rate: got Infinity"),
        ("[model]\nunits = 'auto'\n", '[model] units: got "auto"'),
        ("[quantize]\nqat = 1\n", "[quantize] qat: got 1, allowed: true or false"),
        ("[data]\nsource = 3\n", "[data] source: got 3, allowed: text"),
        ("[data]\nsource = 'none.npz'\n", "none.npz"),
    ],
)
def test_each_kind_of_mistake_is_told(tmp_path: Path, text: str, told: str) -> None:
    (line,) = mistakes_of(write(tmp_path, text))
    assert told in line


def test_a_key_of_another_table_is_sent_home(tmp_path: Path) -> None:
    (line,) = mistakes_of(write(tmp_path, "[model]\nepochs = 3\n"))
    assert line.endswith("It belongs in [train].")


def test_a_list_in_toml_and_a_flag_that_is_given_again_are_the_same(tmp_path: Path) -> None:
    file = write(tmp_path, '[model]\nunits = [32, 16]\n[quantize]\nscheme = ["float16", "int8"]\n')
    flags = {"units": ("32", "16"), "quantize": ("float16", "int8")}
    assert read_config(file) == read_config(None, flags)
    assert read_config(file, {"units": ("8",)}).model.units == (8,)


def test_of_several_values_those_that_are_wrong_are_told() -> None:
    lines = mistakes_of(None, {"units": ("8", "0", "x"), "quantize": ("int4",)})
    assert [line.split(",")[0] for line in lines] == [
        "--units: got 0", '--units: got "x"', '--quantize: got "int4"',
    ]  # fmt: skip
    assert mistakes_of(None, {"units": ()}) == [
        "--units: got [], allowed: an integer from 1 to 1024, or a list"
    ]


@pytest.mark.parametrize("given", ["[model]\nrecurrent_dropout = 0.2\n", ""])
def test_what_cannot_be_had_says_why_and_what_can(tmp_path: Path, given: str) -> None:
    file = write(tmp_path, given)
    (line,) = mistakes_of(file) if given else mistakes_of(None, {"recurrent-dropout": "0.2"})
    assert line.startswith(f"{file}: [model] recurrent_dropout" if given else "--recurrent-dropout: refused")
    assert "does not fuse" in line
    assert "--layer-dropout" in line


def test_conflicts_are_told_all_at_once_where_they_were_given(tmp_path: Path) -> None:
    file = write(tmp_path, "[model]\nheads = 3\nlayer_dropout = 0.1\n")
    lines = mistakes_of(file, {"quantize": ("float16",), "attention-precision": ("int16",), "io": "int8"})
    assert [line.split(": got ")[0] for line in lines] == [
        f"{file}: [model] layer_dropout", f"{file}: [model] heads", "--attention-precision", "--io",
    ]  # fmt: skip


@pytest.mark.parametrize("content", [b"[model\n", b"\xff\xfe"])
def test_a_file_that_is_no_toml_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "my.toml"
    file.write_bytes(content)
    with pytest.raises(InputError, match="TOML"):
        read_config(file)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_config(tmp_path / "none.toml")


def test_flags_are_unique_and_have_the_promised_names() -> None:
    flags = [setting.flag for setting in settings()]
    assert len(flags) == len(set(flags))
    assert {"data", "quantize", "io", "qat", "units", "epochs", "seed"} <= set(flags)


def test_every_default_is_allowed() -> None:
    given: dict[str, str | bool] = {
        s.flag: s.default if isinstance(s.default, bool) else s.default_text for s in settings()
    }
    assert read_config(None, given) == BuildConfig()
