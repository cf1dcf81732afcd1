"""Both ways in which a Keras writes a graph, by hand."""

from typing import Any

import pytest

from models.errors import InputError
from models.foreign.graph import Call, Ref, kind_of, read_graph, refs_in


def layer(name: str, nodes: Any, kind: str = "Dense", **more: Any) -> dict[str, Any]:
    return {"class_name": kind, "name": name, "config": {"name": name}, "inbound_nodes": nodes, **more}


def functional(*layers: Any, inputs: Any = (("x", 0, 0),), outputs: Any = (("y", 0, 0),)) -> Any:
    borders = {"input_layers": _listed(inputs), "output_layers": _listed(outputs)}
    return {"name": "m", "layers": [layer("x", [], "InputLayer"), *layers], **borders}


def _listed(value: Any) -> Any:
    return [_listed(item) for item in value] if isinstance(value, tuple) else value


def tensor(*history: Any) -> dict[str, Any]:
    return {"class_name": "__keras_tensor__", "config": {"shape": [], "keras_history": list(history)}}


X, Y = Ref("x", 0, 0), Ref("y", 0, 0)


@pytest.mark.parametrize(
    ("node", "call"),
    [
        ([["x", 0, 0, {}]], Call((X,), {})),
        ([["x", 0, 0, {}], ["x", 0, 1, {}]], Call(([X, Ref("x", 0, 1)],), {})),
        (["x", 0, 0, {"y": ["x", 0, 0]}], Call((X,), {"y": X})),
        ([["x", 0, 0, {"axis": [1, 2], "name": None}]], Call((X,), {"axis": [1, 2], "name": None})),
        ([["_CONSTANT_VALUE", -1, 2.5, {"y": ["x", 0, 0]}]], Call((2.5,), {"y": X})),
        (
            ["x", 0, 0, {"slice_spec": [{"start": None, "stop": 2, "step": None}, -1]}],
            Call((X,), {"slice_spec": [slice(None, 2), -1]}),
        ),
        ({"args": [tensor("x", 0, 0), 2.0], "kwargs": {"mask": None}}, Call((X, 2.0), {"mask": None})),
        ({"args": [[tensor("x", 0, 0)] * 2], "kwargs": {}}, Call(([X, X],), {})),
        (
            {
                "args": [tensor("x", 0, 0), [{"class_name": "__slice__",
                         "config": {"start": None, "stop": None, "step": None}}, -1]],
                "kwargs": {"key": tensor("x", 0, 0), "also": {"class_name": "__ellipsis__"}},
            },
            Call((X, [slice(None), -1]), {"key": X, "also": ...}),
        ),
        ({"args": [{"class_name": "__tuple__", "items": [1, 2]}], "kwargs": {}}, Call(((1, 2),), {})),
    ],
)  # fmt: skip
def test_a_call_of_either_keras(node: Any, call: Call) -> None:
    graph = read_graph("Functional", functional(layer("y", [node])))
    assert graph.layer("y").calls == (call,)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ([["y", 0, 0]], {"y": Y}),
        (["y", 0, 0], {"y": Y}),
        ({"answer": ["y", 0, 0]}, {"answer": Y}),
        ([["y", 0, 0], ["y", 0, 1]], {"y": Y, "y:1": Ref("y", 0, 1)}),
    ],
)
def test_outputs_are_one_or_many_or_named(written: Any, read: Any) -> None:
    graph = read_graph("Functional", functional(layer("y", [[["x", 0, 0, {}]]]), outputs=written))
    assert graph.outputs == read
    assert graph.inputs == (X,)


def test_a_sequential_model_is_a_row() -> None:
    rows = [{"class_name": "Dense", "config": {"name": name}} for name in ("a", "b")]
    rows[0]["config"]["batch_input_shape"] = [None, 4, 3]  # type: ignore[index]
    graph = read_graph("Sequential", {"name": "m", "layers": rows})
    assert [one.name for one in graph.layers] == ["input", "a", "b"]
    assert graph.layer("b").calls == (Call((Ref("a", 0, 0),), {}),)
    assert graph.outputs == {"b": Ref("b", 0, 0)}


def test_a_sequential_model_that_was_never_built_is_refused() -> None:
    rows = [{"class_name": "Dense", "config": {"name": "a"}}]
    with pytest.raises(InputError, match="never built"):
        read_graph("Sequential", {"name": "m", "layers": rows})


@pytest.mark.parametrize("config", [{"layers": []}, functional(layer("y", [["x"]])), {"layers": [{}]}])
def test_a_damaged_configuration_is_told(config: Any) -> None:
    with pytest.raises(InputError, match="damaged"):
        read_graph("Functional", config)


def test_another_model_is_refused() -> None:
    with pytest.raises(InputError, match="The model is a Mine"):
        read_graph("Mine", {"layers": []})


def test_a_registered_class_keeps_its_package() -> None:
    assert kind_of({"class_name": "Dense", "registered_name": "pack>Dense"}) == "pack>Dense"
    assert kind_of({"class_name": "pack>Dense"}) == "pack>Dense"
    assert kind_of({"class_name": "Dense", "registered_name": None}) == "Dense"


def test_all_tensors_of_nested_arguments_are_found() -> None:
    assert refs_in([X, {"a": (Y, 3)}, "text"]) == [X, Y]
