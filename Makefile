# Two commands do all the set-up: `make scan PHOTOS=DIR` and `make test`.
# They need Python 3.11 to 3.14 and nothing else.

PYTHON ?= python3
VENV   := .venv
export PIP_DISABLE_PIP_VERSION_CHECK := 1
BIN    := $(VENV)/bin

# One more than processors, because tests also wait: for processes, servers and locks.
WORKERS = $(shell $(BIN)/python -c 'import os; print((os.cpu_count() or 1) + 1)')

# Test processes start from compiled modules. To compile and rewrite all tests takes each of them ten seconds.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: scan test test-short lint types check bench docs site wheel release clean help

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -e 's/:.*## /\t/'

# make would expand a dollar sign in the name of a folder.
scan: export SOURCE = $(value PHOTOS)
scan: $(VENV)/.installed  ## catalogue the photos of a folder: make scan PHOTOS=~/Pictures
	@test -n "$$SOURCE" || { echo 'Name a folder: make scan PHOTOS=~/Pictures' >&2; exit 2; }
	$(BIN)/catalog scan "$$SOURCE"

test: $(VENV)/.installed-dev  ## run the tests, on all processors
	$(BIN)/pytest -n $(WORKERS) --dist worksteal

test-short: $(VENV)/.installed-dev  ## run the tests that need neither a network of faces nor a server
	$(BIN)/pytest -n $(WORKERS) --dist worksteal tests/app tests/domain tests/identities tests/scanning tests/store

lint: $(VENV)/.installed-dev  ## ruff and import-linter
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports

types: $(VENV)/.installed-dev  ## mypy --strict
	$(BIN)/mypy

check: lint types site test  ## lint, types, site and tests

bench: $(VENV)/.installed-dev  ## run the benchmarks: speed, memory, accuracy
	$(BIN)/python -m tests.benchmarks

docs: $(VENV)/.installed-dev  ## generate the reference pages of docs/
	$(BIN)/python -m tools.write_docs

site: $(VENV)/.installed-dev  ## build the documentation site into build/site; a dead link is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --config-file tools/site/mkdocs.yml

release: $(VENV)/.installed-release  ## build wheel and sdist into dist/, and try them as users install them
	$(BIN)/python -m tools.release

wheel: $(VENV)/.installed-dev  ## build the wheel into dist/
	$(BIN)/hatchling build -t wheel

clean:  ## remove the virtual environment and built files
	rm -rf $(VENV) dist build

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.lock pyproject.toml | $(BIN)/python
	@echo 'Installing packages into $(VENV) (a minute or two) ...' >&2
	$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	@echo 'Installing the packages of the tests into $(VENV) ...' >&2
	$(BIN)/pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

$(VENV)/.installed-release: requirements-release.lock $(VENV)/.installed-dev
	$(BIN)/pip install --quiet --require-hashes -r requirements-release.lock
	@touch $@
