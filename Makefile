# Tiến Độ. `make help` lists the targets.
PY ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
RIVALS := .venv-bench/.ready
DATA ?= .data/thai-nguyen-2008
export PIP_DISABLE_PIP_VERSION_CHECK = 1
export PYTHONUNBUFFERED = 1

.DEFAULT_GOAL := help
.PHONY: help setup run up test check bench soak lock generate clean

help: ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 20

$(STAMP): pyproject.toml requirements.lock
	@$(PY) -c 'import sys; sys.exit("Tiến Độ needs Python 3.11 or newer; this is %d.%d" % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PY) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

setup: $(STAMP) ## everything Python needs, pinned by hash, into .venv

run: setup ## the example: a mail log in, standing and warnings out (embedded stack, under 3 minutes)
	$(BIN)/tiendo example run --data $(DATA)

up: setup ## the example's stack, kept running in the foreground
	$(BIN)/tiendo example up --data $(DATA)

test: setup ## every test (installs the servers it needs where it can)
	scripts/install-servers
	$(BIN)/python -m pytest

check: setup ## lint, types, architecture, freshness of generated files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m schemas.generate --check

generate: setup ## write the generated files anew
	$(BIN)/python -m schemas.generate

# What the aggregator is measured against has dependencies of its own.
$(RIVALS): bench/requirements.lock
	test -x .venv-bench/bin/python || $(PY) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --require-hashes -r bench/requirements.lock
	@touch $@

bench: setup $(RIVALS) ## the measurements; ONLY=name runs one
	scripts/install-servers bench
	$(BIN)/python -m bench $(if $(ONLY),--only $(ONLY))

soak: setup ## the long forms of the tests; ONLY=name runs one
	scripts/install-servers
	$(BIN)/python -m pytest -m soak --timeout 7200 $(if $(ONLY),-k $(ONLY))

lock: ## pin the dependencies anew (hashes, no addresses)
	$(PY) -m pip install --quiet uv
	$(PY) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --group dev --no-emit-index-url --no-header --no-annotate pyproject.toml -o requirements.lock
	$(PY) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate bench/requirements.in -o bench/requirements.lock

clean: ## remove what make made; .data too
	rm -rf $(VENV) .venv-bench .data .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache deploy/local/kafka/jars
