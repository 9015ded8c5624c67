# Everything a developer needs; `make` alone lists it. The environment is made from requirements.lock and is
# made again only when the lock or pyproject.toml changes.

VENV ?= .venv
BIN := $(VENV)/bin
PYTHON := $(BIN)/python
STAMP := $(VENV)/.installed

# Tryton is GPL software with an environment of its own; the tests that need it are skipped without.
export FAIRLEAD_TRYTON_ENV ?= $(CURDIR)/.tryton
TRYTON := $(FAIRLEAD_TRYTON_ENV)/.tried
CANDIDATES := python3.11 python3.12 python3.13 python3.14 python3 python

# File by file, one more at a time than two cores can run: end-to-end tests wait for their own processes,
# and the fast ones use that time.
PARALLEL := -n 3 --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help demo test test-proofs test-ledger check lint format drill bench tryton install lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(STAMP) ## from a signed deal to corrected invoices, on this machine
	$(BIN)/fairlead demo

test: $(STAMP) $(TRYTON) ## every test, the end-to-end ones included
	$(PYTHON) -m pytest -q -rs $(PARALLEL) -m "not proof and not ledger"

test-proofs: $(STAMP) ## long proofs: drills, benches, PostgreSQL, canaries; a planted bug is found
	$(PYTHON) -m pytest -q -rs -m proof

test-ledger: $(STAMP) $(TRYTON) ## the same against Tryton's real ledger
	$(PYTHON) -m pytest -q -rs -m ledger

check: lint ## format, lint, types and the fast tests: before every commit
	$(PYTHON) -m pytest -q $(PARALLEL) -m "not e2e and not proof and not ledger"

lint: $(STAMP) ## format, lint and types only
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(STAMP) ## rewrite the files as `make lint` wants them
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

drill: $(STAMP) ## workers killed around every write, systems broken: nothing lost, nothing doubled
	$(BIN)/fairlead drill all

bench: $(STAMP) ## throughput and latency beside a bare workflow
	$(PYTHON) -m bench

tryton: $(STAMP) ## a real ERP to try the processes on (GPL, in an environment of its own)
	$(PYTHON) -m local.tryton_server prepare

$(TRYTON): deploy/tryton-requirements.txt | $(STAMP)
	$(PYTHON) -m local.tryton_server prepare || echo "Tests with Tryton will be skipped: it cannot be installed here."
	mkdir -p $(FAIRLEAD_TRYTON_ENV) && touch $@

install: $(STAMP) ## the environment in .venv (also made by every other target)

$(STAMP): requirements.lock pyproject.toml
	@for name in $(CANDIDATES); do \
	    $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && python=$$name && break; \
	done; \
	if [ -z "$$python" ]; then echo "Fairlead needs Python 3.11 or newer; none of $(CANDIDATES) is." >&2; exit 1; fi; \
	test -x $(PYTHON) || $$python -m venv $(VENV)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

lock: ## requirements.lock anew from pyproject.toml (needs uv; UPGRADE=--upgrade for newer versions)
	@PATH="$(BIN):$$PATH"; command -v uv >/dev/null || { \
	    echo "uv is needed to write the lock: pip install uv" >&2; exit 1; }; \
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	    --no-emit-index-url --no-emit-find-links $(UPGRADE) --extra dev -o requirements.lock pyproject.toml

clean: ## the environment, caches and build output; never the state of a firm
	rm -rf $(VENV) .tryton build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
