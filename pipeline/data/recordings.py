"""Recordings: what the path of each says, and which part it belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.errors import InputError
from pipeline.data.file_names import LABEL, NamePattern
from pipeline.data.options import ReadOptions
from pipeline.data.registry import files_below, unreadable
from pipeline.data.rule import Rule
from pipeline.data.split import by_share

TEST_LIST, VALIDATION_LIST = "testing_list.txt", "validation_list.txt"
"""Paths one a line, as Speech Commands has them (P. Warden, 2018, arXiv:1804.03209)."""
BY_FOLDER, FLAT = "{label}/{file}", "{file}"


@dataclass(frozen=True)
class Recordings:
    """Recordings and what is known of each.

    Attributes:
        folder: where they are, and perhaps lists of their parts; None: they are in one file.
        paths: relative to it; in one file what tells them apart.
        fields: of each recording, by name: "label" and what else the pattern or a table has.
        notes: sentences for the user.
    """

    folder: Path | None
    paths: tuple[str, ...]
    fields: tuple[Mapping[str, str], ...]
    notes: tuple[str, ...] = ()

    @property
    def labels(self) -> np.ndarray:
        """[n] texts."""
        return np.array([one[LABEL] for one in self.fields])


@dataclass(frozen=True)
class Parts:
    """Which recordings are in which part.

    Attributes:
        test, validation: [n] bool; validation is None where nothing says which.
        notes: sentences for the user.
    """

    test: np.ndarray
    validation: np.ndarray | None = None
    notes: tuple[str, ...] = ()


def find_recordings(
    folder: Path, suffix: str, pattern: str | None, labelled: bool = True
) -> Recordings:
    """Find the files of a folder and what their paths say.

    Args:
        suffix: of the files.
        pattern: for paths below the folder; None: a folder a class, and `file` is the name without suffix.
            Folders in it whose names begin with `_` are left out then.
        labelled: whether the paths have to say the label; if not, files may lie in the folder itself.

    Raises:
        InputError: there is none, one does not fit, or the pattern has no `{label}`.
    """
    paths, notes = files_below(folder, suffix), []
    if pattern is None:
        aside = [path for path in paths if path.startswith("_")]
        if aside:
            notes.append(f"{_files(aside)} in folders that begin with '_' were left out: {_some(aside)}.")
            paths = [path for path in paths if not path.startswith("_")]
    if not paths:
        raise InputError(f"'{folder}' holds no {suffix} file.", "Is it the right folder?")
    flat = not labelled and not any("/" in path for path in paths)
    rule = NamePattern.parse(pattern or (FLAT if flat else BY_FOLDER))
    if labelled and LABEL not in rule.fields:
        raise InputError(
            f"The pattern '{pattern}' has the fields {', '.join(rule.fields)}; it needs {{{LABEL}}}."
        )
    fields = [rule.match(path if pattern else path[: -len(suffix)]) for path in paths]
    strange = [path for path, found in zip(paths, fields, strict=True) if found is None]
    if strange:
        what = f"do not fit the pattern '{pattern}'" if pattern else "do not lie in a folder of their class"
        raise InputError(
            f"{_files(strange)} of {len(paths)} in '{folder}' {what}: {_some(strange)}.",
            "Say what the paths below the folder are made of: --pattern '{label}_{speaker}_{index}.wav'."
            if not pattern
            else "The pattern is for the whole path below the folder, with the suffix.",
        )
    return Recordings(folder, tuple(paths), tuple(one for one in fields if one is not None), tuple(notes))


def part_recordings(found: Recordings, options: ReadOptions) -> Parts:
    """Say which recordings are the test part, and which the validation part if something says so.

    By the rule `test` of the options; else by the lists `testing_list.txt` and `validation_list.txt` of the
    folder; else by chance, `test_fraction` of each class, nobody on both sides.

    Raises:
        InputError: the rule or a list cannot be used, or a part is empty.
    """
    rule = options.data.test
    folder = found.folder
    validation, notes = None, []
    if rule is not None:
        test, how = _by_rule(found, rule), f"the rule '{rule}'"
    elif folder is not None and (folder / TEST_LIST).is_file():
        test, more = _by_list(found, folder / TEST_LIST)
        notes, how = [*more], TEST_LIST
        if (folder / VALIDATION_LIST).is_file():
            validation, more = _by_list(found, folder / VALIDATION_LIST)
            notes += more
            both = np.flatnonzero(validation & test)
            if len(both):
                raise InputError(f"'{found.paths[both[0]]}' is in {TEST_LIST} and in {VALIDATION_LIST}.")
    else:
        fraction = options.data.test_fraction
        test = by_share(groups_of(found, options), found.labels, fraction, options.seed)
        how = f"chance, {fraction:g} of each class"
        if options.data.group:
            how += f", no {options.data.group} in both parts"
    training = ~test if validation is None else ~test & ~validation
    for what, part in (("test", test), ("training", training)):
        if not part.any():
            tip = "Change the rule."
            if rule is None:
                tip = "Say which is the test part with --test, or record every class of more people."
            raise InputError(f"By {how}, no recording is in the {what} part.", tip)
    return Parts(test, validation, (f"The test part is chosen by {how}.", *notes))


def groups_of(found: Recordings, options: ReadOptions) -> np.ndarray:
    """Whose each recording is, [n] texts: the field `group` of the options, else each its own.

    Raises:
        InputError: the pattern has no such field.
    """
    name = options.data.group
    if name is None:
        return np.array(found.paths)
    if name not in found.fields[0]:
        raise InputError(
            f"group is '{name}'; what is known of a recording is {', '.join(found.fields[0])}.",
            "Say it in the pattern, --pattern '{label}_{" + name + "}_{index}.wav', or in a column.",
        )
    return np.array([one[name] for one in found.fields])


def _by_rule(found: Recordings, text: str) -> np.ndarray:
    rule = Rule.parse(text)
    rule.require(tuple(found.fields[0]))
    taken = []
    for path, fields in zip(found.paths, found.fields, strict=True):
        try:
            taken.append(rule.holds(fields))
        except InputError as error:
            raise InputError(f"'{path}': {error.message}", error.tip) from error
    return np.array(taken)


def _by_list(found: Recordings, path: Path) -> tuple[np.ndarray, tuple[str, ...]]:
    """Which recordings a list of the folder names, and a note where it names others."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise unreadable(path, error) from error
    except UnicodeDecodeError as error:
        raise InputError(f"'{path}' is no text in UTF-8: {error}.") from error
    listed = {line.strip().replace("\\", "/") for line in lines if line.strip()}
    absent = sorted(listed - set(found.paths))
    if len(absent) == len(listed):
        raise InputError(
            f"'{path}' names none of the {len(found.paths)} recordings; it has {len(absent)} lines: "
            f"{_some(absent)}.",
            "Its lines are paths below the folder, one a line: yes/0a7c2a8d_nohash_0.wav.",
        )
    notes = (f"{_files(absent)} of {path.name} are not there: {_some(absent)}.",) if absent else ()
    return np.array([one in listed for one in found.paths]), notes


def _files(paths: Sequence[str]) -> str:
    return f"{len(paths)} file{'' if len(paths) == 1 else 's'}"


def _some(paths: Sequence[str], most: int = 3) -> str:
    return ", ".join(paths[:most]) + (", ..." if len(paths) > most else "")
