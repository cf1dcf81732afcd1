"""float16 weights, and int8 weights with float activations."""

from typing import Any

import numpy as np
import pytest
from attention_graphs import CLASSES, KINDS, UNITS, attention_file
from float_graphs import FEATURES, STEPS, float_graph, windows

from converters import schema
from converters.inner_tensors import all_tensors
from converters.lint import check_cell_clip_off, check_fused
from converters.lstm_op import GATES, LstmInput, lstm_nodes
from converters.quantizer import weights_only
from converters.quantizer.weights_only import convert_dynamic, convert_float16
from models.errors import ConversionError


def outputs(content: bytes, x: Any) -> dict[str, Any]:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    signature = interpreter.get_signature_runner("serving_default")
    rows = []
    for window in x:
        interpreter.reset_all_variables()
        rows.append(signature(features=window[np.newaxis]))
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def constants(content: bytes, kind: str) -> list[schema.TensorT]:
    model = schema.read_model(content)
    return [
        tensor
        for tensor in model.subgraphs[0].tensors
        if schema.has_data(model, tensor) and schema.tensor_type_name(tensor) == kind
    ]


class TestFloat16:
    @pytest.mark.parametrize("kind", KINDS)
    def test_the_lstm_stays_fused_and_all_weights_are_narrow(self, kind: str) -> None:
        content = convert_float16(attention_file(kind))
        check_fused(content, ["lstm"])
        check_cell_clip_off(content)
        assert all(schema.elements(tensor) == 1 for tensor in constants(content, "float32"))
        assert len(constants(content, "float16")) >= 11  # eight matrices, two kinds of biases, logits

    def test_it_answers_like_the_float_model(self) -> None:
        """A weight is off by 2^-11 of itself; hidden states then by less than 1e-3, scores and logits by 8 of
        those times weights below 1."""
        x = windows(10)
        float_file = attention_file("dot")
        narrow, wide = outputs(convert_float16(float_file), x), outputs(float_file, x)
        for name, expected in wide.items():
            np.testing.assert_allclose(narrow[name], expected, atol=8e-3)
            assert not np.array_equal(narrow[name], expected)

    def test_it_computes_with_the_rounded_weights(self) -> None:
        """To the last bits of float32: the same model with weights that float16 holds is the same model."""
        weight = np.array([[1.0, 1 + 2**-11], [0.25, -3.0]], np.float32)
        content = convert_float16(float_graph(lambda features: {"y": features @ weight}, features=2))
        x = windows(3, features=2)
        rounded = weight.astype(np.float16).astype(np.float32)
        assert rounded[0, 1] == 1  # a half, to even
        np.testing.assert_allclose(outputs(content, x)["y"][:, 0], x @ rounded, atol=1e-6)

    def test_the_state_is_no_constant(self) -> None:
        """A DEQUANTIZE into it would be TensorFlow's own float16 mode."""
        (node,) = lstm_nodes(schema.read_model(convert_float16(attention_file("dot"))))
        made = {
            int(operator.outputs[0])
            for operator in node.subgraph.operators
            if operator is not node.operator
        }
        for place in (LstmInput.HIDDEN_STATE, LstmInput.CELL_STATE):
            assert node.operator.inputs[place] not in made
        assert node.hidden_state.isVariable
        assert node.cell_state.isVariable

    def test_a_weight_beyond_float16_is_refused(self) -> None:
        huge = np.array([[7e4, 0.0]], np.float32)
        content = float_graph(lambda features: {"y": features * huge}, features=2)
        with pytest.raises(ConversionError, match=r"holds 70000, beyond float16 \(65504\)"):
            convert_float16(content)


class TestDynamic:
    @pytest.mark.parametrize("kind", KINDS)
    def test_every_matrix_of_every_layer_is_int8(self, kind: str) -> None:
        """8 units of 4 features: TensorFlow's own mode leaves such an LSTM in float."""
        content = convert_dynamic(attention_file(kind))
        check_fused(content, ["lstm"])
        check_cell_clip_off(content)
        (node,) = lstm_nodes(schema.read_model(content))
        assert node.kind == "hybrid"
        assert {schema.tensor_type_name(t) for t in (node.hidden_state, node.cell_state)} == {"float32"}
        assert [t for t in constants(content, "float32") if len(schema.shape(t)) > 1] == []

    def test_the_lstm_is_the_float_one_within_the_rounding_of_its_inputs(self) -> None:
        """Against the same LSTM in float64 with the file's int8 weights; the bound is ``float_lstm``'s."""
        content = convert_dynamic(attention_file("dot"))
        model = schema.read_model(content)
        (node,) = lstm_nodes(model)
        w, r = (
            np.stack([real(model, matrices[gate]) for gate in GATES])
            for matrices in (node.input_weights, node.recurrent_weights)
        )
        b = np.stack([real(model, node.biases[gate]) for gate in GATES])
        for window in windows(20):
            hidden = all_tensors(content, window)[int(node.operator.outputs[0])][1][0]
            expected, bound = float_lstm(window.astype(np.float64), w, r, b)
            off = np.abs(hidden - expected)
            assert (off <= bound).all()
            assert off.max() > 0
            assert bound[0].max() < 0.05  # it grows with each step; one of the size of h would prove nothing

    def test_a_layer_is_within_the_rounding_of_its_input(self) -> None:
        """sum |w| * (max - min of the row) / 255 / 2, with weights that int8 holds exactly."""
        weight = np.array([[127, -3], [5, 127]], np.float32) / 128
        content = convert_dynamic(float_graph(lambda features: {"y": features @ weight}, features=2))
        x = windows(20, features=2)
        got = outputs(content, x)["y"][:, 0]
        low, high = np.minimum(x.min(-1), 0), np.maximum(x.max(-1), 0)
        bound = np.abs(weight).sum(0) * ((high - low) / 255)[..., None] / 2
        assert (np.abs(got - x @ weight) <= bound + 1e-6).all()

    def test_an_lstm_that_stayed_float_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(weights_only, "_WEIGHTS", {"FULLY_CONNECTED": (1,)})
        with pytest.raises(ConversionError, match="is float32 with weights float32; a dynamic-range file"):
            convert_dynamic(attention_file("dot"))

    def test_signature_and_outputs_stay(self) -> None:
        x = windows(2)
        expected = outputs(attention_file("multi-head", "all"), x)
        for convert in (convert_float16, convert_dynamic):
            got = outputs(convert(attention_file("multi-head", "all")), x)
            assert {n: v.shape for n, v in got.items()} == {n: v.shape for n, v in expected.items()}
        assert expected["logits"].shape == (2, 1, CLASSES)


def real(model: schema.ModelT, tensor: schema.TensorT) -> Any:
    scale, _ = schema.scale_and_zero_point(tensor) or (1.0, 0)
    return schema.constant(model, tensor).astype(np.float64) * scale


def float_lstm(x: Any, w: Any, r: Any, b: Any) -> tuple[Any, Any]:
    """Hidden states [time, units] in float64, and how far rounding the inputs can move them.

    An input vector v is rounded to (max - min) / 255, each element off by half of that at most. So a gate's
    sum is off by e_a = sum |W| s_x / 2 + sum |R| (e_h + s_h / 2). A sigmoid's slope is 1/4 at most, that of
    tanh 1:
        e_c = |c'| e_f / 4 + (f + e_f / 4) e_c' + |g| e_i / 4 + (i + e_i / 4) e_g
        e_h = |tanh c| e_o / 4 + (o + e_o / 4) e_c
    with e_i, e_f, e_g, e_o the e_a of the gates, c' and e_c' those of the step before.
    """
    h, c, e_h, e_c = (np.zeros(UNITS) for _ in range(4))
    states, bounds = [], []
    for step in x:
        sums = w @ step + r @ h + b
        e_a = np.abs(w).sum(-1) * half_step(step) + np.abs(r) @ (e_h + half_step(h, e_h))
        i, f, o = (1 / (1 + np.exp(-sums[gate])) for gate in (0, 1, 3))
        g = np.tanh(sums[2])
        e_i, e_f, e_g, e_o = e_a[0] / 4, e_a[1] / 4, e_a[2], e_a[3] / 4
        e_c = np.abs(c) * e_f + (f + e_f) * e_c + np.abs(g) * e_i + (i + e_i) * e_g
        c = f * c + i * g
        e_h = np.abs(np.tanh(c)) * e_o + (o + e_o) * e_c
        h = o * np.tanh(c)
        states.append(h)
        bounds.append(e_h)
    return np.array(states), np.array(bounds) + 1e-6  # float32


def half_step(v: Any, error: Any = 0.0) -> float:
    """Of the format that holds a vector, each element of which may be off already."""
    return float((max((v + error).max(), 0.0) - min((v - error).min(), 0.0)) / 255 / 2)


def test_the_graphs_are_of_the_size_that_matters() -> None:
    """Below the 1024 elements from which TensorFlow's own mode quantizes an LSTM."""
    assert UNITS * FEATURES < 1024
    assert STEPS > 1
