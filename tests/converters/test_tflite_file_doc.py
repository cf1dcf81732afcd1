"""The code and the tables of docs/tflite-file.md hold."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hand_made import VALUES, hand_made, regression_metadata

from converters.metadata import attach_metadata, read_metadata

DOCUMENT = (Path(__file__).parents[2] / "docs" / "tflite-file.md").read_text("utf-8")
METADATA: dict[str, Any] = {
    "name": "tiny",
    "class_names": ["a", "<script>", "ü"],
    "channel_names": ["x", "y", "z"],
    "channel_units": ["m", "m", "m"],
    "sample_rate_hz": 10.0,
    "preprocessing": {"mean": [0.0] * 3, "std": [1.0] * 3, "steps": 6, "features": 3, "padding": "none"},
    "provenance": {"fuselage": "0.1.0"},
}


def code(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", DOCUMENT, flags=re.DOTALL)
    return str(found)


@pytest.fixture
def model(tiny: dict[str, bytes], tmp_path: Path) -> Path:
    path = tmp_path / "model.tflite"
    path.write_bytes(attach_metadata(tiny["int8"], METADATA))
    return path


def test_the_table_names_every_field() -> None:
    described = {**regression_metadata("end"), "query": "last", "front_end": {}}
    with_all_of_them = hand_made(VALUES, lengths=True, described=described)
    document = read_metadata(with_all_of_them)
    assert document is not None
    fields = {*document, *(f"preprocessing.{name}" for name in document["preprocessing"])}
    fields |= {f"signature.{name}" for name in document["signature"]}
    documented = set(re.findall(r"^\| `([\w.]+)` \| .* \| .* \|$", DOCUMENT, flags=re.MULTILINE))
    assert fields - {"preprocessing", "signature"} == documented


def test_the_python_code_reads_the_metadata(model: Path, tiny: dict[str, bytes]) -> None:
    space: dict[str, Any] = {}
    exec(code("python"), space)
    assert space["read_metadata"](model) == read_metadata(model)
    model.write_bytes(tiny["int8"])
    assert space["read_metadata"](model) is None


@pytest.mark.skipif(shutil.which("javac") is None, reason="needs a JDK")
def test_the_java_code_reads_the_metadata(model: Path, tiny: dict[str, bytes], tmp_path: Path) -> None:
    bare = tmp_path / "bare.tflite"
    bare.write_bytes(tiny["int8"])
    (tmp_path / "FuselageMetadata.java").write_text(code("java"), "utf-8")
    (tmp_path / "Main.java").write_text(
        """
        public class Main {
          public static void main(String[] paths) throws Exception {
            for (String path : paths) {
              byte[] content = java.nio.file.Files.readAllBytes(java.nio.file.Paths.get(path));
              String text = FuselageMetadata.read(java.nio.ByteBuffer.wrap(content));
              System.out.write((text + "\\0").getBytes("UTF-8"));
            }
            System.out.flush();
          }
        }
        """
    )
    subprocess.run(["javac", "--release", "8", "-Xlint:-options", "Main.java"], cwd=tmp_path, check=True)
    done = subprocess.run(["java", "Main", model, bare], cwd=tmp_path, check=True, capture_output=True)
    ours, none, _ = done.stdout.decode("utf-8").split("\0")
    assert json.loads(ours) == read_metadata(model)
    assert none == "null"
