"""Every command is documented, with examples that are real."""

from collections.abc import Iterator

import click
import pytest
from source_tree import ROOT

from pipeline.cli import COMMANDS, cli
from pipeline.cli.errors import BROKEN_PIPE, BUG, EXIT_CODES, INTERRUPTED, TERMINATED
from pipeline.config_reader import settings


def walk(group: click.Group, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from walk(command, (*path, name))


ALL = [(("pipeline",), cli), *walk(cli, ("pipeline",))]
IDS = [" ".join(path) for path, _ in ALL]


def examples_of(command: click.Command) -> list[str]:
    assert command.epilog is not None, "no examples"
    heading, *lines = command.epilog.removeprefix("\b\n").splitlines()
    assert heading == "Examples:"
    return [line.strip() for line in lines]


def test_the_walk_finds_the_commands() -> None:
    assert {
        "pipeline build",
        "pipeline run",
        "pipeline inspect",
        "pipeline report",
        "pipeline data list",
    } <= set(IDS)


@pytest.mark.parametrize(("path", "command"), ALL, ids=IDS)
def test_help_says_what_it_does_and_ends_with_examples_that_parse(
    path: tuple[str, ...], command: click.Command
) -> None:
    assert command.help
    assert command.help.splitlines()[0].endswith(".")
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
    for line in examples_of(command):
        assert len(f"    {line}") <= 80, line
        program, *words = line.split()
        assert program == "pipeline"
        called: click.Command = cli
        while isinstance(called, click.Group):
            name = words.pop(0)
            found = called.get_command(click.Context(called), name)
            assert found is not None, name
            called = found
        called.make_context(line, words)  # raises where an option is unknown or an argument is missing


def test_the_list_of_commands_says_what_the_commands_say() -> None:
    for name, (_, text) in COMMANDS.items():
        assert text.endswith(".")
        assert len(text) <= 60, name


@pytest.mark.parametrize(("path", "command"), ALL, ids=IDS)
def test_every_command_and_option_is_in_the_documentation(
    path: tuple[str, ...], command: click.Command
) -> None:
    text = (ROOT / "docs" / "cli.md").read_text()
    assert f"## `{' '.join(path)}`" in text or path == ("pipeline",)
    flags = {f"--{setting.flag}" for setting in settings()}  # these are in docs/config.md
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not flags & set(parameter.opts):
            assert f"`{parameter.opts[0]}" in text, parameter.opts[0]


def test_every_exit_code_is_in_the_documentation() -> None:
    text = (ROOT / "docs" / "cli.md").read_text()
    for code in (0, 1, *EXIT_CODES.values(), BUG, INTERRUPTED, BROKEN_PIPE, TERMINATED):
        assert f"\n| {code} |" in text, code


def test_every_field_is_in_the_documentation_with_flag_limits_and_default() -> None:
    text = (ROOT / "docs" / "config.md").read_text()
    for setting in settings():
        flag = f"--{setting.flag}" + (f"/--no-{setting.flag}" if "boolean" in setting.types else "")
        what = f"{setting.default_text} | {setting.allowed} | {setting.description}"
        row = f"| `{setting.key}` | `{flag}` | {what} |"
        section = text.split(f"## [{setting.section}]")[1].split("\n## ")[0]
        assert row in section, row


def test_an_unknown_command_gets_a_suggestion() -> None:
    with pytest.raises(click.UsageError, match="Did you mean 'build'"):
        cli.main(["biuld"], standalone_mode=False)
