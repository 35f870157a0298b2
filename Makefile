# Everything here works from nothing: with Python 3.11+ and make, each target first makes the environment that it needs.

VENV    := .venv
BIN     := $(VENV)/bin
STAMP   := $(VENV)/.installed
PIP     := $(BIN)/python -m pip -qq --disable-pip-version-check --no-input
# The interpreter that makes the environment: PYTHON=..., or the first of these that is new enough.
PYTHONS := $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11)
RECENT  := import sys; sys.exit(sys.version_info < (3, 11))
CHOOSE  := for python in $(PYTHONS); do "$$python" -c '$(RECENT)' 2>/dev/null && break; python=; done; \
	[ "$$python" ] || { echo 'toolway needs Python 3.11 or newer: make PYTHON=/path/to/python3.11' >&2; exit 2; }

# Four processes share the tests, each file in one of them: many tests wait for something. Files run in the order of
# their names, because the files with few tests are among those that take longest and should not be left for the end.
SHARED  := -n $(or $(PROCESSES),4) --dist loadfile --no-loadscope-reorder
QUICK   := tests/foundation tests/openapi tests/catalog tests/policy tests/lint tests/golden tests/test_public_names.py

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help setup serve test test-quick test-versions conformance clients applications bench bench-micro check fingerprints lock

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-14s %s\n", $$1, $$2 }'

setup: $(STAMP)  ## make .venv and install the locked dependencies
	@echo "$(VENV) is ready"

serve: $(STAMP)  ## serve the order desk: MCP at /mcp, Swagger UI at /docs (PORT=8001 for another port)
	@$(BIN)/toolway serve $(if $(PORT),--port $(PORT))

test: $(STAMP)  ## run the tests in several processes (ARGS="-k name" for some of them)
	@$(BIN)/python -m pytest $(SHARED) $(ARGS)

test-quick: $(STAMP)  ## run the tests that take little time, for use while editing
	@$(BIN)/python -m pytest $(SHARED) -q $(QUICK) $(ARGS)

test-versions: $(STAMP)  ## run the engine's tests on the oldest to the newest versions (ARGS=oldest, PYTHON=3.13)
	@$(BIN)/python -m tests.versions $(if $(PYTHON),--python $(PYTHON)) $(ARGS)

conformance: $(STAMP)  ## run the official MCP conformance suite, scenario by scenario (ARGS=2026 for some of its lines)
	@$(BIN)/python -m tests.conformance $(ARGS)

clients: $(STAMP)  ## connect the clients that people use to the order desk (ARGS=fastmcp for one of them)
	@$(BIN)/python -m benchmarks.clients $(ARGS)

applications: $(STAMP)  ## compare calls to applications by others with HTTP (ARGS="--only prefect" for one of them)
	@$(BIN)/python benchmarks/applications/run.py $(ARGS)

bench: $(STAMP)  ## measure what a call costs beside plain HTTP and other libraries (ARGS="calls --ours" for less)
	@$(BIN)/python -m benchmarks.speed $(ARGS)

bench-micro: $(STAMP)  ## time the pieces of a call
	@$(BIN)/python -m pytest benchmarks/micro --benchmark-enable --benchmark-only --benchmark-columns=median,ops \
		--benchmark-group-by=func --benchmark-max-time=0.3 -q $(ARGS)

check: $(STAMP)  ## run the linter, and check formatting, types and prose
	@$(BIN)/python -m ruff check --quiet .
	@$(BIN)/python -m ruff format --quiet --check .
	@$(BIN)/python -m pyright
	@$(BIN)/python -m tests.prose

fingerprints: $(STAMP)  ## compare the functions that direct calls rely on (ARGS=--record once reviewed)
	@$(BIN)/python -m tests.fingerprints $(ARGS)

lock:  ## pin the dependencies again (UPGRADE=1 takes the newest releases)
	@$(CHOOSE); \
	tmp=$$(mktemp -d) && trap 'rm -rf "$$tmp"' EXIT && \
	"$$python" -m venv "$$tmp" && "$$tmp/bin/python" -m pip install -qq --disable-pip-version-check uv && \
	"$$tmp/bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-annotate --no-header --group dev $(if $(UPGRADE),--upgrade) pyproject.toml -o requirements.lock

$(STAMP): pyproject.toml requirements.lock
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { \
		$(CHOOSE); \
		echo "Making $(VENV) with $$("$$python" -V)"; \
		"$$python" -m venv --clear $(VENV); }
	@echo "Installing the locked dependencies into $(VENV) (about a minute the first time)"
	@# --no-deps: the lock is complete, and resolving it again would look past it at newer releases
	@$(PIP) install --no-deps --require-hashes --only-binary :all: -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@
