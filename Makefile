# make book    executes the chapters and builds the book; prints the page to open
#              SCALE=smoke|cpu|gpu|paper   how large the experiments are (default: cpu)
#              RECOMPUTE=1                 compute recorded experiments again
# make test    runs the tests
# make bench   measures the speed and writes benchmarks/results.json (about a quarter of an hour)
# make clean   removes what the other targets have built, but not .venv and records
#
# Each target first sets up .venv, where that is missing or its requirements have changed.

PYTHON ?= python3
SCALE ?= cpu
RECOMPUTE ?=

VENV := .venv
INSTALLED := $(VENV)/.installed
NEW_ENOUGH := -c 'import sys; sys.exit(sys.version_info < (3, 11))'

.PHONY: book test bench install clean

book: install
	@$(VENV)/bin/rainlens book --scale $(SCALE) $(if $(filter-out 0 no false,$(RECOMPUTE)),--recompute)

test: install
	@$(VENV)/bin/python -m pytest

bench: install
	@$(VENV)/bin/python benchmarks/run.py

install: $(INSTALLED)
	@:

# The stamp is written last: an interrupted installation starts over.
$(INSTALLED): pyproject.toml requirements.txt
	@$(VENV)/bin/python $(NEW_ENOUGH) 2>/dev/null || { \
	  $(PYTHON) $(NEW_ENOUGH) 2>/dev/null || { \
	    echo "Python 3.11 or newer is needed, but $(PYTHON) is: $$($(PYTHON) --version 2>&1)." \
	      "Name another one: make $(or $(MAKECMDGOALS),book) PYTHON=python3.12" >&2; exit 1; }; \
	  $(PYTHON) -m venv --clear $(VENV) || { \
	    echo "$(PYTHON) cannot make the folder $(VENV): on Debian or Ubuntu, install" \
	      "the package python3-venv; then try again." >&2; exit 1; }; }
	@echo "Installing into $(VENV); the first time this takes some minutes."
	@$(VENV)/bin/python -m pip install -q --disable-pip-version-check -r requirements.txt
	@touch $@

clean:
	rm -rf _build records/smoke .pytest_cache .ruff_cache
	find src tests benchmarks notebooks -name __pycache__ -prune -exec rm -rf {} +
