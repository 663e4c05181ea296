# Two commands do all the set-up: `make demo` and `make test`. Python 3.11 or newer, git and make are all they need.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
export DANLU_DATA ?= $(abspath $(wildcard ../shared/data))

.PHONY: demo test check fast fuzz exam lessons docs lint types recipes bench oldest clean

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,docs]'
	@touch $(STAMP)

$(VENV)/timm: $(STAMP)  # apart, since it brings a torchvision that few torches fit
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -c constraints.txt --target $@ timm torchvision

demo: $(STAMP)  ## train a real model, and say where its picture and report are
	$(BIN)/danlu train digits

test: $(STAMP) $(VENV)/timm lint types  ## everything that CI runs
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: $(STAMP) lint types fast  ## before every commit: under three minutes

fast: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow"

exam: $(STAMP)  ## the whole exam; writes docs/exam.md
	DANLU_PAIRS=all $(BIN)/python -m pytest -q tests/testing
	$(BIN)/python exam/write.py

lessons: $(STAMP)  ## all lessons, measured again; SEEDS=20 is the slow check
	printf '%s\n' $(notdir $(wildcard lessons/[0-9]*)) | xargs -P 2 -n 1 $(BIN)/danlu learn verify $(if $(SEEDS),--seeds $(SEEDS))

docs: $(STAMP)  ## the site, in both languages, from recorded results
	$(BIN)/python docs/site/build.py

N ?= 500
fuzz: $(STAMP)  ## N random recipes, held to what is claimed of every one: make fuzz N=500
	DANLU_FUZZ=$(N) $(BIN)/python -m pytest -q -s -o timeout=14400 tests/fuzz

lint: $(STAMP)
	$(BIN)/ruff check src tests bench exam lessons cases docs/site
	$(BIN)/ruff format --check src tests bench exam lessons cases docs/site

types: $(STAMP)
	$(BIN)/mypy

recipes: $(STAMP)  ## measure again the recipes whose inputs have changed
	$(BIN)/python bench/recipes.py

bench: $(STAMP)  ## ratios measured side by side, interleaved, in one run each
	$(BIN)/python bench/start.py
	$(BIN)/python bench/loop.py
	$(BIN)/python bench/lm.py

oldest: pyproject.toml  ## the fast tests with the oldest torch that is tried
	$(PYTHON) -m venv .venv-oldest
	grep -v '^torch==' constraints.txt > .venv-oldest/constraints.txt
	.venv-oldest/bin/python -m pip install --quiet --disable-pip-version-check -c .venv-oldest/constraints.txt -e '.[dev]' 'torch==2.11.*'
	.venv-oldest/bin/python -m pytest -n 2 --dist loadfile -m "not slow"

clean:
	rm -rf $(VENV) .venv-oldest build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
