"""What a model file may name. A configuration is looked through before any library reads it.

Keras finds a class by the module and the name that stand in the file, and runs its program text: a Lambda
layer brings its own, a custom layer that of a package that happens to be installed, and a function of
TensorFlow among the layers can write files. So everything a configuration names is held against the list
here, and what is not on it is refused by name. Weights are numbers in HDF5 or in a TensorFlow checkpoint;
pickles are not read in any case.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from models.errors import InputError
from models.foreign.graph import MODELS, kind_of
from models.foreign.operations import FUNCTIONS, OPERATIONS

MODULES = ("keras", "tf_keras", "models", "builtins")
"""Where a class may come from, at the head of its module's name."""

_PLAIN = frozenset(
    {
        # how the two Keras write values
        "__tuple__", "__keras_tensor__", "__slice__", "__ellipsis__", "TensorShape", "DTypePolicy", "Policy",
        # of weights that are read from the file anyway
        "Zeros", "Ones", "Constant", "RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling",
        "Orthogonal", "OrthogonalInitializer", "Identity", "GlorotUniform", "GlorotNormal", "HeNormal",
        "HeUniform", "LecunNormal", "LecunUniform",
        # of training
        "L1", "L2", "L1L2", "OrthogonalRegularizer", "MaxNorm", "NonNeg", "UnitNorm", "MinMaxNorm",
    }
)  # fmt: skip

_LAMBDA = (
    "A Lambda layer carries program text inside the file. Write it with layers (Multiply, Dot, Reshape, "
    "GlobalAveragePooling1D) or with operators on tensors (x[:, -1], x * y), set_weights, and save again."
)
_CUSTOM = "Their program text is not in the file. Build the model of the layers in docs/bring-a-model.md."


def check_safe(config: Mapping[str, Any], layers: frozenset[str]) -> None:
    """Raise unless everything that a configuration names is known.

    Args:
        config: of a whole model, ``{"class_name": ..., "config": ...}``.
        layers: classes of layers that can be rebuilt or are refused with a reason of their own.

    Raises:
        InputError: a Lambda layer, a custom class, a module of another package, an unknown function.
    """
    found = list(dict.fromkeys(_unknown(config, layers)))
    if found:
        lambdas = any(one.startswith("Lambda ") for one in found)
        raise InputError(
            f"The model file names what is not loaded from a file: {', '.join(found)}.",
            _LAMBDA if lambdas else _CUSTOM,
        )


def _unknown(value: Any, layers: frozenset[str]) -> Iterator[str]:
    """Names of what is not known, each with where it stands."""
    if isinstance(value, list):
        for item in value:
            yield from _unknown(item, layers)
    if not isinstance(value, Mapping):
        return
    if isinstance(value.get("class_name"), str):
        yield from _unknown_class(value, layers)
    for item in value.values():
        yield from _unknown(item, layers)


def _unknown_class(entry: Mapping[str, Any], layers: frozenset[str]) -> Iterator[str]:
    kind, module = kind_of(entry), str(entry.get("module") or "keras")
    config = entry.get("config")
    name = config.get("name") if isinstance(config, Mapping) else None
    told = f"{kind} '{name}'" if isinstance(name, str) else kind
    elsewhere = module.split(".")[0] not in MODULES
    if kind in ("TFOpLambda", "SlicingOpLambda"):
        function = config.get("function") if isinstance(config, Mapping) else None
        if function not in FUNCTIONS:
            yield f"the function tf.{function} ({told})"
    elif elsewhere or kind not in layers | _PLAIN | set(MODELS) | set(OPERATIONS):
        yield f"{told} of {module}" if elsewhere else told
