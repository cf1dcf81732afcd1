"""The configuration: defaults, limits, fingerprint, TOML."""

import tomllib

import pytest
from pydantic import ValidationError

from pipeline.config import (
    BuildConfig,
    ConvertConfig,
    DataConfig,
    ModelSection,
    TolerancesConfig,
    TrainConfig,
    canonical_json,
)
from pipeline.parity.definitions import PROMISE

OTHER = BuildConfig(
    data=DataConfig(source="my data.npz"),
    model=ModelSection(units=(32, 16), dropout=0.0, bidirectional=True, attention="additive"),
    train=TrainConfig(epochs=7, learning_rate=1e-3),
    tolerances=TolerancesConfig(accuracy_drop=0.02),
)


def test_defaults_are_those_of_the_documentation() -> None:
    config = BuildConfig()
    assert (config.data.source, config.model.units, config.train.seed) == ("japanese-vowels", (64,), 0)
    assert (config.quantize.scheme, config.quantize.attention_precision) == (("int8",), ("int8",))
    assert (config.quantize.qat, config.convert.io) == (True, "float32")
    assert config.train.epochs is None


@pytest.mark.parametrize("config", [BuildConfig(), OTHER], ids=["defaults", "other"])
def test_toml_is_read_back_as_the_same_configuration(config: BuildConfig) -> None:
    assert BuildConfig.model_validate(tomllib.loads(config.to_toml())) == config


def test_a_row_of_one_is_written_as_its_value() -> None:
    assert tomllib.loads(BuildConfig().to_toml())["model"]["units"] == 64
    assert tomllib.loads(OTHER.to_toml())["model"]["units"] == [32, 16]


@pytest.mark.parametrize(("given", "read"), [(8, (8,)), ([8], (8,)), ([8, 4], (8, 4)), ((8, 4), (8, 4))])
def test_where_several_are_allowed_one_is_a_row_of_one(given: object, read: tuple[int, ...]) -> None:
    assert BuildConfig.model_validate({"model": {"units": given}}).model.units == read


def test_toml_names_every_field() -> None:
    tables = tomllib.loads(BuildConfig().to_toml())
    assert {name: set(table) for name, table in tables.items()} == {
        name: set(type(field.default).model_fields) for name, field in BuildConfig.model_fields.items()
    }
    assert tables["train"]["epochs"] == "auto"


def test_it_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        BuildConfig().model.units = 3  # type: ignore[misc]


def test_fingerprint_follows_what_shapes_the_models_only() -> None:
    assert BuildConfig().fingerprint() == BuildConfig().fingerprint()
    assert BuildConfig().fingerprint() != BuildConfig(model=ModelSection(units=(63,))).fingerprint()
    judged = BuildConfig(tolerances=TolerancesConfig(accuracy_drop=0.5))
    assert judged.fingerprint() == BuildConfig().fingerprint()
    compared = BuildConfig(convert=ConvertConfig(compare_stock=True))
    assert compared.fingerprint() == BuildConfig().fingerprint()


def test_fingerprint_is_the_sha256_of_canonical_json() -> None:
    assert canonical_json({"b": 1, "a": [None, "é"]}) == '{"a":[null,"\\u00e9"],"b":1}'
    assert len(BuildConfig().fingerprint()) == 64


def test_every_check_of_the_promise_has_a_tolerance() -> None:
    assert set(TolerancesConfig.model_fields) == set(PROMISE)
