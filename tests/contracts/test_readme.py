"""What the README and the pages beside it say can be done, can be done. No command is run in full."""

import ast
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pytest
from source_tree import ROOT

from pipeline.build import PUBLISHED
from pipeline.cli import cli
from pipeline.cli.errors import BROKEN_PIPE, BUG, EXIT_CODES, INTERRUPTED, TERMINATED
from pipeline.config_reader import read_config
from pipeline.data.registry import load_dataset
from pipeline.parity.tasks import task_named
from pipeline.parity.tolerances import promise_limits
from pipeline.parity.verdict import Check
from pipeline.report.numbers import limit

README = ROOT / "README.md"
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/*.md"), *ROOT.glob("benchmarks/*.md")]
)
CONFIGS = sorted(ROOT.glob("examples/*.toml"))
TRAINING = ROOT / "docs" / "quantization-aware-training.md"
ATTENTION = ROOT / "docs" / "attention.md"
FROM_PYTHON = ROOT / "docs" / "python.md"


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a page that are in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)


def console_lines(page: Path) -> list[str]:
    """What a page tells people to type."""
    return [line for block in blocks(page, "console") for line in block.splitlines() if line]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_table_is_whole(page: Path) -> None:
    """A row behind a blank line is a paragraph with bars."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for block in text.split("\n\n"):
        rows = [line for line in block.splitlines() if line.startswith("|")]
        assert not rows or re.fullmatch(r"[|:\- ]+", rows[1] if len(rows) > 1 else ""), rows[0]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_place_is_left_for_a_figure(page: Path) -> None:
    assert "@@" not in page.read_text(encoding="utf-8")


COMMANDS = [(page, line) for page in PAGES for line in console_lines(page)]


@pytest.mark.parametrize(("page", "line"), COMMANDS, ids=[f"{name_of(p)}: {line}" for p, line in COMMANDS])
def test_every_command_exists_and_takes_its_options(page: Path, line: str) -> None:
    program, *words = shlex.split(line)
    for path in (word for word in words if word.startswith("examples/")):
        assert (ROOT / path).is_file()
    if program == "make":
        (target,) = words
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
    elif program == "pipeline":
        called: click.Command = cli
        while isinstance(called, click.Group):
            name = words.pop(0)
            found = called.get_command(click.Context(called), name)
            assert found is not None, name
            called = found
        called.make_context(line, words)  # raises where an option is unknown or an argument is missing
    elif program == "python":
        assert words[0].startswith("examples/")
    else:
        assert program == "export"


def test_the_first_screen_sets_up_runs_and_tests_with_one_command_each() -> None:
    first = README.read_text().split("\n## ")[0]
    assert re.findall(r"^make \w+$", first, re.MULTILINE) == ["make demo", "make test"]
    assert first.index("make demo") < first.index("<!-- parity -->") < first.index("make test")


def test_the_parity_table_is_the_promise_with_its_derived_limits() -> None:
    (table,) = re.findall(r"<!-- parity -->\n(.*?)<!-- /parity -->", README.read_text(), re.DOTALL)
    rows = re.findall(r"^\| `(\w+)` \| (\S+) \| *(.*?) *\| (.*) \|$", table, re.MULTILINE)
    assert tuple(name for name, *_ in rows) == task_named("classification").promise
    limits = promise_limits(steps=29, windows=370, attention_step=1 / 256)
    for name, value, shown, outcome in rows:
        relation = ">=" if shown.startswith("≥") else "<="
        check = Check(name, "float_model", relation, float(value), limits.get(name), "", 370)
        assert shown == limit(check), name
        assert outcome.endswith("pass" if check.passed else "reported"), name


def test_what_a_build_writes_is_in_the_readme() -> None:
    text = README.read_text()
    assert all(f"`{name}`" in text for name in (*PUBLISHED, "config.toml"))


def test_every_exit_code_is_in_the_readme_and_in_the_architecture() -> None:
    table = README.read_text().split("## Exit codes")[1].split("\n## ")[0]
    listed = re.findall(r"^\| ([\d, ]+) \|", table, re.MULTILINE)
    codes = {0, 1, *EXIT_CODES.values(), BUG, INTERRUPTED, BROKEN_PIPE, TERMINATED}
    assert {int(code) for cell in listed for code in cell.split(",")} == codes
    line = (ROOT / "docs" / "architecture.md").read_text().split("## Exit codes")[1].split("\n## ")[0]
    assert {int(part.split()[0]) for part in line.split("·")} == codes


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file), target


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_files_that_are_named_exist(page: Path) -> None:
    rooms = "pipeline|models|converters|examples|docs|tests"
    for path in re.findall(rf"`(?:python )?((?:{rooms})/[\w/.-]+)", page.read_text()):
        assert (ROOT / path).exists(), path


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [README, TRAINING, ATTENTION, FROM_PYTHON], ids=name_of)
def test_python_on_a_page_is_python_and_imports_what_exists(page: Path) -> None:
    imported = 0
    for block in blocks(page, "python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] in (
                "models", "converters", "pipeline"
            ):  # fmt: skip
                imported += 1
                source = ROOT.joinpath(*str(node.module).split("."))
                text = (source / "__init__.py" if source.is_dir() else source.with_suffix(".py")).read_text()
                for alias in node.names:
                    assert re.search(rf"\b{alias.name}\b", text), alias.name
    assert imported


@pytest.mark.slow
@pytest.mark.parametrize("page", [TRAINING, ATTENTION, FROM_PYTHON], ids=name_of)
def test_the_python_of_a_page_runs_from_top_to_bottom(page: Path, tmp_path: Path) -> None:
    script = tmp_path / "page.py"
    script.write_text("\n".join(blocks(page, "python")))
    done = subprocess.run(
        [sys.executable, script], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    if page == FROM_PYTHON:
        assert "use_bias=False: got a bias of zeros" in done.stdout
    if page == TRAINING:
        assert (tmp_path / "model_int8.tflite").read_bytes()[4:8] == b"TFL3"


@pytest.mark.parametrize("config", CONFIGS, ids=name_of)
def test_example_configurations_are_valid_and_commented(config: Path) -> None:
    text = config.read_text()
    assert f"pipeline build --config {name_of(config)}" in text
    assert f"`{config.name}`" in (ROOT / "examples" / "README.md").read_text()
    read_config(config, {"data": "japanese-vowels"})  # raises with every mistake


def test_the_example_that_makes_an_npz_makes_one_that_is_read(tmp_path: Path) -> None:
    folder, steps, windows = tmp_path / "unpacked", 128, 4
    for part in ("train", "test"):
        signals = folder / part / "Inertial Signals"
        signals.mkdir(parents=True)
        for number, signal in enumerate(("body_acc", "body_gyro", "total_acc")):
            for place, axis in enumerate("xyz"):
                values = np.full((windows, steps), 3 * number + place + np.arange(windows)[:, None] / 8)
                np.savetxt(signals / f"{signal}_{axis}_{part}.txt", values)
        (folder / part / f"y_{part}.txt").write_text("1\n2\n2\n1\n")
    (folder / "activity_labels.txt").write_text("1 WALKING\n2 WALKING_UPSTAIRS\n")
    out = tmp_path / "har.npz"
    script = ROOT / "examples" / "har_npz.py"
    subprocess.run([sys.executable, script, folder, out], check=True)

    dataset = load_dataset(str(out))
    assert dataset.class_names == ("walking", "walking_upstairs")
    assert dataset.channel_names[3] == "body_gyro_x"
    assert dataset.channel_units[3] == "rad/s"
    assert dataset.y_test.tolist() == [0, 1, 1, 0]
    assert dataset.x_train.shape == (4, 128, 9)
    np.testing.assert_allclose(dataset.x_train[2, 5], np.arange(9) + 0.25)


@pytest.mark.parametrize("script", sorted(ROOT.glob("examples/*.py")), ids=lambda path: path.name)
def test_every_example_finds_what_it_imports(script: Path) -> None:
    runpy.run_path(str(script), run_name="not main")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_examples_take_a_model_from_keras_to_a_verified_file(tmp_path: Path) -> None:
    said = []
    for script, *more in (("own_model.py",), ("from_python.py", "1")):
        done = subprocess.run(
            [sys.executable, ROOT / "examples" / script, tmp_path, *more],
            env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        said.append(done.stdout)
    assert "test accuracy" in said[0]
    assert "Mended: 'encoder': use_bias=False" in said[1]
    assert "\npass: All" in said[1]
