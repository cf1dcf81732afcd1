"""What an export takes from a build's folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from android_app import empty_app
from built_files import write_verdict
from hand_made import hand_made, metadata, padded_at_end

from models.errors import InputError
from pipeline.export.android import export_android
from pipeline.export.built import read_built
from pipeline.export.c import export_c
from pipeline.export.python import export_python
from pipeline.export.readme import readme


def build(folder: Path, content: bytes, name: str = "model_int8.tflite", **golden: np.ndarray) -> Path:
    (folder / name).write_bytes(content)
    write_verdict(folder, name)
    np.savez(folder / "golden.npz", **golden)
    return folder


RAW = np.arange(50 * 5 * 3, dtype=np.float32).reshape(50, 5, 3)


def test_windows_are_spread_from_the_first_to_the_last(tmp_path: Path) -> None:
    content = hand_made(described=metadata())
    built = read_built(build(tmp_path, content, raw_features=RAW), None, windows=3)
    assert (built.name, built.content, built.metadata["name"]) == ("model_int8.tflite", content, "hand made")
    for window, index in zip(built.windows, (0, 24, 49), strict=True):
        np.testing.assert_array_equal(window, RAW[index])


def test_fewer_windows_than_asked_for_are_all_of_them(tmp_path: Path) -> None:
    built = read_built(build(tmp_path, hand_made(described=metadata()), raw_features=RAW[:2]), None)
    assert len(built.windows) == 2


def test_padding_at_the_end_is_left_out(tmp_path: Path) -> None:
    content = hand_made(lengths=True, described=padded_at_end())
    lengths = np.array([2, 5])
    built = read_built(build(tmp_path, content, raw_features=RAW[:2], lengths=lengths), None)
    assert [len(window) for window in built.windows] == [2, 5]


def test_another_file_of_the_build_by_its_name(tmp_path: Path) -> None:
    folder = build(tmp_path, hand_made(described=metadata()), "model_float32.tflite", raw_features=RAW)
    assert read_built(folder, "model_float32.tflite").name == "model_float32.tflite"
    with pytest.raises(InputError, match=r"no 'model_int8.tflite'; it has model_float32.tflite") as caught:
        read_built(folder, None)
    assert caught.value.tip == "Choose one with --model."
    with pytest.raises(InputError, match=r"no '../other'"):
        read_built(folder, "../other")


def test_no_build(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(InputError, match="no finished build"):
            read_built(folder, None)


def test_a_file_without_our_metadata(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no metadata of ours"):
        read_built(build(tmp_path, hand_made(), raw_features=RAW), None)


@pytest.mark.parametrize("golden", [None, b"", b"PK\x03\x04 broken", {"other": RAW}])
def test_golden_windows_that_are_not_there(
    tmp_path: Path, golden: bytes | dict[str, np.ndarray] | None
) -> None:
    (tmp_path / "model_int8.tflite").write_bytes(hand_made(described=metadata()))
    write_verdict(tmp_path)
    if isinstance(golden, bytes):
        (tmp_path / "golden.npz").write_bytes(golden)
    elif golden is not None:
        np.savez(tmp_path / "golden.npz", **golden)
    with pytest.raises(InputError, match=r"golden.npz"):
        read_built(tmp_path, None)


@pytest.mark.parametrize("export", [export_python, export_c, export_android])
def test_a_model_that_is_not_as_it_was_built_is_exported_by_nobody(
    tmp_path: Path, export: Callable[[Path, Path], Any]
) -> None:
    damaged = hand_made(described=metadata()).replace(b"hand made", b"hand mode")
    (tmp_path / "build").mkdir()
    build(tmp_path / "build", damaged, raw_features=RAW)
    out = empty_app(tmp_path / "app") if export is export_android else tmp_path / "out"
    before = sorted(out.rglob("*"))
    with pytest.raises(InputError, match=r"model_int8.tflite': .*checksum does not fit") as caught:
        export(tmp_path / "build", out)
    assert str(caught.value).lower().count("build it again") == 1
    assert sorted(out.rglob("*")) == before


def test_a_model_that_failed_parity_is_taken_by_force_alone_and_says_so(tmp_path: Path) -> None:
    folder = build(tmp_path, hand_made(described=metadata()), raw_features=RAW)
    assert read_built(folder, None).doubt == ""
    write_verdict(folder, attention_max_error=False, decision_agreement=True)
    with pytest.raises(InputError, match=r"'model_int8.tflite' failed: attention_max_error") as caught:
        read_built(folder, None)
    assert "--force" in caught.value.tip
    built = read_built(folder, None, force=True)
    assert built.doubt == "Parity of 'model_int8.tflite' failed: attention_max_error."
    assert readme(built, False).split("\n")[2].startswith(f"**{built.doubt}**")


@pytest.mark.parametrize("report", [None, "", "[]", '{"schemes": []}', '{"schemes": [{"file": "other"}]}'])
def test_a_model_without_a_verdict_of_its_own_is_in_doubt(tmp_path: Path, report: str | None) -> None:
    folder = build(tmp_path, hand_made(described=metadata()), raw_features=RAW)
    (folder / "report.json").unlink()
    if report is not None:
        (folder / "report.json").write_text(report)
    with pytest.raises(InputError, match="was not verified"):
        read_built(folder, None)
    assert "was not verified" in read_built(folder, None, force=True).doubt


@pytest.mark.parametrize(
    "golden",
    [
        {"raw_features": RAW[:, :, :2]},
        {"raw_features": np.concatenate([RAW, RAW], axis=1)},
        {"raw_features": RAW, "lengths": np.full(50, 6)},
        {"raw_features": RAW, "lengths": np.full(50, 0)},
        {"raw_features": RAW, "lengths": np.full(49, 5)},
        {"raw_features": RAW, "lengths": np.full(50, np.nan)},
    ],
)
def test_windows_of_another_model_are_refused(tmp_path: Path, golden: dict[str, np.ndarray]) -> None:
    folder = build(tmp_path, hand_made(described=metadata()), **golden)
    with pytest.raises(InputError, match="they do not belong together"):
        read_built(folder, None)
