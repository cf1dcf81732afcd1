"""Everything a report shows, in one frozen structure that is saved as JSON and .npz, never as pickle."""

from __future__ import annotations

import json
import math
import os
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from models.errors import ReportError
from pipeline.data.targets import MANY
from pipeline.parity.measurements import Accuracy
from pipeline.parity.verdict import Check, verdict
from pipeline.report.answers import VIEWS
from pipeline.report.schemes import SchemeResult

SCHEMA = "fuselage-report/1"
DOCUMENT, ARRAYS = "report_data.json", "report_arrays.npz"
BUILD_NAMES = {"float_model": "float model", "int8": "int8 file", "int8_stock": "stock int8"}

Array = npt.NDArray[Any]
Json = dict[str, Any]


def short_names(names: Mapping[str, str]) -> tuple[str, str]:
    """The first words of what the two models are called, where there is little room."""
    return names["float_model"].split()[0], names["int8"].split()[0]


@dataclass(frozen=True)
class ReportData:
    """What was built, what was measured, and some windows to look at.

    Attributes:
        dataset: name, attribution, class_names, channel_names, channel_units, sample_rate_hz (or None),
            windows, steps, features.
        checks: in the order they are shown.
        accuracies: of every model that decided about the test windows.
        recalls: per class {"name", "n", "float_model", "int8"}; a recall is None where n is 0.
        confusions: {"float_model", "int8"} -> counts [true class][decided class].
        moved: {"total", "training", "quantization"} -> figures by check name.
        histograms: each {"title", "unit", "edges" [k + 1], "counts" [k]}.
        examples: windows drawn one by one, {"index", "why", "label", "float_class", "int8_class",
            "float_probability", "int8_probability", "total_variation", "attention_max_error",
            "padded_steps"}; classes are names.
        most_different: the same figures for the windows that differ most, without drawings.
        files: {"name", "size_bytes"} of the models.
        model: the int8 file: {"ops": [{"name", "count", "dtypes"}], "integer_only", "lstms": [{"name",
            "kind", "cell_clip", "parameters": [{"tensor", "dtype", "scale", "zero_point"}]}]}.
        latency_ms: median of one window, by file.
        training: {"name", "epochs": [{"epoch", "loss", ...}]} per phase.
        config: as resolved.
        provenance: versions and fingerprint.
        notes: sentences a reader has to know.
        glossary: check name -> what it means; `references` the same for what was compared with.
        names: what the two are called: "float_model" and "int8".
        built: True about a build; False about files that were given (`pipeline verify`): of these nothing is
            known about training, and `int8` stands for whatever file is held against the reference.
        schemes: of a build every scheme that was made, float32 first, each with its own checks; `checks`,
            maps and confusions are those of one of them.
        recommendation: {"scheme", "reason"}; None where there are no schemes.
        stock: TensorFlow's stock quantizer on the same float model, where a build was asked for it: {"file",
            "checks", "error"}; `checks` as above, held against the same limits and counting for nothing.
        task: what the models answer.
        scores: figures of merit beside the accuracies, {"name", "values": {what: value}} per model.
        attention_step: the quantization step of the int8 file's attention weights; None where it has none.
        queries: whether every step asks; the axis before the steps, if there is one, is then of queries.
        arrays: `example_signal` [m, T, F] standardized, `example_float`, `example_int8` [m, ..., T];
            `map_float`, `map_int8` [k, T] and `map_labels` [k] for the overview: means over rows.
    """

    dataset: Json
    checks: tuple[Check, ...]
    accuracies: tuple[Accuracy, ...]
    recalls: list[Json]
    confusions: dict[str, list[list[int]]]
    moved: dict[str, dict[str, float | None]]
    histograms: list[Json]
    examples: list[Json]
    most_different: list[Json]
    files: list[Json]
    model: Json
    latency_ms: dict[str, float]
    training: list[Json]
    config: Json
    provenance: Json
    notes: tuple[str, ...]
    glossary: dict[str, str]
    references: dict[str, str]
    arrays: dict[str, Array] = field(repr=False, compare=False)
    names: dict[str, str] = field(default_factory=lambda: dict(BUILD_NAMES))
    built: bool = True
    stock: Json | None = None
    schemes: tuple[SchemeResult, ...] = ()
    recommendation: Json | None = None
    attention_step: float | None = None
    task: str = "classification"
    scores: list[Json] = field(default_factory=list)
    queries: bool = False

    @property
    def verdict(self) -> Literal["pass", "fail"]:
        """`pass` or `fail`; of several schemes every one has to pass."""
        return verdict([*self.checks, *(check for scheme in self.schemes for check in scheme.checks)])

    @property
    def compares(self) -> bool:
        """Whether several schemes were asked for, so that there is something to choose."""
        return len([scheme for scheme in self.schemes if scheme.asked]) > 1

    @property
    def headline(self) -> str:
        """The verdict as one sentence."""
        if self.compares:
            return self._headline_of_schemes()
        judged = [check for check in self.checks if check.limit is not None]
        failed = [check.name for check in judged if not check.passed]
        if not judged:
            return "Nothing was held against a limit, and silence does not pass."
        if failed:
            return f"{len(failed)} of {len(judged)} checks failed: {', '.join(dict.fromkeys(failed))}."
        return f"All {len(judged)} checks passed on {self.dataset['windows']} test windows."

    def _headline_of_schemes(self) -> str:
        asked = [scheme for scheme in self.schemes if scheme.asked]
        holding = [scheme for scheme in asked if scheme.verdict == "pass"]
        failing = [scheme for scheme in self.schemes if scheme.verdict == "fail"]
        what = f"{len(holding)} of {len(asked)}" if len(holding) < len(asked) else f"All {len(asked)}"
        names = ((one.name, dict.fromkeys(check.name for check in one.failed)) for one in failing)
        missed = "; ".join(f"{name} fails {', '.join(checks)}" for name, checks in names)
        windows = f"{what} schemes hold every limit on {self.dataset['windows']} test windows"
        return f"{windows}{'; ' if missed else ''}{missed}."

    @property
    def attends(self) -> bool:
        """False where neither model has attention weights."""
        return bool(self.arrays["map_float"].shape[1] > 0)

    @property
    def shown_file(self) -> str:
        """The file that stands against the float model in `checks` and drawings."""
        names = [str(one["name"]) for one in self.files[:2]]
        return names[-1] if names else "model.tflite"

    @property
    def outputs_are(self) -> str:
        """"classes", "labels" or "targets"."""
        return MANY[self.task]

    @property
    def by_class(self) -> bool:
        """Whether a window has a class that it can be sorted by."""
        return VIEWS[self.task].by_class

    @property
    def averaged(self) -> str:
        """What the overview of attention is the mean over, "" where a window has one row of weights."""
        axes = self.arrays["example_float"].ndim - 2
        return " and ".join(["heads", "queries"][2 - axes :] if self.queries else ["heads"] * axes)

    def label(self, name: str) -> str:
        """What a model of `accuracies` is called."""
        return self.names.get(name, name.replace("_", " "))

    @property
    def beside_stock(self) -> list[tuple[Check, Check]]:
        """Every check of the promise, and beside it what the stock quantizer comes to."""
        stock = [Check.from_dict(check) for check in (self.stock or {}).get("checks", [])]
        ours = {check.name: check for check in self.checks if check.reference == "float_model"}
        return [(ours[check.name], check) for check in stock if check.name in ours]

    def accuracy(self, name: str) -> Accuracy | None:
        """The accuracy of one model by name."""
        return next((one for one in self.accuracies if one.name == name), None)

    def document(self) -> Json:
        """Everything but the arrays, as strict JSON values: what is not finite becomes None."""
        values = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "arrays"}
        values["checks"] = [check.to_dict() for check in self.checks]
        values["accuracies"] = [asdict(accuracy) for accuracy in self.accuracies]
        values["schemes"] = [scheme.to_dict() for scheme in self.schemes]
        strict: Json = _strict({"schema": SCHEMA, "verdict": self.verdict, **values})
        return strict

    def parity(self) -> Json:
        """The part of `document` that a terminal shows."""
        shown = (
            "verdict", "checks", "accuracies", "scores", "notes", "files", "names", "references", "built",
            "stock", "schemes", "recommendation",
        )  # fmt: skip
        document = self.document()
        return {name: document[name] for name in shown}

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Writes `report_data.json` and `report_arrays.npz` into an existing folder."""
        text = json.dumps(self.document(), indent=1, ensure_ascii=False, allow_nan=False)
        Path(folder, DOCUMENT).write_text(text + "\n", encoding="utf-8")
        np.savez_compressed(Path(folder, ARRAYS), allow_pickle=False, **self.arrays)

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> ReportData:
        """Reads what `save` wrote.

        Raises:
            ReportError: missing or damaged files, or a schema this version does not know.
        """
        try:
            document = json.loads(Path(folder, DOCUMENT).read_text(encoding="utf-8"))
            if document["schema"] != SCHEMA:
                raise ValueError(f"its schema is {document['schema']!r}, this version reads {SCHEMA!r}")
            with open(Path(folder, ARRAYS), "rb") as file, np.load(file, allow_pickle=False) as arrays:
                values = {one.name: document[one.name] for one in fields(cls) if one.name != "arrays"}
                values["checks"] = tuple(Check.from_dict(check) for check in document["checks"])
                values["accuracies"] = tuple(_accuracy(one) for one in document["accuracies"])
                values["notes"] = tuple(document["notes"])
                values["schemes"] = tuple(SchemeResult.from_dict(one) for one in document["schemes"])
                return cls(**values, arrays={name: arrays[name] for name in arrays.files})
        except (OSError, KeyError, TypeError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise ReportError(
                f"The report data in {folder} cannot be read: {error}", "Build again with --redo verify."
            ) from error


def _accuracy(values: Json) -> Accuracy:
    numbers: Json = {name: math.nan if value is None else value for name, value in values.items()}
    return Accuracy(**numbers)


def _strict(value: Any) -> Any:
    """The same value for a JSON without NaN: plain lists, plain numbers, None for what is not finite."""
    if isinstance(value, dict):
        return {str(key): _strict(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(item) for item in value]
    if isinstance(value, np.generic | np.ndarray):
        return _strict(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
