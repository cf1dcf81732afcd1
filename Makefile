# Two commands do everything on a bare machine with Python 3.11-3.13:
#   make demo    environment, installation, one verified build with the defaults
#   make test    environment, installation, lint, types, all tests
# One is without Python: make apk, the Android app (Java, Maven and Debian's Android tools).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NEEDS := pyproject.toml constraints.txt

.PHONY: demo test apk fuzz bench equality matrix lint types

demo: $(VENV)/.installed
	$(BIN)/pipeline build --quantize int8

test: lint types
	$(BIN)/python -m pytest -ra

apk:
	$(MAKE) -C android_demo apk

# Minutes to hours of random damage: make fuzz FUZZ_EXAMPLES=20000 (for each of the fuzz tests).
fuzz: export FUZZ_EXAMPLES ?= 2000
fuzz: $(VENV)/.installed-test
	$(BIN)/python -m pytest tests/fuzz --timeout=0

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .

types: $(VENV)/.installed-test
	$(BIN)/mypy

bench: $(VENV)/.installed
	$(BIN)/python benchmarks/qat_step.py

# Six builds, and whether each int8 file computes over its whole test set what was trained (a quarter of an hour).
equality: $(VENV)/.installed
	$(BIN)/python benchmarks/twin_equality.py

# Every attention x query x direction x scheme on two data sets, written into docs/matrix.md: about two hours.
matrix: $(VENV)/.installed
	$(BIN)/python benchmarks/matrix.py

$(VENV)/.installed: $(NEEDS) | $(BIN)/pip
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt -e .
	touch $@

$(VENV)/.installed-test: $(NEEDS) | $(BIN)/pip
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt -e '.[test]'
	touch $(VENV)/.installed $@

$(BIN)/pip:
	$(PYTHON) -m venv $(VENV)
