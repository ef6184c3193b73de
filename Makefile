# Each target installs the tools it needs. The only requirements are make and Python 3.11 or newer with venv.

# The first interpreter that is new enough. Shims that do not work are skipped.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

# An empty value counts as unset. Tests start hundreds of programs: without .pyc files, each of them compiles the package again.
export PYTHONDONTWRITEBYTECODE =

.PHONY: help demo setup dev check test coverage reference conformance docs lint format wheel bench bench-push bench-viewers bench-http2 bench-llm bench-llm-oracle bench-merge fuzz clean

help: ## Show the targets.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

demo: setup ## Load-test the demo server with 500 streams for 10 s.
	@$(BIN)/sse bench demo -n 500 -z 10s

setup: $(VENV)/.installed ## Install sse in .venv/bin.

dev: $(VENV)/.installed-dev ## Install the tools for tests and linters.

# Only tests that start no server and no process: see `slow` in tests/conftest.py.
check: lint ## Lint, and run the tests that start no server. Use it before each commit.
	$(BIN)/python -m pytest -n 2 -m "not slow"

# Most tests wait for programs that they have started, so two cores do four at a time. With `worksteal`,
# an idle process takes tests from another one, so no long file runs alone at the end.
RUN_TESTS = $(PYTEST) -n 4 --dist worksteal

PYTEST = $(BIN)/python -m pytest
# A test that fails beside others runs once more, alone (as CPython's `regrtest --rerun` does it): other programs of a
# shared machine can hold the CPU for longer than a test waits. Its second failure ends the run.
test: dev ## Run the whole test suite.
	$(RUN_TESTS) || { [ $$? -eq 1 ] && $(PYTEST) --last-failed --last-failed-no-failures none --exitfirst; }

coverage: PYTEST = $(BIN)/python -m coverage run -m pytest
coverage: dev ## Run the whole test suite and measure coverage, including started processes.
	@rm -rf build/coverage && mkdir -p build/coverage
	$(RUN_TESTS)
	@$(BIN)/python -m coverage combine --quiet
	@$(BIN)/python -m coverage report

reference: dev ## Generate the schema and the reference pages of the report and the command line.
	$(BIN)/python -m sseclient_cli.report.reference
	$(BIN)/python -m sseclient_cli.cli.reference

conformance: dev ## Run every case on our clients and Chromium; write the tables of docs/explanation/conformance.md.
	$(BIN)/python -m pytest tests/conformance --update-conformance

docs: $(VENV)/.installed-docs ## Build the documentation site in build/docs; a dead link is an error.
	$(BIN)/zensical build --clean --strict

lint: dev ## Check format, style, spelling, words, types, layers.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/codespell
	$(BIN)/python -m tools.word_lint
	$(BIN)/mypy
	$(BIN)/lint-imports

format: dev ## Apply the format.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

wheel: dev ## Build dist/*.whl.
	rm -rf dist
	$(BIN)/python -m build --wheel --outdir dist

# It takes about half an hour. BENCH passes options, for example BENCH="--quick --workloads 4000x10": see
# benchmarks/README.md.
bench: dev $(VENV)/.installed-bench ## Compare sse bench with other readers, and with a C program that only reads.
	$(BIN)/python -m benchmarks $(BENCH)

# It takes about ten minutes. BENCH passes options, as above.
bench-push: dev ## Measure CPU and memory of each push endpoint of the demo server.
	$(BIN)/python -m benchmarks.push_endpoints $(BENCH)

# It takes about five minutes. BENCH passes options, as above.
bench-viewers: dev $(VENV)/.installed-bench ## Compare sse watch with curl, HTTPie and httpx-sse.
	$(BIN)/python -m benchmarks.viewers $(BENCH)

bench-http2: dev ## Compare HTTP/1.1 and HTTP/2 with 1,000 streams of hypercorn and nginx.
	$(BIN)/python -m benchmarks.http2 $(BENCH)

# It takes about half an hour. The other tools are installed only on request: benchmarks/README.md.
bench-llm: dev ## Compare sse bench --llm with other load generators for LLMs.
	$(BIN)/python -m benchmarks.llm $(BENCH)

bench-llm-oracle: dev ## Compare each duration of sse bench --llm with the log of the demo server.
	$(BIN)/python -m benchmarks.llm_oracle $(BENCH)

# It takes about ten minutes.
bench-merge: dev ## Merge the totals of 1,000 workers: in one process, and in trees of machines.
	$(BIN)/python -m benchmarks.merge $(BENCH)

# Seconds per target; the first finding ends the run. tests/fuzz/__main__.py can run one target, or run without a limit.
SECONDS = 600
fuzz: $(VENV)/.installed-fuzz ## Feed random bytes to the parser and the response reader.
	$(BIN)/python tests/fuzz event_stream --seconds $(SECONDS)
	$(BIN)/python tests/fuzz response --seconds $(SECONDS)

clean:
	rm -rf $(VENV) dist build benchmarks/build

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11 or newer with venv found (on Debian: apt install python3-venv); or run make PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) install --quiet --constraint constraints.txt --upgrade pip
	$(PIP) install --quiet --constraint constraints.txt --editable .
	@touch $@

# The groups of pyproject.toml need pip 25.1, so the venv's pip installs them, not the system's.
$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) install --quiet --constraint constraints.txt --group dev
	@touch $@

$(VENV)/.installed-bench: $(VENV)/.installed-dev
	$(PIP) install --quiet --constraint constraints.txt --group bench
	@touch $@

$(VENV)/.installed-docs: $(VENV)/.installed
	$(PIP) install --quiet --constraint constraints.txt --group docs
	@touch $@

$(VENV)/.installed-fuzz: $(VENV)/.installed
	$(PIP) install --quiet --constraint constraints.txt --group fuzz
	@touch $@
