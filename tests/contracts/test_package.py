"""The package says what it needs, and what was tried."""

import importlib.metadata
import re
import subprocess
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from source_tree import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PINNED = {
    canonicalize_name(name): version
    for name, version in (line.split("==") for line in (ROOT / "constraints.txt").read_text().split())
}
NEEDED = [Requirement(text) for text in (*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["test"])]


@pytest.mark.parametrize("needed", NEEDED, ids=str)
def test_a_range_holds_the_pinned_and_the_installed_version(needed: Requirement) -> None:
    assert PINNED[canonicalize_name(needed.name)] in needed.specifier
    assert importlib.metadata.version(needed.name) in needed.specifier
    assert {"<", ">="} <= {specifier.operator for specifier in needed.specifier}


def test_the_declared_pythons() -> None:
    assert PROJECT["requires-python"] == ">=3.11,<3.14"


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    """Absolute paths of a workplace, and hosts to download packages from, belong in no file."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    files = [ROOT / name for name in listed.stdout.splitlines()]
    if not files:
        pytest.skip("not a git checkout")
    place = re.compile(r"(?<![\w./-])/(?:work|root|home|farm)/\w|--index-url|--find-links")
    found = {
        str(file.relative_to(ROOT)): match.group()
        for file in files
        if file.suffix in {".py", ".md", ".toml", ".txt", ".cfg", ".yml", ".html", ".sh", ""}
        and file.is_file()
        if file.name != "test_package.py" and (match := place.search(file.read_text(errors="replace")))
    }
    assert not found
