# Two commands do everything on a bare machine with Python 3.11-3.13:
#   make demo    environment, installation, one verified build with the defaults
#   make test    environment, installation, lint, types, all tests
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NEEDS := pyproject.toml constraints.txt
KERNELS := $(wildcard kernels/CMakeLists.txt kernels/pyproject.toml kernels/src/* kernels/python/fuselage_kernels/*.*)

.PHONY: demo test fuzz bench equality matrix kernels bench-kernels lint types

demo: $(VENV)/.installed
	$(BIN)/pipeline build --quantize int8

test: lint types $(VENV)/.tried-kernels
	$(BIN)/python -m pytest -ra

# The faster int8 LSTM (kernels/README.md), and how much faster it is here.
kernels: $(VENV)/.installed-kernels

bench-kernels: $(VENV)/.installed-kernels
	$(BIN)/python kernels/benchmark.py

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

$(VENV)/.installed-kernels: $(KERNELS) | $(VENV)/.installed
	$(BIN)/python -m pip install --disable-pip-version-check --quiet ./kernels
	touch $@

# The tests take it along where it can be compiled; elsewhere its tests are skipped, and say so.
$(VENV)/.tried-kernels: $(KERNELS) | $(VENV)/.installed-test
	if command -v cc >/dev/null; then $(MAKE) kernels; else echo "No C compiler: no fuselage-kernels."; fi
	touch $@

$(BIN)/pip:
	$(PYTHON) -m venv $(VENV)
