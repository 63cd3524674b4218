# Two commands on a bare machine with Python 3.11 or newer and make: `make demo` and `make test`.

NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON3 ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c '$(NEW_ENOUGH)' 2>/dev/null && echo $$python && exit; done; echo python3)
VENV := .venv
PYTHON := $(VENV)/bin/python
# pytest arguments of one's own, as in: make test ARGS='-k kafka -x'
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo test check fmt stubs empty-members property model simulate chaos faults parity bench bench-quick lock lock-broker lock-flink clean

help: ## what can be made
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# The environment is made anew only when the lock files or pyproject.toml change.
setup: $(VENV)/.installed ## make the environment in .venv from the lock files

PIP_INSTALL := $(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps
$(VENV)/.installed: pyproject.toml requirements/build.txt requirements/dev.txt
	@$(PYTHON3) -c '$(NEW_ENOUGH)' || { echo "Wiesel needs Python 3.11 or newer, and '$(PYTHON3)' is not." \
		"Name another: make PYTHON3=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -m pip --version >/dev/null 2>&1 || $(PYTHON3) -m venv $(VENV)
	@echo "installing the locked packages into $(VENV)"
	@$(PIP_INSTALL) --require-hashes -r requirements/build.txt
	@$(PIP_INSTALL) --require-hashes --no-build-isolation --use-pep517 -r requirements/dev.txt
	@$(PIP_INSTALL) --no-build-isolation -e .
	@touch $@

demo: setup ## a year of real flights through a real Kafka, killed half-way and resumed: nothing lost, nothing twice
	$(PYTHON) -m demo

test: setup ## every test except the long ones; starts its own Kafka, needs no Java
	$(PYTHON) -m pytest $(ARGS)

check: setup ## what CI checks without running anything: style, types, import order
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-logo
	$(PYTHON) -m wiesel.compat.stubs --check stubs/pyflink-stubs

stubs: setup ## write the type stubs for pyflink anew, after names or modules of the API changed
	$(PYTHON) -m wiesel.compat.stubs stubs/pyflink-stubs

empty-members: setup ## empties every member of the API and looks whether its test notices (two minutes)
	$(PYTHON) -m tests.tools.empty_members --all

fmt: setup ## put the sources into their one format
	$(VENV)/bin/ruff check --fix --select I
	$(VENV)/bin/ruff format

# Ten times what CI tries; make property EXAMPLES=100 for a night.
EXAMPLES ?= 10
property: setup ## windows and joins against naive references, thousands of random streams each (minutes)
	WIESEL_EXAMPLES=$(EXAMPLES) $(PYTHON) -m pytest --timeout 3600 tests/property/test_windows.py tests/property/test_joins.py $(ARGS)

model: setup ## the whole state space of the exactly-once models (minutes)
	$(PYTHON) -m pytest -m "exhaustive and not integration" --timeout 3600 $(ARGS)

faults: setup ## networks that are cut, brokers that die, every Kafka: the long rows of the fault matrix (minutes)
	$(PYTHON) -m pytest -m "exhaustive and integration" --timeout 600 tests/integration $(ARGS)

# The seeds after those that are counted in tests/simulation/results.json; ARGS='--seed 7' replays one.
SEEDS ?= 10000
simulate: setup ## the whole system on simulated Kafka, disk, network and clock, ten thousand seeds (half an hour)
	$(PYTHON) -m tests.simulation --seeds $(SEEDS) $(ARGS)

# More kills make a campaign; their counts are added up: make chaos CYCLES=3000
CYCLES ?= 100
ROWS ?= all
chaos: setup ## a hundred kills, at random moments and at every failpoint, against a real broker (minutes)
	$(PYTHON) -m tests.chaos --cycles $(CYCLES) --rows $(ROWS) $(ARGS)

parity: setup ## the same programs on the real PyFlink, on a Flink cluster and on Wiesel, and how they differ (half an hour; 0.8 GB once)
	$(PYTHON) -m tests.parity $(ARGS)
	$(PYTHON) -m tests.flink.programs $(ARGS)

bench: setup ## against the peers, cell by cell, what has no result yet (ARGS='--list', '--only G3,G7'; long, 2.3 GB once)
	$(PYTHON) -m bench.suite $(ARGS)

flink: setup ## the same files on Wiesel and on a real Flink cluster, one broker, equal outputs (four minutes; 0.8 GB once)
	$(PYTHON) -m tests.flink $(ARGS)

bench-quick: setup ## the first figures, in under three minutes
	$(PYTHON) -m bench.quick

# Every package with the hashes of its files, for every platform and every Python that we support. Written without the
# registry's address, so that a mirror serves as well.
LOCK := $(VENV)/bin/uv pip compile $(ARGS) --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --custom-compile-command "make lock"
lock: setup ## resolve the lock files anew (make lock ARGS=--upgrade for newer versions)
	$(LOCK) pyproject.toml -o requirements/runtime.txt
	$(LOCK) pyproject.toml --extra broker --extra crypto --extra parquet --extra postgresql --extra registry --extra rocksdb --group dev -c requirements/runtime.txt -o requirements/dev.txt
	$(LOCK) --group build -c requirements/dev.txt -o requirements/build.txt

lock-broker: setup ## pin the local Kafka's jars anew, ARGS=3.9.2 for another version (docs/local-broker.md)
	$(PYTHON) -m wiesel.broker.relock $(ARGS)

lock-flink: setup ## resolve PyFlink's environment anew (after another version in flink/environment.py)
	printf 'apache-flink==%s\nsetuptools\n' $$($(PYTHON) -c 'from wiesel.flink.environment import FLINK_VERSION as v; print(v)') | \
		$(subst make lock,make lock-flink,$(LOCK)) - -o $$($(PYTHON) -c 'from wiesel.flink.environment import LOCK as l; print(l)')

clean: ## remove the environment and everything that tools left behind
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
