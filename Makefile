# Every target does its own set-up: a virtual environment in .venv with the project and its tools.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: run test test-fast check lint types imports format bench screenshots clean

run: $(STAMP)
	@$(BIN)/komodo-tui $(ARGS)

# The whole suite, with the rig: private engines and sshd from Debian's packages (needs root and apt for those parts).
test: $(STAMP)
	@CI="$(CI)" PYTHON="$(BIN)/python" sh tests/run.sh $(ARGS)

# What needs neither root nor an engine.
test-fast: $(STAMP)
	@$(BIN)/python -m pytest -q -m "not rig" -n 2 $(ARGS)

# Everything that is checked before a change lands, but the tests.
check: lint types imports

lint: $(STAMP)
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(STAMP)
	@$(BIN)/mypy

imports: $(STAMP)
	@$(BIN)/lint-imports

format: $(STAMP)
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

bench: $(STAMP)
	@$(BIN)/python -m benchmarks $(ARGS)

screenshots: $(STAMP)
	@$(BIN)/python -m benchmarks.scenes $(ARGS)

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "komodo-tui needs Python 3.11 or newer; set PYTHON=python3.12, say"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "python3-venv is missing: apt install python3-venv"; exit 1; }
	@echo "installing komodo-tui into $(VENV) …" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $(STAMP)

clean:
	rm -rf $(VENV) build dist
