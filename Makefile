# Every target sets itself up: Python 3.11+ and make are all it takes.
PYTHON ?= python3
BIN := .venv/bin
FLIGHTS := examples/flights
.DEFAULT_GOAL := help

help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

demo: .venv/.ready ## Carry a year of flights from files to published tables, a model and predictions
	cd $(FLIGHTS) && ../../$(BIN)/dataops run

test: .venv/.ready ## The tests that need no service, in under two minutes
	$(BIN)/pytest -n 2 -q

check: .venv/.ready ## Lint, strict types, floors
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

ui: .venv/.ready ## Dagster's pages on http://127.0.0.1:3000, with the demo's runs
	@cd $(FLIGHTS) && ../../$(BIN)/dataops status > /dev/null  # makes the instance where there is none yet
	DAGSTER_HOME="$(CURDIR)/$(FLIGHTS)/.dataops/dagster" $(BIN)/dagster dev -w workspace.yaml -h 127.0.0.1 -p 3000

journeys: .venv/.ready ## The whole stories on the real year
	$(BIN)/pytest -q -m journey

services: .venv/.ready ## The tests that start a PostgreSQL server
	$(BIN)/pytest -q -m service

kills: .venv/.ready ## Processes killed at every fault point
	$(BIN)/pytest -q -m kills

bench: .venv/.ready ## Time per stage, and overhead beside a bare Dagster graph
	$(BIN)/python -m benchmarks.spine

clean: ## Forget what the demo made
	rm -rf $(FLIGHTS)/.dataops

# uv installs in seconds and from the lock; pip is the fallback.
.venv/.ready: pyproject.toml uv.lock $(FLIGHTS)/pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet uv && $(BIN)/uv sync --locked --all-packages --all-extras --compile-bytecode --quiet || \
	  { $(BIN)/python -m pip install --quiet --upgrade pip && \
	    $(BIN)/python -m pip install --quiet -e ".[demo,postgres]" -e $(FLIGHTS) --group dev; }
	touch $@

.PHONY: help demo test check ui journeys services kills bench clean
