# Two commands do everything on a bare machine with Python 3.11-3.13:
#   make demo    environment, installation, one verified build with the defaults
#   make test    environment, installation, lint, types, all tests
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NEEDS := pyproject.toml constraints.txt

.PHONY: demo test bench lint types

demo: $(VENV)/.installed
	$(BIN)/pipeline build --quantize int8

test: lint types
	$(BIN)/python -m pytest -ra

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .

types: $(VENV)/.installed-test
	$(BIN)/mypy

bench: $(VENV)/.installed
	$(BIN)/python benchmarks/qat_step.py

$(VENV)/.installed: $(NEEDS) | $(BIN)/pip
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt -e .
	touch $@

$(VENV)/.installed-test: $(NEEDS) | $(BIN)/pip
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt -e '.[test]'
	touch $(VENV)/.installed $@

$(BIN)/pip:
	$(PYTHON) -m venv $(VENV)
