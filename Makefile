# Everything a person types here sets up what it needs. The only needs: make, and a Python 3.11 or newer with venv.

# The first interpreter that is new enough; a shim that does not work is passed over.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

# Empty is unset. Tests start hundreds of programs: without .pyc files, each of them compiles the package again.
export PYTHONDONTWRITEBYTECODE =

.PHONY: help demo setup dev check test coverage reference conformance docs lint format wheel bench bench-push fuzz clean

help: ## Show what can be made.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

demo: setup ## Bench the bundled server with 500 streams for 10 s.
	@$(BIN)/sse bench demo -n 500 -z 10s

setup: $(VENV)/.installed ## Make .venv/bin/sse.

dev: $(VENV)/.installed-dev ## What tests and linters need, too.

# Tests that start no server and no process: see `slow` in tests/conftest.py.
check: lint ## Lint, and run the tests that need no server: before each commit.
	$(BIN)/python -m pytest -n 2 -m "not slow"

# What has a browser mostly waits for it: these tests run beside all others, and are shown after them.
BROWSER_TESTS := tests/conformance tests/demo_server/page
define run-tests
@log=$$(mktemp); $(PYTEST) $(BROWSER_TESTS) >$$log 2>&1 & beside=$$!; \
$(PYTEST) -n 3 --dist loadfile $(BROWSER_TESTS:%=--ignore %); rest=$$?; \
wait $$beside; beside=$$?; cat $$log; rm $$log; exit $$((rest + beside))
endef

PYTEST = $(BIN)/python -m pytest
test: dev ## Run the whole test suite.
	$(run-tests)

coverage: PYTEST = $(BIN)/python -m coverage run -m pytest
coverage: dev ## Run the whole test suite and measure its coverage, that of the started processes included.
	@rm -rf build/coverage && mkdir -p build/coverage
	$(run-tests)
	@$(BIN)/python -m coverage combine --quiet
	@$(BIN)/python -m coverage report

reference: dev ## Write the reference pages that derive from the code: the schema, the report, the command line.
	$(BIN)/python -m sseclient_cli.report.reference
	$(BIN)/python -m sseclient_cli.cli.reference

conformance: dev ## Put every case to our clients and to Chromium, and write the tables of docs/explanation/conformance.md.
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

# All of it takes about half an hour. make bench BENCH="--quick --workloads 4000x10" and the like: see
# benchmarks/README.md.
bench: dev $(VENV)/.installed-bench ## Compare sse bench to other readers, and to the least that reading can cost.
	$(BIN)/python -m benchmarks $(BENCH)

# About ten minutes. BENCH has options, as above.
bench-push: dev ## Measure CPU and memory of each push endpoint of the demo server.
	$(BIN)/python -m benchmarks.push_endpoints $(BENCH)

# For how long each; the first finding ends it. One target alone, or without end: tests/fuzz/__main__.py.
SECONDS = 600
fuzz: $(VENV)/.installed-fuzz ## Throw any bytes at what reads a server's bytes.
	$(BIN)/python tests/fuzz event_stream --seconds $(SECONDS)
	$(BIN)/python tests/fuzz response --seconds $(SECONDS)

clean:
	rm -rf $(VENV) dist build benchmarks/build

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11 or newer with venv found (on Debian: apt install python3-venv); or say make PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) install --quiet --constraint constraints.txt --upgrade pip
	$(PIP) install --quiet --constraint constraints.txt --editable .
	@touch $@

# The groups of pyproject.toml need pip 25.1: the venv's own, never the machine's.
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
