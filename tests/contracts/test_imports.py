"""Who may import whom: data flows downward through three rooms, heavy libraries load late."""

import ast
import sys
from pathlib import Path

import pytest
from source_tree import FILES, ROOMS, ROOT, imports, imports_at_top, tree

# What the converters may know of the models: plain data.
PLAIN_DATA = (
    "models.config",
    "models.errors",
    "models.quantization.fixed_point",
    "models.quantization.number_formats",
)
HEAVY = (
    "tensorflow",
    "tf_keras",
    "keras",
    "tensorflow_model_optimization",
    "aeon",
    "sklearn",
    "matplotlib",
    "scipy",
)

# Private or generated API enters through one file, which names the version it was seen in. TensorFlow's own
# quantizer is called by a test alone, which compares ours with it.
PRIVATE = {
    "ai_edge_litert.schema_py_generated": (Path("converters/schema.py"), "2.3"),
    "tensorflow.lite.python": (Path("tests/converters/quantizer/test_against_mlir.py"), "2.21"),
    "tensorflow_model_optimization.python": (Path("models/quantization/tfmot.py"), "0.8.1"),
}


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("file", FILES, ids=str)
def test_a_room_knows_only_the_rooms_below_it(file: Path) -> None:
    above = ROOMS[ROOMS.index(file.parts[0]) + 1 :]
    assert not [name for name in imports(tree(file)) if within(name, *above)]


@pytest.mark.parametrize("file", [f for f in FILES if f.parts[0] == "converters"], ids=str)
def test_converters_take_only_plain_data_from_the_models(file: Path) -> None:
    taken = [name for name in imports(tree(file)) if within(name, "models")]
    assert not [name for name in taken if not within(name, *PLAIN_DATA)]


def test_stages_never_import_each_other() -> None:
    stages = [file for file in FILES if file.parent == Path("pipeline/stages") and file.stem != "__init__"]
    names = [f"pipeline.stages.{file.stem}" for file in stages]
    assert len(names) == 6
    for file in stages:
        assert not [name for name in imports(tree(file)) if within(name, *names)], file


@pytest.mark.parametrize("file", ["pipeline/runtime.py", "pipeline/front_end.py"])
def test_what_is_copied_to_a_device_imports_nothing_of_ours(file: str) -> None:
    assert not [name for name in imports(tree(Path(file))) if within(name, *ROOMS)]


def test_the_front_end_needs_numpy_alone() -> None:
    found = {name.split(".")[0] for name in imports(tree(Path("pipeline/front_end.py")))}
    assert found - set(sys.stdlib_module_names) == {"numpy"}


def test_streaming_imports_nothing_of_ours_but_the_runtime_beside_it() -> None:
    names = imports(tree(Path("pipeline/streaming.py")))
    assert {name for name in names if within(name, *ROOMS)} == {"pipeline", "pipeline.runtime"}
    assert "runtime" in names


@pytest.mark.parametrize("file", [f for f in FILES if f.parts[0] != "models"], ids=str)
def test_heavy_libraries_are_imported_where_they_are_needed(file: Path) -> None:
    assert not [name for name in imports_at_top(file) if within(name, *HEAVY)]


@pytest.mark.parametrize("file", FILES, ids=str)
def test_private_api_enters_through_one_named_file(file: Path) -> None:
    for name in imports(tree(file)):
        parts = name.split(".")
        if parts[0] in ROOMS or parts[0] == "__future__":
            continue
        private = any(p.startswith("_") or p in ("python", "internal", "schema_py_generated") for p in parts)
        known = [home for package, (home, _) in PRIVATE.items() if within(name, package)]
        assert not private or known == [file], name


@pytest.mark.parametrize(("file", "version"), PRIVATE.values(), ids=lambda value: str(value))
def test_a_file_with_private_api_names_the_version(file: Path, version: str) -> None:
    assert version in (ROOT / file).read_text()


class TestTheRulesThemselves:
    """A rule that finds nothing where there is something is no rule."""

    def test_imports_are_found_in_functions_too(self) -> None:
        module = ast.parse("def f():\n    from tensorflow.lite import python\n    import keras._x as y\n")
        assert imports(module) == {"tensorflow.lite", "tensorflow.lite.python", "keras._x"}

    def test_top_imports_are_told_from_late_ones(self) -> None:
        assert "click" in imports_at_top(Path("pipeline/cli/build.py"))
        assert "pipeline.config_reader.read_config" not in imports_at_top(Path("pipeline/cli/build.py"))
        assert "pipeline.config_reader.read_config" in imports(tree(Path("pipeline/cli/build.py")))
