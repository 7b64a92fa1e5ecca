# make help lists the targets. Each one installs what it needs first.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
BENCH_READY := .venv/.bench-ready
DOCS_READY := .venv/.docs-ready
LOWEST := .venv-lowest
ARGS ?=
# Per cent of lines and branches.
FLOOR = 85
# One more than there are cores: many tests wait for processes.
WORKERS = $(shell $(BIN)/python -c 'import os; print(os.cpu_count() + 1)')
PYTEST = OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help install train test test-fast coverage test-data test-lowest lock lint format typecheck docs bench bench-maps \
  paper clean distclean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## (.*)/\1\t\2/' | expand -t 14

install: $(READY)  ## make .venv and install the package with its development tools

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "error: Python 3.11 or later is needed; name one with make PYTHON=..."; exit 1; }
	$(PYTHON) -m venv .venv
	@echo "installing into .venv (a few minutes: torch is large)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev]"
	@touch $(READY)

$(BENCH_READY): $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[bench]"
	@touch $(BENCH_READY)

$(DOCS_READY): $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[docs]"
	@touch $(DOCS_READY)

$(LOWEST)/.ready: pyproject.toml
	$(PYTHON) -m venv $(LOWEST)
	$(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check uv
	$(LOWEST)/bin/uv pip install --quiet --python $(LOWEST) --resolution lowest-direct --editable ".[dev]"
	@touch $(LOWEST)/.ready

train: $(READY)  ## train the map with neighbours on the embedded digits; more by ARGS="dataset=fashion seed=1"
	$(BIN)/python -m dcsomrl.train $(if $(findstring model=,$(ARGS))$(findstring experiment=,$(ARGS)),,model=neighbor_somrl) $(ARGS)

test: $(READY)  ## the test suite; tests on real data are skipped unless DCSOMRL_DATA is set
	$(PYTEST) $(ARGS)

test-fast: $(READY)  ## the tests that take a second or two, without those on real data
	$(PYTEST) -m "not slow and not data" $(ARGS)

coverage: $(READY)  ## the fast tests, and which lines of each file they reach in their own process
	$(PYTEST) -m "not slow and not data" --cov --cov-report=term --cov-fail-under=$(FLOOR) $(ARGS)

test-data: $(READY)  ## only the tests on the real datasets under DCSOMRL_DATA
	$(PYTEST) -m data $(ARGS)

test-lowest: $(LOWEST)/.ready  ## the fast tests with every dependency at its lower bound, in .venv-lowest
	OMP_NUM_THREADS=1 $(LOWEST)/bin/python -m pytest -m "not slow and not data" $(ARGS)

lock: $(READY)  ## write experiments/requirements.lock, the versions that .venv holds, for every system; needs uv
	{ echo "# Versions under which the kept results were made last: uv pip install -r experiments/requirements.lock"; \
	  echo "# Written by make lock from what .venv holds."; \
	  $(BIN)/python -m pip freeze --exclude-editable | sed 's/+.*//' > .venv/held.txt; \
	  uv pip compile -q pyproject.toml --extra train --extra umap --extra neighbors --universal --python-version 3.11 \
	    --no-emit-index-url --no-header --no-annotate --constraint .venv/held.txt; } > experiments/requirements.lock

lint: $(READY)  ## style, imports between the packages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

format: $(READY)  ## rewrite the code in the common style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

typecheck: $(READY)  ## static types
	$(BIN)/mypy

docs: $(DOCS_READY)  ## the documentation as a site, in site/; a broken link is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

bench: $(READY)  ## time a training step against the plain autoencoder's, on MNIST
	$(BIN)/python -m experiments.speed $(ARGS)

bench-maps: $(BENCH_READY)  ## time the map alone against the maps of other packages
	$(BIN)/python -m experiments.map_speed $(ARGS)

paper: $(READY)  ## every table and figure of the paper from finished runs; QUICK=1 on the digits
	QUICK=$(QUICK) $(BIN)/python -m experiments.paper

clean:  ## remove caches and build products, keep .venv and runs/
	rm -rf dist build site .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

distclean: clean  ## also remove .venv
	rm -rf .venv $(LOWEST)
