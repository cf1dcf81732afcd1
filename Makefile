# Two commands do everything on a bare machine with Python 3.11-3.13:
#   make demo    environment, installation, one verified build with the defaults
#   make test    environment, installation, lint, types, all tests
# One is without Python: make apk, the Android app (Java, Maven and Debian's Android tools).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NEEDS := pyproject.toml constraints.txt
KERNELS := $(wildcard kernels/CMakeLists.txt kernels/pyproject.toml kernels/src/* kernels/python/fuselage_kernels/*.*)

.PHONY: demo test apk fuzz bench equality matrix kernels bench-kernels lint types

demo: $(VENV)/.installed
	$(BIN)/pipeline build --quantize int8

test: lint types $(VENV)/.tried-kernels
	$(BIN)/python -m pytest -ra --numprocesses=auto --dist=loadfile

apk:
	$(MAKE) -C android_demo apk

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

# Every attention x query x direction x scheme on two data sets, written into docs/matrix.md (an hour), and every
# attention with quantization-aware training on japanese-vowels and UCI HAR, into docs/matrix-trained.md (20 minutes).
HAR ?= ../shared/data/har/uci_har_subset.npz
matrix: $(VENV)/.installed
	@missed=0; $(BIN)/python benchmarks/matrix.py -- --no-qat || missed=1; \
	$(BIN)/python benchmarks/matrix.py --data japanese-vowels $(HAR) --queries last --directions one \
	  --table docs/matrix-trained.md || missed=1; exit $$missed

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
