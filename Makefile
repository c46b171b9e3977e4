# Every target sets itself up: Python 3.11+ and make are all it takes.
PYTHON ?= python3
BIN := .venv/bin
FLIGHTS := examples/flights
unexport PYTHONDONTWRITEBYTECODE # what is compiled once is not compiled by every process of the tests
SLOW := $(BIN)/pytest -n 3 --dist loadgroup -q # stories wait for processes and servers half of their time
CAMPAIGN := DATAOPS_CAMPAIGN=1 $(SLOW)
.DEFAULT_GOAL := help

help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 22

demo: .venv/.ready ## Carry a year of flights from files to published tables, a model and predictions
	cd $(FLIGHTS) && ../../$(BIN)/dataops run

test: .venv/.ready ## The tests that need no service: two and a half minutes on two cores
	$(BIN)/pytest -n 2 --dist worksteal -q

check: .venv/.ready ## Lint, strict types, layers of imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

ui: .venv/.ready ## Dagster's pages on http://127.0.0.1:3000, with the demo's runs
	@cd $(FLIGHTS) && ../../$(BIN)/dataops status > /dev/null  # makes the instance where there is none yet
	DAGSTER_HOME="$(CURDIR)/$(FLIGHTS)/.dataops/dagster" DATAOPS_DAGSTER_URL=http://127.0.0.1:3000 \
	  $(BIN)/dagster dev -w workspace.yaml -h 127.0.0.1 -p 3000

journeys: .venv/.ready ## Whole stories: of the real year, and of projects that are run, promoted and taken back
	$(SLOW) -m "journey and not service and not kills"

browser: .venv/.browser ## Dagster's pages and the board in Chromium; pictures are kept in .screenshots
	$(BIN)/pytest -q -m browser

services: .venv/.ready ## The tests that start a PostgreSQL server
	$(SLOW) -m "service and not races and not kills"

kills: .venv/.ready ## Processes killed at every fault point
	$(SLOW) -m kills

races: .venv/.ready ## Many processes at once on one environment, on both catalogs
	$(SLOW) -m races

slow: .venv/.ready ## Journeys, services, kills and races in one go: what they share is made once
	$(SLOW) -m "journey or service or kills or races"

campaign: campaign-kills campaign-stories campaign-races campaign-contracts ## All in full numbers: about an hour

campaign-kills: .venv/.ready ## Runs of Dagster killed at each point alone; moves killed 200 times on each catalog
	$(CAMPAIGN) -m kills tests/kills

campaign-stories: .venv/.ready ## 200 stories of moves on each catalog, and every way to tamper with a ledger
	$(CAMPAIGN) -m "kills or service or journey" tests/release/moves/test_story.py tests/release/audit/test_tampering.py

campaign-races: .venv/.ready ## 100 races on each catalog
	$(CAMPAIGN) -m races

campaign-contracts: .venv/.ready ## 150 contracts that were drawn, 500 that were changed, and the laws of verdicts in full numbers
	$(CAMPAIGN) -m "not service" tests/testing tests/contracts

docs: .venv/.ready ## The pages of docs/reference, written anew from the code
	$(BIN)/python docs/reference.py

bench: .venv/.ready ## Time per stage, and overhead beside a bare Dagster graph
	$(BIN)/python -m benchmarks.spine

bench-contracts: .venv/.ready ## What a contract costs on 10 M rows, beside its peers and a bare scan
	$(BIN)/python -m benchmarks.contracts

bench-digest: .venv/.ready ## What the digest of 10 M rows costs on top of reading them, beside text and MD5
	$(BIN)/python -m benchmarks.digest

bench-release: .venv/.ready ## Promotions by table size, and rollbacks of the example: a quarter of an hour
	$(BIN)/python -m benchmarks.release

bench-formats: .venv/.ready ## How large cuts, events and manifests get with 1,000 tables of 1,000 windows
	$(BIN)/python -m benchmarks.formats

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

.PHONY: help demo test check ui journeys browser services kills races slow campaign campaign-kills campaign-stories \
  campaign-races campaign-contracts docs bench bench-contracts bench-digest bench-formats bench-release clean
