"""A folder of C: compiled as strictly as can be, run, and held against the model it comes from."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from built_files import FEATURES, STEPS, build_folder, config, files, metadata, raw_windows

from converters.integer_io import with_integer_io
from converters.metadata import attach_metadata
from models.errors import InputError
from pipeline.export.built import read_built
from pipeline.export.c import export_c, golden_vectors
from pipeline.export.c_model import borders, checksum
from pipeline.runtime import load_model

pytestmark = pytest.mark.slow

NASTY = ('"; int x = 1 / 0; //', "??/\n\\", "*/ \u00e9\u4e2d\0 %s")
MODELS = {
    "front": config(),
    "end, with lengths": config(variable_length=True),
    "regression": config("regression"),
    "multi-label": config("multi-label"),
    "per-step": config("per-step", query="all"),
    "both directions": config(bidirectional=True),
}
STRICT = ("-Wall", "-Wextra", "-Werror", "-pedantic", "-O2")


def exported(tmp_path: Path, of: Any, content: bytes | None = None, **options: Any) -> Path:
    build = build_folder(tmp_path / "build", of, files(of)["int8"] if content is None else content)
    export_c(build, tmp_path / "out", **options)
    return tmp_path / "out"


def compiled(folder: Path, compiler: str, *options: str, source: str = "fuselage_check.c") -> str:
    """Compile the folder with a main of `source`, run it, and return what it says."""
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    files_c = [source, "fuselage_model.c", "fuselage_golden.c"]
    subprocess.run(
        [compiler, *STRICT, *options, "-o", "program", *files_c, "-lm"],
        cwd=folder, check=True, capture_output=True, text=True,
    )  # fmt: skip
    done = subprocess.run([folder / "program"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.parametrize("of", MODELS.values(), ids=MODELS)
def test_it_compiles_and_its_check_passes(tmp_path: Path, of: Any) -> None:
    assert compiled(exported(tmp_path, of), "gcc", "-std=c99").endswith("CHECK PASSED\n")


@pytest.mark.parametrize(
    ("compiler", "options"),
    [("gcc", ("-std=c11",)), ("g++", ("-x", "c++", "-std=c++11")), ("g++", ("-x", "c++", "-std=c++20"))],
)
def test_other_standards(tmp_path: Path, compiler: str, options: tuple[str, ...]) -> None:
    assert compiled(exported(tmp_path, config()), compiler, *options).endswith("CHECK PASSED\n")


def test_make_check(tmp_path: Path) -> None:
    out = exported(tmp_path, config())
    done = subprocess.run(["make", "-C", out, "check"], check=True, capture_output=True, text=True)
    assert "CHECK PASSED" in done.stdout


@pytest.mark.parametrize("of", MODELS.values(), ids=MODELS)
def test_the_readme_names_only_what_the_header_defines_and_what_the_task_gives(
    tmp_path: Path, of: Any
) -> None:
    out = exported(tmp_path, of)
    said, header = (out / "README.md").read_text(), (out / "fuselage_model.h").read_text()
    for name in set(re.findall(r"\b(?:FUSELAGE|fuselage)_\w+", said)) - {"fuselage_check", "FUSELAGE_ADD"}:
        assert re.search(rf"\b{name}\b", header) or (out / f"{name}.c").exists(), name
    assert ("FUSELAGE_INPUT_LENGTHS)->data.i32[0] = steps;" in said) == of.variable_length
    assert ("fuselage_target_std" in said) == (of.task == "regression")
    assert ("the largest one wins" in said) == (of.task == "classification")
    assert ("the largest one of a step wins" in said) == (of.task == "per-step")
    assert "$" not in said


# Prints what the compiler made of everything, one value a line.
_DUMP = r"""
#include "fuselage_golden.h"
#include "fuselage_model.h"
#include <stdio.h>
#include <string.h>
static void floats(const char *name, const float *values, int count) {
    printf("%s", name);
    while (count--) printf(" %a", (double)*values++);
    puts("");
}
static void bytes(const char *name, const void *start, size_t size) {
    const unsigned char *at = (const unsigned char *)start;
    printf("%s ", name);
    while (size--) printf("%02x", *at++);
    puts("");
}
int main(void) {
    float scales[4];
    int name;
    scales[0] = FUSELAGE_INPUT_FEATURES_SCALE;
    scales[1] = FUSELAGE_OUTPUT_LOGITS_SCALE;
    scales[2] = FUSELAGE_OUTPUT_ATTENTION_WEIGHTS_SCALE;
    scales[3] = FUSELAGE_SAMPLE_RATE_HZ;
    floats("scales", scales, 4);
    printf("zero_points %d %d %d\n", FUSELAGE_INPUT_FEATURES_ZERO_POINT, FUSELAGE_OUTPUT_LOGITS_ZERO_POINT,
           FUSELAGE_OUTPUT_ATTENTION_WEIGHTS_ZERO_POINT);
    printf("places %d %d %d\n", FUSELAGE_INPUT_FEATURES, FUSELAGE_OUTPUT_LOGITS,
           FUSELAGE_OUTPUT_ATTENTION_WEIGHTS);
    floats("mean", fuselage_mean, FUSELAGE_FEATURES);
    floats("std", fuselage_std, FUSELAGE_FEATURES);
    bytes("model", fuselage_model, sizeof fuselage_model);
    bytes("logits", fuselage_golden_logits, sizeof fuselage_golden_logits);
    bytes("attention", fuselage_golden_attention_weights, sizeof fuselage_golden_attention_weights);
    bytes("features", fuselage_golden_features, sizeof fuselage_golden_features);
    floats("raw", fuselage_golden_raw, FUSELAGE_GOLDEN_WINDOWS * FUSELAGE_STEPS * FUSELAGE_FEATURES);
    for (name = 0; name < FUSELAGE_NAMES; ++name)
        bytes("name", fuselage_names[name], strlen(fuselage_names[name]));
    printf("aligned %d\n", (int)((uintptr_t)fuselage_model % 16));
    return 0;
}
"""


def test_the_compiler_sees_the_model_its_constants_and_names_to_the_last_bit(tmp_path: Path) -> None:
    content = attach_metadata(files(config())["int8"], metadata(config(), NASTY))
    out = exported(tmp_path, config(), content)
    (out / "dump.c").write_text(_DUMP)
    lines = [line.split(" ") for line in compiled(out, "gcc", "-std=c99", source="dump.c").splitlines()]
    seen = {key: values for key, *values in lines if key != "name"}
    whole = with_integer_io(content)
    assert bytes.fromhex(seen["model"][0]) == whole == (out / "model.tflite").read_bytes()
    assert seen["aligned"] == ["0"]

    inputs, outputs = borders(whole)
    of = {one.name: one for one in (*inputs, *outputs)}
    ordered = [of[name] for name in ("features", "logits", "attention_weights")]
    assert [float.fromhex(one) for one in seen["scales"]] == [*(one.scale for one in ordered), 10.0]
    assert [int(one) for one in seen["zero_points"]] == [one.zero_point for one in ordered]
    assert [int(one) for one in seen["places"]] == [one.place for one in ordered]
    rule = metadata(config())["preprocessing"]
    for key in ("mean", "std"):
        assert [float.fromhex(one) for one in seen[key]] == [float(np.float32(one)) for one in rule[key]]

    built = read_built(tmp_path / "build", None, 4)
    vectors = golden_vectors(whole, built)
    for key, name in (("logits", "logits"), ("attention", "attention_weights"), ("features", "features")):
        assert bytes.fromhex(seen[key][0]) == vectors[name].tobytes()
    assert [float.fromhex(one) for one in seen["raw"]] == vectors["raw"].ravel().tolist()
    names = [bytes.fromhex(values[0]) for key, *values in lines if key == "name"]
    assert names == [name.encode().split(b"\0")[0] for name in NASTY]  # a C string ends at a NUL


_QUANTIZE = r"""
#include "fuselage_golden.h"
#include "fuselage_model.h"
#include <math.h>
#include <stdio.h>
int main(void) {
    static float raw[FUSELAGE_STEPS * FUSELAGE_FEATURES];
    static int8_t features[FUSELAGE_STEPS * FUSELAGE_FEATURES];
    const float bad[] = {NAN, INFINITY, -INFINITY};
    int at, one;
    for (one = 0; one < 3; ++one) {
        raw[4] = bad[one];
        printf("%d ", fuselage_quantize(raw, 2, features));
    }
    for (at = 0; at < FUSELAGE_STEPS * FUSELAGE_FEATURES; ++at) raw[at] = at % 2 ? 1e30f : -1e30f;
    printf("%d ", fuselage_quantize(raw, FUSELAGE_STEPS, features));
    for (at = 0; at < FUSELAGE_FEATURES; ++at) printf("%d ", features[at]);
    return 0;
}
"""


def test_values_that_are_not_finite_are_refused_and_large_ones_are_clipped(tmp_path: Path) -> None:
    out = exported(tmp_path, config())
    (out / "quantize.c").write_text(_QUANTIZE)
    said = compiled(out, "gcc", "-std=c99", source="quantize.c")
    assert said.split() == ["1", "1", "1", "0", "-128", "127", "-128"]


@pytest.mark.parametrize(
    ("file", "before", "after", "what"),
    [
        ("fuselage_model.c", "fuselage_model[", None, "the bytes of the model"),
        ("fuselage_golden.c", "fuselage_golden_features[", None, "the quantized features of a golden window"),
        ("fuselage_model.h", "FEATURES_ZERO_POINT (", "FEATURES_ZERO_POINT (1+", "the quantized features"),
    ],
)
def test_the_check_finds_what_is_wrong(
    tmp_path: Path, file: str, before: str, after: str | None, what: str
) -> None:
    out = exported(tmp_path, config())
    text = (out / file).read_text()
    assert before in text
    if after is None:  # another last number of that array
        start = text.index("};", text.index(before))
        end = text.rindex(",", 0, start)
        text = f"{text[: end - 1]}{(int(text[end - 1]) + 1) % 10}{text[end:]}"
    else:
        text = text.replace(before, after)
    (out / file).write_text(text)
    done = subprocess.run(["make", "-C", out, "check"], capture_output=True, text=True)
    assert done.returncode != 0
    assert f"WRONG: {what}" in done.stdout


def test_the_checksum_by_hand() -> None:
    assert checksum(b"") == 2166136261
    assert checksum(b"a") == 0xE40C292C
    assert checksum(b"foobar") == 0xBF9CF968


def test_golden_vectors_are_what_litert_holds(tmp_path: Path) -> None:
    of = config(variable_length=True)
    build_folder(tmp_path, of, files(of)["int8"])
    content, built = with_integer_io(files(of)["int8"]), read_built(tmp_path, None, 4)
    vectors, model = golden_vectors(content, built), load_model(content)
    assert vectors["features"].dtype == np.int8
    assert vectors["features"].shape == vectors["raw"].shape == (4, STEPS, FEATURES)
    for index, window in enumerate(built.windows):
        found = model.predict(window)
        scale, zero = next((one.scale, one.zero_point) for one in borders(content)[1] if one.name == "logits")
        real = np.float32(scale) * (vectors["logits"][index].astype(np.float32) - zero)
        np.testing.assert_allclose(found.logits, real, rtol=1e-6)
        assert vectors["lengths"][index] == len(window)
    assert raw_windows(1).shape[1:] == vectors["raw"].shape[1:]


def test_float_models_are_refused_and_the_user_is_told_what_to_build(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'model_int8.tflite': An LSTM .* computes in float") as caught:
        exported(tmp_path, config(), files(config())["float32"])
    assert "--quantize int8" in caught.value.tip
    assert not (tmp_path / "out").exists()


def test_a_build_with_int8_io_gives_its_own_file(tmp_path: Path) -> None:
    content = files(config(), "int8")["int8"]
    out = exported(tmp_path, config(), content)
    assert (out / "model.tflite").read_bytes() == content
    assert compiled(out, "gcc", "-std=c99").endswith("CHECK PASSED\n")


def test_an_int16_attention(tmp_path: Path) -> None:
    out = exported(tmp_path, config(), files(config(), precision="int16")["int8"])
    assert "int16_t fuselage_golden_attention_weights" in (out / "fuselage_golden.h").read_text()
    assert compiled(out, "gcc", "-std=c99").endswith("CHECK PASSED\n")
