"""One command-line flag for every field of the configuration, generated from it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from pipeline.config import AUTO
from pipeline.config_reader import Setting, refused_flags, sections, settings


class ConfigOption(click.Option):
    """A flag for a field of the configuration. Its value stays text until all are checked together."""

    def __init__(self, *args: Any, section: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.section = section


class ConfigCommand(click.Command):
    """A command whose help shows the flags under the tables they belong to."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command's own options first, then one group a table."""
        groups: dict[str, list[tuple[str, str]]] = {"Options": []}
        for section, model in sections().items():
            groups[f"[{section}] {(model.__doc__ or '').rstrip('.')}"] = []
        titles = dict(zip(sections(), list(groups)[1:], strict=True))
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record:
                title = titles[parameter.section] if isinstance(parameter, ConfigOption) else "Options"
                groups[title].append(record)
        for title, records in groups.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


def config_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add a flag for every field, and hidden ones whose use is told why it is refused; None: not given."""
    for name in refused_flags():
        function = click.option(f"--{name}", hidden=True, help="Refused.")(function)
    return _add(settings(), function)


def tolerance_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add a flag for every limit; those not given are None."""
    return _add([setting for setting in settings() if setting.section == "tolerances"], function)


def reading_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add a flag for every field that decides how data is read, but for the data itself."""
    fields = {("model", "task"), ("train", "seed")}
    return _add(
        [
            setting
            for setting in settings()
            if setting.section in ("data", "csv", "audio") or (setting.section, setting.key) in fields
            if setting.key not in ("source", "validation_fraction")
        ],
        function,
    )


_BROUGHT = ("quantize", "convert", "tolerances")  # sections
_BROUGHT_FLAGS = ("validation-fraction", "batch-size", "seed")


def brought_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the flags that mean something for a model that is trained already; those not given are None."""
    chosen = [one for one in settings() if one.section in _BROUGHT or one.flag in _BROUGHT_FLAGS]
    return _add(chosen, function)


def given_flags(flags: Mapping[str, Any]) -> dict[str, Any]:
    """The flags that were given, under the names `read_config` knows."""
    return {name.replace("_", "-"): value for name, value in flags.items() if value not in (None, ())}


def _add(chosen: Sequence[Setting], function: Callable[..., Any]) -> Callable[..., Any]:
    for setting in reversed(chosen):
        switch = "boolean" in setting.types
        default = setting.default_text
        if switch:
            default = f"--{setting.flag}" if setting.default else f"--no-{setting.flag}"
        allowed = setting.allowed.removesuffix(f", or {AUTO}")
        if setting.several:
            allowed = f"{allowed.removesuffix(', or a list')}; may be given again"
        limits = "" if switch or allowed == "text" else f"{allowed}; "
        function = click.option(
            f"--{setting.flag}/--no-{setting.flag}" if switch else f"--{setting.flag}",
            cls=ConfigOption,
            section=setting.section,
            type=bool if switch else str,
            default=None,
            multiple=setting.several,
            metavar=None if switch else _METAVARS[min(setting.types)],
            help=f"{setting.description} [{limits}default: {default}]",
        )(function)
    return function


_METAVARS = {"integer": "N", "number": "X", "string": "NAME"}
