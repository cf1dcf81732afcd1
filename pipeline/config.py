"""The configuration of a build: its fields, their limits and defaults.

A field added here is a TOML key, a command-line flag and a line of `pipeline build --help` at once:
all three are generated from these models. Reading and merging is in `config_reader.py`, what does not go
together in `conflicts.py`.
"""

import hashlib
import json
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

AUTO = "auto"  # how TOML and flags spell None: "choose for me"

Fraction = Annotated[float, Field(ge=0.0, lt=1.0)]
Rate = Annotated[float, Field(gt=0.0, le=1.0)]
Count = Annotated[int, Field(ge=1, le=100_000)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Limit = Annotated[float, Field(ge=0.0)]
Units = Annotated[int, Field(ge=1, le=1024)]


class Section(BaseModel):
    """One TOML table. Frozen; unknown keys, wrong types, NaN and infinity are refused.

    A field whose default is a tuple takes one value or a list of them; an empty one is "choose for me".

    Attributes:
        flag_prefix: what the flags of this table begin with.
        refused: keys that people look for and that cannot be had, each with the reason and the way out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
    flag_prefix: ClassVar[str] = ""
    refused: ClassVar[dict[str, str]] = {}

    @model_validator(mode="before")
    @classmethod
    def _as_written(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        optional = {name for name, field in cls.model_fields.items() if field.default is None}
        several = {name for name, field in cls.model_fields.items() if isinstance(field.default, tuple)}
        read = {k: None if k in optional and v == AUTO else v for k, v in values.items()}
        empty = {name for name in several if cls.model_fields[name].default == ()}
        read |= {k: () for k in empty if read.get(k) in (AUTO, [AUTO], (AUTO,))}
        return {k: _as_tuple(v) if k in several else v for k, v in read.items()}


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


class DataConfig(Section):
    """What is learned from."""

    source: Annotated[str, Field(min_length=1)] = Field(
        default="japanese-vowels",
        description="Name of a data set (see `pipeline data list`), or path of a file or folder.",
        json_schema_extra={"flag": "data"},
    )
    pattern: Annotated[str, Field(min_length=1)] | None = Field(
        default=None, description="What file names say, {label}_{who}.wav; auto: a folder a class."
    )
    test: Annotated[str, Field(min_length=1)] | None = Field(
        default=None, description='The test part, "index < 5"; auto: as the data says, else a share.'
    )
    test_fraction: Annotated[float, Field(gt=0.0, le=0.9)] = Field(
        default=0.2, description="Share tested on where nothing says which part."
    )
    group: Annotated[str, Field(min_length=1)] | None = Field(
        default=None, description="Field that says who: nobody is in two parts; auto: a recording."
    )
    longest: Annotated[int, Field(ge=2, le=100_000)] | None = Field(
        default=None, description="Most steps; longer recordings are cut; auto: none is."
    )
    keep: Literal["start", "end"] = Field(default="start", description="What is left of a longer one.")
    validation_fraction: Annotated[float, Field(gt=0.0, le=0.5)] = Field(
        default=0.2, description="Part of the training data set aside for early stopping."
    )


Names = tuple[Annotated[str, Field(min_length=1)], ...]


class CsvConfig(Section):
    """What the columns of a .csv are, and how recordings become windows."""

    flag_prefix: ClassVar[str] = "csv-"

    id: Annotated[str, Field(min_length=1)] | None = Field(
        default=None, description="Column that tells recordings apart; auto: by its name."
    )
    time: Annotated[str, Field(min_length=1)] | None = Field(
        default=None, description="Column of the time; auto: by its name, or none."
    )
    label: Names = Field(default=(), description="Columns of what is learned; auto: by its name.")
    channels: Names = Field(default=(), description="Columns the model sees; auto: all other numbers.")
    window: Annotated[int, Field(ge=2, le=100_000)] | None = Field(
        default=None, description="Steps of a window; auto: a recording is one."
    )
    hop: Count | None = Field(
        default=None, description="Steps from one window to the next; auto: a window."
    )
    sample_rate_hz: Annotated[float, Field(gt=0.0, le=1e9)] | None = Field(
        default=None, description="Steps a second; auto: not known."
    )


class AudioConfig(Section):
    """What is made of audio samples before the model."""

    flag_prefix: ClassVar[str] = "audio-"

    features: Literal["log-mel", "mfcc"] = Field(default="log-mel", description="Features of a frame.")
    window_ms: Annotated[float, Field(gt=0.0, le=1000.0)] = Field(
        default=32.0, description="Length of a frame."
    )
    hop_ms: Annotated[float, Field(gt=0.0, le=1000.0)] = Field(
        default=16.0, description="From the start of a frame to that of the next."
    )
    n_fft: Annotated[int, Field(ge=2, le=65_536)] | None = Field(
        default=None, description="Length of the transform; auto: the next power of 2."
    )
    mels: Annotated[int, Field(ge=1, le=512)] = Field(default=32, description="Mel filters.")
    fmin_hz: Annotated[float, Field(ge=0.0, le=1e6)] = Field(
        default=20.0, description="Where the first filter begins."
    )
    fmax_hz: Annotated[float, Field(gt=0.0, le=1e6)] | None = Field(
        default=None, description="Where the last filter ends; auto: half the sample rate."
    )
    log_floor: Annotated[float, Field(ge=1e-30, le=1e6)] = Field(
        default=1e-6, description="Least energy of a filter, full scale being 1."
    )
    coefficients: Annotated[int, Field(ge=1, le=512)] | None = Field(
        default=None, description="MFCC of a frame; auto: 13."
    )


class ModelSection(Section):
    """What is built."""

    refused: ClassVar[dict[str, str]] = {
        "recurrent_dropout": "with dropout on its recurrence an LSTM becomes a WHILE loop in TFLite and does "
        "not fuse; layer_dropout (--layer-dropout) drops between the layers instead"
    }

    task: Literal["classification", "multi-label", "regression", "per-step"] | None = Field(
        default=None, description="What is learned; auto: from the data."
    )
    units: Annotated[tuple[Units, ...], Field(min_length=1, max_length=8)] = Field(
        default=(64,), description="Hidden units of each LSTM layer, the first first."
    )
    bidirectional: bool = Field(default=False, description="A second LSTM in each layer that runs backwards.")
    layer_dropout: Fraction = Field(
        default=0.0, description="Part of what goes from layer to layer dropped in training."
    )
    attention: Literal["dot", "scaled-dot", "cosine", "general", "concat", "additive", "multi-head"] = Field(
        default="scaled-dot", description="How a query scores the time steps."
    )
    query: Literal["last", "all"] | None = Field(
        default=None, description="Steps that ask; auto: all with an output per step, else the last."
    )
    combine: Literal["concat", "context"] = Field(
        default="concat", description="What the head gets: context and hidden state, or the context alone."
    )
    heads: Annotated[int, Field(ge=1, le=64)] | None = Field(
        default=None, description="Heads of multi-head attention; auto: up to 4."
    )
    variable_length: bool = Field(
        default=False, description="A second input with each window's length; padding at the end."
    )
    dropout: Fraction = Field(default=0.2, description="Part of the head's inputs dropped in training.")
    input_noise: Annotated[float, Field(ge=0.0, le=10.0)] = Field(
        default=0.2, description="Noise on the inputs in training, in standard deviations of a channel."
    )


class AugmentConfig(Section):
    """What is done to training windows, drawn anew every epoch."""

    flag_prefix: ClassVar[str] = "augment-"

    time_shift: Annotated[int, Field(ge=0, le=10_000)] = Field(
        default=0, description="Most steps a window moves, either way."
    )
    scale: Fraction = Field(default=0.0, description="Most the distance from the means is stretched.")
    jitter: Annotated[float, Field(ge=0.0, le=10.0)] = Field(
        default=0.0, description="Largest standard deviation of noise, in those of a channel."
    )
    time_masks: Annotated[int, Field(ge=0, le=20)] = Field(
        default=0, description="Stretches of time hidden."
    )
    time_mask_steps: Count | None = Field(
        default=None, description="Longest of them; auto: a tenth of the steps."
    )
    channel_masks: Annotated[int, Field(ge=0, le=20)] = Field(
        default=0, description="Rows of neighbouring channels (frequencies) hidden."
    )
    channel_mask_width: Count | None = Field(
        default=None, description="Widest of them; auto: a fifth of the channels."
    )


class TrainConfig(Section):
    """How the float model is trained."""

    epochs: Count | None = Field(default=None, description="Most epochs; auto: from the size of the data.")
    batch_size: Count | None = Field(default=None, description="Windows in a training step.")
    learning_rate: Rate = Field(default=2e-3, description="Largest learning rate of the float training.")
    patience: Count | None = Field(default=None, description="Epochs without progress before training stops.")
    refit: Literal["auto", "always", "never"] = Field(
        default="auto", description="Train again on all training data; auto: where it is small."
    )
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = Field(
        default=0, description="Seed of everything random: split, weights, batches, noise."
    )


class QuantizeConfig(Section):
    """How the weights are made ready for integers."""

    scheme: Annotated[tuple[Literal["float32", "float16", "dynamic", "int8"], ...], Field(min_length=1)] = (
        Field(
            default=("int8",),
            description="Number formats to make, compare and hold to the limits.",
            json_schema_extra={"flag": "quantize"},
        )
    )
    attention_precision: Annotated[tuple[Literal["int8", "int16", "float32"], ...], Field(min_length=1)] = (
        Field(default=("int8",), description="Number formats of the attention beside an int8 LSTM.")
    )
    calibration: Literal["min-max", "percentile", "mse"] = Field(
        default="mse", description="How a range follows from the values seen in the training data."
    )
    qat: bool = Field(default=True, description="Quantization-aware training before the conversion.")
    qat_epochs: Count | None = Field(
        default=None, description="Epochs of it; auto: from the size of the data."
    )
    qat_learning_rate: Rate | None = Field(default=None, description="Its largest learning rate.")


class ConvertConfig(Section):
    """What the .tflite file looks like from outside."""

    io: Literal["float32", "int8"] = Field(
        default="float32", description="Type of the int8 file's input and outputs."
    )
    compare_stock: bool = Field(
        default=False, description="Also show what TensorFlow's own int8 quantizer makes of the float model."
    )


class TolerancesConfig(Section):
    """Limits of the promise, int8 file against float model; auto: derived, or reported only."""

    flag_prefix: ClassVar[str] = "limit-"

    decision_agreement: Share | None = Field(default=None, description="Least share of equal decisions.")
    label_agreement: Share | None = Field(default=None, description="Least share of equal single labels.")
    max_probability_difference: Share | None = Field(
        default=None, description="Largest change of a probability."
    )
    value_max_error: Limit | None = Field(
        default=None, description="Largest change of a value, in standard deviations."
    )
    value_rms_error: Limit | None = Field(default=None, description="Largest RMS change of the values.")
    attention_max_error: Share | None = Field(
        default=None, description="Largest error of an attention weight."
    )
    attention_total_variation: Share | None = Field(default=None, description="Largest mean total variation.")
    attention_row_sum_error: Limit | None = Field(
        default=None, description="Largest distance of a sum from 1."
    )
    attention_top1_agreement: Share | None = Field(default=None, description="Least share of equal peaks.")
    attention_top1_ties: Limit | None = Field(
        default=None, description="Most peaks that agree only by a tie."
    )
    context_max_error: Limit | None = Field(default=None, description="Largest error of a context.")
    context_relative_rms_error: Limit | None = Field(default=None, description="Largest relative RMS error.")
    accuracy_drop: Share | None = Field(default=None, description="Largest loss of accuracy.")
    worst_class_recall_drop: Share | None = Field(
        default=None, description="Largest loss of any class's recall."
    )
    macro_f1_drop: Share | None = Field(default=None, description="Largest loss of mean F1 over labels.")
    r2_drop: Share | None = Field(default=None, description="Largest loss of explained variance.")


class BuildConfig(Section):
    """Everything that decides what a build makes. The output folder is not part of it."""

    data: DataConfig = DataConfig()
    csv: CsvConfig = CsvConfig()
    audio: AudioConfig = AudioConfig()
    model: ModelSection = ModelSection()
    augment: AugmentConfig = AugmentConfig()
    train: TrainConfig = TrainConfig()
    quantize: QuantizeConfig = QuantizeConfig()
    convert: ConvertConfig = ConvertConfig()
    tolerances: TolerancesConfig = TolerancesConfig()

    def fingerprint(self) -> str:
        """SHA-256 of the canonical JSON of all that shapes the models.

        The tolerances are left out: they judge the models and do not change them, so a file
        converted under other limits still names the right configuration. So is the comparison with the
        stock quantizer.
        """
        shapes = self.model_dump(exclude={"tolerances": True, "convert": {"compare_stock"}})
        return hashlib.sha256(canonical_json(shapes).encode()).hexdigest()

    def to_toml(self) -> str:
        """The resolved configuration, every field written out; reading it back gives an equal one."""
        import tomli_w

        tables = {
            section: {key: _as_toml(value) for key, value in fields.items()}
            for section, fields in self.model_dump().items()
        }
        return tomli_w.dumps(tables)


def _as_toml(value: Any) -> Any:
    """None and a row of one as people would write them."""
    if value is None or value == ():
        return AUTO
    return value[0] if isinstance(value, tuple) and len(value) == 1 else value


def canonical_json(value: object) -> str:
    """JSON text that is equal for equal values: sorted keys, no spaces, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
