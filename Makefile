# make book    executes the chapters and builds the book; prints the page to open
#              SCALE=smoke|cpu|gpu|paper   how large the experiments are (default: cpu)
#              RECOMPUTE=1                 compute recorded experiments again
# make pdf     the same, and prints the whole book to one PDF; needs Chromium or Chrome
# make test    runs the tests
# make lint    looks at the code without running it: style, layout, types, scripts
# make bench   measures the speed and writes benchmarks/results.json (about a quarter of an hour)
# make renew   looks for newer versions of all that is installed, for constraints.txt
# make clean   removes what the other targets have built, but not .venv and records
#
# Each target first sets up .venv with what it needs, where that is missing or has changed. The
# book needs less than the tests.

PYTHON ?= python3
SCALE ?= cpu
RECOMPUTE ?=

# Texts are UTF-8, whatever the locale says.
export PYTHONUTF8 := 1

VENV := .venv
# Empty files, as new as what they stand for.
READER := $(VENV)/.reader
DEVELOPER := $(VENV)/.developer
NEW_ENOUGH := -c 'import sys; sys.exit(sys.version_info < (3, 11))'

.PHONY: book pdf test lint bench renew install install-test clean

book: install
	@$(VENV)/bin/rainlens book --scale $(SCALE) $(if $(filter-out 0 no false,$(RECOMPUTE)),--recompute)

pdf: install
	@$(VENV)/bin/rainlens book --pdf --scale $(SCALE)

# Two workers, each of which computes with one thread: what this takes is known for two cores. A
# file stays with one worker; tests/conftest.py says which files come first.
test: install-test
	@OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: install-test
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/python -m pytest -q tests/test_javascript.py

bench: install-test
	@$(VENV)/bin/python benchmarks/run.py

renew: install
	@$(VENV)/bin/python .ci/renew.py

install: $(READER)
	@:

install-test: $(DEVELOPER)
	@:

# The stamps are written last: an interrupted installation starts over.
$(READER): requirements.txt pyproject.toml constraints.txt
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

$(DEVELOPER): requirements-test.txt $(READER)
	@echo "Installing what the tests need on top."
	@$(VENV)/bin/python -m pip install -q --disable-pip-version-check -r requirements-test.txt
	@touch $@

clean:
	rm -rf _build records/smoke .pytest_cache .ruff_cache .mypy_cache
	find src tests benchmarks notebooks -name __pycache__ -prune -exec rm -rf {} +
