"""Every rule: a file that triggers it, and one that does not."""

import copy
import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from ai_edge_litert.schema_py_generated import TensorType
from int8_lstm_file import Int8Lstm, build

from converters import schema
from converters.findings import RULES, Finding, Measurement, experiment, findings
from converters.flatbuffer import set_cell_clip
from converters.lstm_op import LstmInput, lstm_nodes
from converters.metadata import METADATA_NAME

Tiny = dict[str, bytes]
Model = schema.ModelT


def open_(tiny: Tiny, name: str) -> Model:
    """A fresh model to edit."""
    return schema.read_model(tiny[name])


def lstm_file(**options: object) -> bytes:
    """One int8 LSTM, 2 units and 1 feature, in which x = 0 gives i, f, o near 1 and g near 1: c_t = t."""
    zeros = np.zeros((4, 2, 1), np.int8), np.zeros((4, 2, 2), np.int8)
    bias = np.full((4, 2), round(6 / (0.01 / 32)), np.int32)  # a gate input of 6
    lstm = Int8Lstm(*zeros, bias, (0.01,) * 4, (0.01,) * 4, steps=10)
    return build(dataclasses.replace(lstm, **options))


def of(model: Model | bytes, rule: str, measured: Measurement | None = None) -> list[Finding]:
    """What one rule finds."""
    return [one for one in findings(model, measured or Measurement()) if one.rule == rule]


def measured(content: bytes, rule: str) -> list[Finding]:
    """What one rule finds in a file that is run, in this process."""
    return of(content, rule, experiment.run(content))


def operator(model: Model, name: str) -> schema.OperatorT:
    return next(op for graph in model.subgraphs for op in schema.operators(model, graph, name))


def output(model: Model, name: str) -> schema.TensorT:
    return model.subgraphs[0].tensors[operator(model, name).outputs[0]]


# --- Files that trigger a rule, and files that nearly do --------------------------------------------


def with_softmax_over(tiny: Tiny, length: int, alone: bool = False) -> Model:
    model = open_(tiny, "int8")
    output(model, "SOFTMAX").shape = np.array([1, 1, length], np.int32)
    if alone:
        model.subgraphs[0].operators = [operator(model, "SOFTMAX")]
    return model


def with_custom_op(tiny: Tiny, name: str) -> Model:
    model = open_(tiny, "float")
    code = copy.deepcopy(model.operatorCodes[operator(model, "SOFTMAX").opcodeIndex])
    code.builtinCode = code.deprecatedBuiltinCode = 32  # CUSTOM
    code.customCode = name
    operator(model, "SOFTMAX").opcodeIndex = len(model.operatorCodes)
    model.operatorCodes.append(code)
    return model


def with_plain_loop(tiny: Tiny) -> Model:
    """A WHILE that counts, and computes nothing that looks like a gate."""
    model = open_(tiny, "use_bias")
    body = model.subgraphs[schema.loop_subgraphs(operator(model, "WHILE"))[1]]
    body.operators = list(schema.operators(model, body, "ADD", "RESHAPE"))
    return model


def without_lstm(tiny: Tiny) -> Model:
    model = open_(tiny, "float")
    model.subgraphs[0].operators.remove(operator(model, "UNIDIRECTIONAL_SEQUENCE_LSTM"))
    return model


def with_types(tiny: Tiny, name: str, kind: int, choose: Callable[[Model], list[schema.TensorT]]) -> Model:
    model = open_(tiny, name)
    for tensor in choose(model):
        tensor.type = kind
        if kind == TensorType.INT8:
            tensor.quantization = copy.deepcopy(schema.QuantizationParametersT())
            tensor.quantization.scale, tensor.quantization.zeroPoint = np.float32([0.01]), np.int64([0])
    return model


def head(model: Model) -> list[schema.TensorT]:
    return [model.subgraphs[0].tensors[operator(model, "FULLY_CONNECTED").inputs[1]]]


def gates(model: Model) -> list[schema.TensorT]:
    (node,) = lstm_nodes(model)
    return [*node.input_weights.values(), *node.recurrent_weights.values()]


def edited(tiny: Tiny, edit: Callable[[Model], object]) -> Model:
    model = open_(tiny, "float")
    edit(model)
    return model


def set_batch(model: Model, size: int) -> None:
    (node,) = lstm_nodes(model)
    node.hidden_state.shape = np.array([size, 4], np.int32)


TRIGGERS: dict[str, Callable[[Tiny], list[Finding]]] = {
    "lstm-not-fused": lambda tiny: of(tiny["use_bias"], "lstm-not-fused"),
    "while-loop": lambda tiny: of(with_plain_loop(tiny), "while-loop"),
    "custom-op": lambda tiny: of(with_custom_op(tiny, "FlexErf"), "custom-op"),
    "no-lstm": lambda tiny: of(without_lstm(tiny), "no-lstm"),
    "lstm-state-scales": lambda tiny: measured(tiny["int8"], "lstm-state-scales"),
    "state-kept": lambda tiny: of(tiny["float"], "state-kept"),
    "lstm-cell-scale": lambda tiny: of(lstm_file(cell_scale=2.0**-8), "lstm-cell-scale"),
    "lstm-cell-range": lambda tiny: measured(lstm_file(cell_scale=2.0**-15), "lstm-cell-range"),
    "lstm-cell-clip": lambda tiny: measured(tiny["float"], "lstm-cell-clip"),
    "lstm-left-in-float": lambda tiny: of(
        with_types(tiny, "float", TensorType.INT8, head), "lstm-left-in-float"
    ),
    "lstm-dynamic-range": lambda tiny: of(
        with_types(tiny, "float", TensorType.INT8, gates), "lstm-dynamic-range"
    ),
    "float-island": lambda tiny: of(
        with_types(tiny, "int8", TensorType.FLOAT32, lambda model: [output(model, "SOFTMAX")]),
        "float-island",
    ),
    "int16-kernels": lambda tiny: of(
        with_types(tiny, "int8", TensorType.INT16, lambda model: [output(model, "SOFTMAX")]),
        "int16-kernels",
    ),
    "softmax-steps": lambda tiny: of(with_softmax_over(tiny, 129), "softmax-steps"),
    "no-signature": lambda tiny: of(
        edited(tiny, lambda model: setattr(model, "signatureDefs", None)), "no-signature"
    ),
    "no-metadata": lambda tiny: of(tiny["float"], "no-metadata"),
    "batch-size": lambda tiny: of(edited(tiny, lambda model: set_batch(model, 4)), "batch-size"),
    "does-not-run": lambda tiny: of(tiny["float"], "does-not-run", Measurement(refused="It is broken.")),
    "not-measured": lambda tiny: of(tiny["float"], "not-measured", Measurement(skipped="It takes text.")),
}


def name_metadata(model: Model) -> None:
    model.metadata[0].name = "TFLITE_METADATA"


def silent(tiny: Tiny, rule: str) -> list[Finding]:
    """What a rule finds in a file that is all right in this respect, but close to one that is not."""
    clean: dict[str, Callable[[], list[Finding]]] = {
        "no-lstm": lambda: of(tiny["use_bias"], rule),
        "lstm-state-scales": lambda: measured(lstm_file(), rule),
        "state-kept": lambda: of(tiny["use_bias"], rule),
        "lstm-cell-scale": lambda: of(lstm_file(cell_scale=2.0**-9), rule),
        "lstm-cell-range": lambda: measured(lstm_file(cell_scale=2.0**-11), rule),
        "lstm-cell-clip": lambda: of(set_cell_clip(tiny["float"], 0), rule),
        "float-island": lambda: of(tiny["int8"], rule),
        "int16-kernels": lambda: of(tiny["int8"], rule),
        "softmax-steps": lambda: of(with_softmax_over(tiny, 128), rule),
        "no-metadata": lambda: of(edited(tiny, name_metadata), rule),
        "does-not-run": lambda: measured(tiny["float"], rule),
        "not-measured": lambda: measured(tiny["float"], rule),
    }
    return clean.get(rule, lambda: of(tiny["float"], rule))()


def test_the_walk_is_over_all_rules() -> None:
    assert set(TRIGGERS) == set(RULES)


@pytest.mark.parametrize("rule", RULES)
def test_a_file_that_triggers_the_rule(tiny: Tiny, rule: str) -> None:
    found = TRIGGERS[rule](tiny)
    assert len(found) == 1
    assert found[0].message.endswith(".")
    assert found[0].remedy.endswith(".") or found[0].severity == "info"


@pytest.mark.parametrize("rule", RULES)
def test_a_file_that_does_not(tiny: Tiny, rule: str) -> None:
    assert silent(tiny, rule) == []


# --- What they say ----------------------------------------------------------------------------------


def test_a_loop_names_its_likely_cause(tiny: Tiny) -> None:
    (one,) = of(tiny["use_bias"], "lstm-not-fused")
    assert (one.severity, one.layer) == ("error", "encoder")
    assert "Likely cause: use_bias=False." in one.message
    assert of(with_plain_loop(tiny), "lstm-not-fused") == []


@pytest.mark.parametrize(("name", "word"), [("FlexErf", "Flex delegate"), ("Mine", "a custom op")])
def test_flex_is_told_from_custom(tiny: Tiny, name: str, word: str) -> None:
    (one,) = of(with_custom_op(tiny, name), "custom-op")
    assert one.severity == "error"
    assert one.message.startswith(name)
    assert word in one.message


def test_state_in_resource_variables(tiny: Tiny) -> None:
    model = open_(tiny, "float")
    softmax = model.operatorCodes[operator(model, "SOFTMAX").opcodeIndex]
    softmax.builtinCode = softmax.deprecatedBuiltinCode = 144  # ASSIGN_VARIABLE; 127 is the old field's end
    fused, variables = of(model, "state-kept")
    assert "reset_all_variables() (Java: resetVariableTensors())" in fused.remedy
    assert "does not reset" in variables.message


@pytest.mark.parametrize(("scale", "shown"), [(2.0**-16, "1.52588e-05"), (3e-4, "0.0003")])
def test_a_cell_scale_without_a_tanh(scale: float, shown: str) -> None:
    (one,) = of(lstm_file(cell_scale=scale), "lstm-cell-scale")
    assert one.severity == "error"
    assert f"has scale {shown}. The kernel knows powers of two from 2^-15 to 2^-9" in one.message
    assert of(lstm_file(cell_scale=2.0**-15), "lstm-cell-scale") == []


@pytest.mark.parametrize(
    ("exponent", "severity", "share", "effect"),
    [  # c_t is a little under t: beyond 1 from step 2 on, beyond 2 from step 3, 4 from step 5, 8 from step 9
        (-15, "error", 90, "h is off by up to 0.24 at once"),
        (-14, "error", 80, "h is off by up to 0.04 at once"),
        (-13, "warning", 60, "the cell forgets"),
        (-12, "warning", 20, "the cell forgets"),
    ],
)
def test_a_cell_range_that_is_too_small(exponent: int, severity: str, share: int, effect: str) -> None:
    content = lstm_file(cell_scale=2.0**exponent)
    data = np.zeros((4, 10, 1), np.float32)
    (on_data,) = of(content, "lstm-cell-range", experiment.run(content, data, "mine.npz"))
    assert on_data.severity == severity
    assert f"On 4 windows of mine.npz {share} % of its values saturate" in on_data.message
    (one,) = measured(content, "lstm-cell-range")
    assert one.severity == "warning"
    assert f"The cell's range ends at {2 ** (15 + exponent)} " in one.message
    assert f"On 16 seeded inputs {share} % of its values saturate" in one.message
    assert effect in one.message
    f = 1 / (1 + np.exp(-6))
    c_10 = f * np.tanh(6) * (1 - f**10) / (1 - f)  # of c = f c + i g with i = f
    assert f"The float LSTM of the same weights reaches {c_10:.3g}." in one.message
    assert "This one needs a scale of 2^-11." in one.remedy


def test_a_clip_is_measured_or_has_no_effect() -> None:
    (one,) = measured(lstm_file(cell_scale=2.0**-11, cell_clip=5.0), "lstm-cell-clip")
    assert one.severity == "warning"
    assert "On 16 seeded inputs it changes 50 % of the values." in one.message  # steps 6 to 10
    (one,) = measured(lstm_file(cell_scale=2.0**-14, cell_clip=2.0), "lstm-cell-clip")
    assert (one.severity, one.remedy) == ("info", "")
    assert "It does nothing here: the cell's range ends at 2." in one.message


def test_why_an_lstm_was_left_in_float(tiny: Tiny) -> None:
    model = with_types(tiny, "float", TensorType.INT8, head)
    (one,) = of(model, "lstm-left-in-float")
    assert "under 1024 elements; its smallest has 4 x 3." in one.message
    for gate in gates(model):
        gate.shape = np.array([32, 32], np.int32)
    (one,) = of(model, "lstm-left-in-float")
    assert "It was denylisted" in one.message


def test_an_island_is_one_finding_with_all_its_ops(tiny: Tiny) -> None:
    model = with_types(
        tiny, "int8", TensorType.FLOAT32, lambda model: [output(model, "SOFTMAX"), output(model, "MUL")]
    )
    (one,) = of(model, "float-island")
    assert one.severity == "warning"
    assert "computes in float: MUL, SOFTMAX." in one.message
    assert "TFLITE_BUILTINS_INT8" in one.remedy


def test_of_a_file_of_ours_the_island_is_the_attention_of_its_build(tiny: Tiny) -> None:
    model = with_types(
        tiny, "int8", TensorType.FLOAT32, lambda model: [output(model, "SOFTMAX"), output(model, "MUL")]
    )
    entry = schema.MetadataT()
    entry.name = METADATA_NAME
    model.metadata = [entry]
    (one,) = of(model, "float-island")
    assert "--attention-precision float32" in one.remedy


def test_constants_make_no_island(tiny: Tiny) -> None:
    assert of(with_types(tiny, "int8", TensorType.FLOAT32, head), "float-island") == []


def test_an_int16_lstm_is_refused_by_the_interpreter() -> None:
    model = schema.read_model(lstm_file())
    (node,) = lstm_nodes(model)
    for tensor in (
        node.input, node.output, node.hidden_state, node.effective_hidden_scale_intermediate,
    ):  # fmt: skip
        assert tensor is not None
        tensor.type = TensorType.INT16
    content = schema.write_model(model)
    (one,) = measured(content, "int16-kernels")
    assert (one.severity, one.layer) == ("error", "y")
    (refused,) = measured(content, "does-not-run")
    assert "unidirectional_sequence_lstm.cc" in refused.message


@pytest.mark.parametrize(
    ("length", "alone", "severity"),
    [(512, False, "warning"), (513, False, "error"), (513, True, "info"), (512, True, None)],
)
def test_how_long_a_softmax_may_be(tiny: Tiny, length: int, alone: bool, severity: str | None) -> None:
    found = of(with_softmax_over(tiny, length, alone), "softmax-steps")
    assert [one.severity for one in found] == ([severity] if severity else [])


def test_the_sum_of_a_softmax_is_measured(tiny: Tiny) -> None:
    model = with_softmax_over(tiny, 200)
    shown = experiment.run(tiny["int8"])  # of six steps, but the file says which tensor it is
    (one,) = of(model, "softmax-steps", shown)
    sums = shown.row_sums[0]
    assert "1/200, 1.3 steps. Its weights may add up to 1 +- 0.39." in one.message
    assert f"they add up to {sums.smallest:.2f} ... {sums.largest:.2f}." in one.message
    assert 1 - 6 / 512 <= sums.smallest <= sums.largest <= 1 + 6 / 512


def test_the_batch_of_a_model_without_an_lstm(tiny: Tiny) -> None:
    model = without_lstm(tiny)
    assert of(model, "batch-size") == []
    model.subgraphs[0].tensors[model.subgraphs[0].inputs[0]].shape = np.array([8, 6, 3], np.int32)
    (one,) = of(model, "batch-size")
    assert "fixed at 8" in one.message


def test_errors_come_first(tiny: Tiny) -> None:
    severities = [one.severity for one in findings(tiny["int8"], experiment.run(tiny["int8"]))]
    assert severities == sorted(severities, key=["error", "warning", "info"].index)
    assert set(severities) >= {"error", "info"}


def test_an_unpacked_model_is_run_too(tiny: Tiny) -> None:
    assert findings(open_(tiny, "use_bias")) == findings(tiny["use_bias"])


def test_a_projection_has_a_hidden_scale_of_its_own() -> None:
    extra = {LstmInput.PROJECTION_WEIGHTS: np.zeros((2, 2), np.int16)}
    assert of(lstm_file(hidden=(1 / 64, 3), extra=extra), "lstm-state-scales") == []
    assert len(of(lstm_file(state=(1 / 64, 3), extra=extra), "lstm-state-scales")) == 1
