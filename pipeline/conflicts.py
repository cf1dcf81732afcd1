"""What does not go together in a configuration whose fields are all right by themselves."""

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.config import BuildConfig


@dataclass(frozen=True)
class Conflict:
    """One field that another one forbids.

    Args:
        section, key: the field that has to change, as in TOML.
        text: what was got, what is allowed, and which other field says so.
    """

    section: str
    key: str
    text: str


def conflicts(config: BuildConfig) -> Iterator[Conflict]:
    """Every conflict, in the order of the fields."""
    yield from _csv(config)
    yield from _model(config)
    yield from _augment(config)
    yield from _quantize(config)
    yield from _convert(config)
    yield from _tolerances(config)


def _csv(config: BuildConfig) -> Iterator[Conflict]:
    window, hop, longest = config.csv.window, config.csv.hop, config.data.longest
    if hop is not None and window is None:
        text = f"got {hop}; without window a recording is one window, allowed: auto, or a window"
        yield Conflict("csv", "hop", text)
    if longest is not None and window is not None:
        text = f"got {longest}; [csv] window is {window}, so nothing is longer, allowed: auto"
        yield Conflict("data", "longest", text)


def _model(config: BuildConfig) -> Iterator[Conflict]:
    model = config.model
    if model.layer_dropout and len(model.units) == 1:
        yield Conflict(
            "model",
            "layer_dropout",
            f"got {model.layer_dropout:g}; there is nothing between layers where units has one entry, "
            "allowed: 0, or a second layer",
        )
    if model.task == "per-step" and model.query == "last":
        yield Conflict(
            "model", "query", "got last; an output per step needs a query per step, allowed: all, or auto"
        )
    if model.variable_length and model.query == "all" and model.task not in (None, "per-step"):
        yield Conflict(
            "model",
            "query",
            "got all; with variable_length the mean of a varying number of contexts has no integer op, "
            "allowed: last, auto (all where every step has a label), or task = per-step",
        )
    if model.variable_length and model.bidirectional:
        yield Conflict(
            "model",
            "variable_length",
            "got true; with bidirectional the backward LSTM would start in the padding, allowed: false, or "
            "one direction",
        )
    if model.heads is not None:
        width = model.units[-1] * (2 if model.bidirectional else 1)
        if model.attention != "multi-head":
            yield Conflict(
                "model",
                "heads",
                f"got {model.heads}; {model.attention} attention has no heads, allowed: auto, or "
                "attention = multi-head",
            )
        elif width % model.heads:
            yield Conflict(
                "model",
                "heads",
                f"got {model.heads}, allowed: a divisor of {width}, the width of the last layer's output",
            )


def _augment(config: BuildConfig) -> Iterator[Conflict]:
    augment = config.augment
    for key, count in (("time_mask_steps", "time_masks"), ("channel_mask_width", "channel_masks")):
        if (value := getattr(augment, key)) is not None and not getattr(augment, count):
            text = f"got {value}; {count} is 0, so it would do nothing, allowed: auto, or {count} above 0"
            yield Conflict("augment", key, text)


def _quantize(config: BuildConfig) -> Iterator[Conflict]:
    quantize = config.quantize
    for key in ("scheme", "attention_precision"):
        row = getattr(quantize, key)
        if twice := sorted({one for one in row if row.count(one) > 1}):
            yield Conflict("quantize", key, f"got {', '.join(twice)} more than once, allowed: each once")
    if "int8" not in quantize.scheme and quantize.attention_precision != ("int8",):
        yield Conflict(
            "quantize",
            "attention_precision",
            f"got {', '.join(quantize.attention_precision)}; it is for the scheme int8, which is not among "
            f"{_made(config)}",
        )
    if "int8" in quantize.scheme and quantize.qat:
        return
    told = "qat is false" if "int8" in quantize.scheme else f"only int8 is trained, not {_made(config)}"
    for key in ("qat_epochs", "qat_learning_rate"):
        if (value := getattr(quantize, key)) is not None:
            yield Conflict("quantize", key, f"got {value:g}; {told}, so it would do nothing, allowed: auto")
    if "int8" in quantize.scheme:
        return
    for key, default in (("calibration", "mse"), ("qat", True)):
        if (value := getattr(quantize, key)) != default:
            yield Conflict(
                "quantize",
                key,
                f"got {str(value).lower()}; it is for the scheme int8, which is not among {_made(config)}, "
                f"so it would do nothing, allowed: {str(default).lower()}, the default",
            )


def _made(config: BuildConfig) -> str:
    return ", ".join(config.quantize.scheme)


def _convert(config: BuildConfig) -> Iterator[Conflict]:
    if "int8" in config.quantize.scheme:
        return
    made = _made(config)
    if config.convert.io == "int8":
        yield Conflict("convert", "io", f"got int8; only an int8 file can have it, not {made}")
    if config.convert.compare_stock:
        yield Conflict(
            "convert", "compare_stock", f"got true; it needs an int8 file to stand beside, not {made}"
        )


def _tolerances(config: BuildConfig) -> Iterator[Conflict]:
    """Limits that could only fail; of the task too, where it is not left to the data."""
    from pipeline.parity.tolerances import limits_of_another_task  # numpy, which the help does without

    limits = config.tolerances.model_dump()
    if config.model.task is not None:
        for key, why in limits_of_another_task(limits, config.model.task).items():
            yield Conflict("tolerances", key, why)
    if config.model.attention == "multi-head":
        for key in ("context_max_error", "context_relative_rms_error"):
            if limits[key] is not None:
                why = f"got {limits[key]:g}; of multi-head attention no contexts are compared, allowed: auto"
                yield Conflict("tolerances", key, why)
