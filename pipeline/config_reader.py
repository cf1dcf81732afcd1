"""From a TOML file and flags to a `BuildConfig`, with every mistake reported at once."""

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from models.errors import InputError
from pipeline.config import AUTO, BuildConfig, Section


@dataclass(frozen=True)
class Setting:
    """One field of the configuration, as people meet it.

    Args:
        section, key: where it stands in TOML.
        flag: its command-line flag, without the leading dashes.
        types: the JSON types it takes: "integer", "number", "string", "boolean".
        allowed: its limits in words.
    """

    section: str
    key: str
    flag: str
    types: frozenset[str]
    allowed: str
    default: Any
    description: str

    def parse(self, text: str) -> Any:
        """The value of a flag's text; text that is no such value stays text, for validation to refuse."""
        for name, convert in (("integer", int), ("number", float)):
            if name in self.types:
                try:
                    return convert(text)
                except ValueError:
                    return text
        return text


def sections() -> dict[str, type[Section]]:
    """The TOML tables in their order, by name."""
    return {name: type(field.default) for name, field in BuildConfig.model_fields.items()}


def settings() -> list[Setting]:
    """Every field of the configuration, in order."""
    found = []
    for section, model in sections().items():
        properties = model.model_json_schema()["properties"]
        for key, field in model.model_fields.items():
            choices = [c for c in properties[key].get("anyOf", [properties[key]]) if c.get("type") != "null"]
            allowed = ", or ".join([*map(_in_words, choices), *([AUTO] if field.default is None else [])])
            found.append(
                Setting(
                    section=section,
                    key=key,
                    flag=properties[key].get("flag", model.flag_prefix + key.replace("_", "-")),
                    types=frozenset(c["type"] for c in choices),
                    allowed=allowed,
                    default=field.default,
                    description=field.description or "",
                )
            )
    return found


def read_config(file: Path | None = None, flags: Mapping[str, str | bool] | None = None) -> BuildConfig:
    """Merge a TOML file and flags (which win) over the defaults.

    Args:
        file: a TOML file, or None.
        flags: texts (or truth values of switches) by flag name.
    Raises:
        InputError: the file cannot be read, or anything is wrong in it or in the flags; the message
            has one line a mistake: where, what was got, what is allowed.
    """
    known = {setting.flag: setting for setting in settings()}
    origin: dict[tuple[str, ...], str] = {
        (known[flag].section, known[flag].key): f"--{flag}" for flag in flags or {}
    }
    merged: dict[str, Any] = dict(_read_toml(file) if file else {})
    for flag, value in (flags or {}).items():
        setting = known[flag]
        table = merged.get(setting.section, {})
        if isinstance(table, dict):  # else: not a table, refused below
            parsed = setting.parse(value) if isinstance(value, str) else value
            merged[setting.section] = {**table, setting.key: parsed}

    def where(location: tuple[str, ...]) -> str:
        table, *keys = location
        return origin.get(location) or f"{file}: {' '.join([f'[{table}]', *keys])}"

    mistakes = []
    config = None
    try:
        config = BuildConfig.model_validate(merged)
    except ValidationError as error:
        for found in error.errors(include_url=False):
            location = tuple(str(part) for part in found["loc"][:2])
            mistakes.append(f"{where(location)}: {_explain(location, found['type'], found['input'])}")
    table = merged.get("data")
    source = table.get("source") if isinstance(table, dict) else None
    if isinstance(source, str) and source and (problem := _source_problem(source)):
        mistakes.append(f"{where(('data', 'source'))}: {problem}")
    if config is None or mistakes:
        count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        raise InputError(
            f"{count} in the configuration:\n" + "\n".join(f"  {line}" for line in mistakes),
            "`pipeline build --help` lists every field with its limits.",
        )
    return config


def _suggestion(name: str, known: Iterable[str]) -> str:
    """` Did you mean 'x'?`, or nothing where no known name is near."""
    close = get_close_matches(name, list(known), n=1)
    return f" Did you mean '{close[0]}'?" if close else ""


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"Cannot read the configuration {file}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is not UTF-8 text, so it is not TOML.") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(
            f"{file} is not valid TOML: {error}.", 'Text values need quotes: io = "int8".'
        ) from error


def _explain(location: tuple[str, ...], kind: str, got: Any) -> str:
    """What is wrong at one place: what was got and what is allowed."""
    section, *keys = location
    known = {s.key: s for s in settings() if s.section == section}
    if kind == "extra_forbidden":
        name = location[-1]
        names = list(known) if keys else list(sections())
        hint = _suggestion(name.replace("-", "_"), names)
        homes = [s.section for s in settings() if s.key == name]
        if not hint and homes:
            hint = f" It belongs in [{homes[0]}]."
        return f"got an unknown {'key' if keys else 'table'}, allowed: {', '.join(names)}.{hint}"
    if not keys:
        return f"got {_shown(got)}, allowed: a table"
    allowed = known[keys[0]].allowed
    hint = _suggestion(str(got), allowed.replace(",", "").split()) if kind == "literal_error" else ""
    return f"got {_shown(got)}, allowed: {allowed}{'.' if hint else ''}{hint}"


def _source_problem(source: str) -> str:
    """Why the data source cannot be used, or nothing."""
    from pipeline.data.registry import source_identity

    try:
        source_identity(source)
    except InputError as error:
        return f"{error.message} {error.tip}".strip()
    return ""


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def _in_words(schema: Mapping[str, Any]) -> str:
    """A JSON schema of one value in words: "a number above 0 and at most 1"."""
    values = schema.get("enum") or ([schema["const"]] if "const" in schema else None)
    if values:
        return ("one of " if len(values) > 1 else "") + ", ".join(values)
    kind = {"integer": "an integer", "number": "a number", "string": "text", "boolean": "true or false"}
    if "minimum" in schema and "maximum" in schema:
        return f"{kind[schema['type']]} from {schema['minimum']:.15g} to {schema['maximum']:.15g}"
    limits = [
        f"{words} {schema[key]:.15g}"
        for key, words in (
            ("minimum", "at least"),
            ("exclusiveMinimum", "above"),
            ("maximum", "at most"),
            ("exclusiveMaximum", "below"),
        )
        if key in schema
    ]
    return " ".join([kind[schema["type"]], " and ".join(limits)]).strip()
