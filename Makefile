# Every target sets itself up: Python 3.11+ and make are all it takes.
PYTHON ?= python3
BIN := .venv/bin
FLIGHTS := examples/flights
.DEFAULT_GOAL := help

help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 18

demo: .venv/.ready ## Carry a year of flights from files to published tables, a model and predictions
	cd $(FLIGHTS) && ../../$(BIN)/dataops run

test: .venv/.ready ## The tests that need no service: four to five minutes on two cores
	$(BIN)/pytest -n 2 --dist worksteal -q

check: .venv/.ready ## Lint, strict types, floors
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

ui: .venv/.ready ## Dagster's pages on http://127.0.0.1:3000, with the demo's runs
	@cd $(FLIGHTS) && ../../$(BIN)/dataops status > /dev/null  # makes the instance where there is none yet
	DAGSTER_HOME="$(CURDIR)/$(FLIGHTS)/.dataops/dagster" DATAOPS_DAGSTER_URL=http://127.0.0.1:3000 \
	  $(BIN)/dagster dev -w workspace.yaml -h 127.0.0.1 -p 3000

journeys: .venv/.ready ## The whole stories on the real year
	$(BIN)/pytest -n 2 --dist worksteal -q -m "journey and not service and not kills"

browser: .venv/.browser ## Dagster's pages and the board in Chromium; pictures are kept in .screenshots
	$(BIN)/pytest -q -m browser

services: .venv/.ready ## The tests that start a PostgreSQL server
	$(BIN)/pytest -n 2 --dist worksteal -q -m "service and not races and not kills"

kills: .venv/.ready ## Processes killed at every fault point
	$(BIN)/pytest -n 2 --dist worksteal -q -m kills

races: .venv/.ready ## Many processes at once on one environment, on both catalogs
	$(BIN)/pytest -n 2 --dist worksteal -q -m races

campaign: .venv/.ready ## Races, kills and stories of moves in full numbers, on both catalogs: about an hour
	DATAOPS_CAMPAIGN=1 $(BIN)/pytest -n 2 --dist worksteal -q -m "races or kills" tests/races tests/kills tests/release/moves

docs: .venv/.ready ## The pages of docs/reference, written anew from the code
	$(BIN)/python docs/reference.py

bench: .venv/.ready ## Time per stage, and overhead beside a bare Dagster graph
	$(BIN)/python -m benchmarks.spine

bench-contracts: .venv/.ready ## What a contract costs on 10 M rows, beside its peers and a bare scan
	$(BIN)/python -m benchmarks.contracts

bench-release: .venv/.ready ## Promotions by table size, and rollbacks of the example: a quarter of an hour
	$(BIN)/python -m benchmarks.release

clean: ## Forget what the demo made
	rm -rf $(FLIGHTS)/.dataops

# uv installs in seconds and from the lock; pip is the fallback.
.venv/.ready: pyproject.toml uv.lock $(FLIGHTS)/pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet uv && $(BIN)/uv sync --locked --all-packages --all-extras --compile-bytecode --quiet || \
	  { $(BIN)/python -m pip install --quiet --upgrade pip && \
	    $(BIN)/python -m pip install --quiet -e ".[demo,postgres]" -e $(FLIGHTS) --group dev; }
	touch $@

.venv/.browser: .venv/.ready
	$(BIN)/uv sync --locked --all-packages --all-extras --group browser --compile-bytecode --quiet || \
	  $(BIN)/python -m pip install --quiet --group browser
	touch $@

.PHONY: help demo test check ui journeys browser services kills races campaign docs bench bench-contracts bench-release clean
