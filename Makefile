# Two commands do everything on a machine with Python 3.11 or newer and make:
#   make read   the book, built and opened in your browser
#   make test   everything that is checked
# Others: html, lab, refresh [CHAPTER=05], new CHAPTER=NN-slug TITLE="…", mutants, bench, lock, clean

PYTHON ?= python3
# Handed on by environment and unexpanded, so that a title may hold quotes, dollars and spaces.
override CHAPTER := $(value CHAPTER)
override TITLE := $(value TITLE)
export CHAPTER TITLE
# Python's caches are half of a fast start: of kernels, of test workers, of builds.
unexport PYTHONDONTWRITEBYTECODE
BIN := .venv/bin
PACKAGES := .venv/.packages
READY := .venv/.ready
PIP := $(BIN)/python -m pip --quiet --quiet --disable-pip-version-check --no-input
UV := $(BIN)/python -m uv
BOOK := PYTHONPATH=chapters $(BIN)/python -m _book
PYTEST := $(BIN)/python -m pytest

.PHONY: read html lab test lint unit notebooks browser refresh new mutants bench lock clean help

help:
	@sed -n '1,4s/^# \{0,1\}//p' Makefile

$(PACKAGES): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null || { \
	  echo "make: Python 3.11 to 3.14 is needed; '$(PYTHON)' is $$($(PYTHON) --version 2>&1 | tail -n 1)."; \
	  echo "Install it, or name it: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "make: this Python cannot make virtual environments; install its venv package"; \
	  echo "(Debian and Ubuntu: apt install python3-venv)."; exit 1; }
	@echo "Installing $$(grep -c '==' requirements.lock) pinned packages into .venv (once; about a minute) …"
	@$(PYTHON) -m venv .venv
	@sed -n '/^uv==/,/# via/p' requirements.lock > .venv/uv.txt
	@$(PIP) install --require-hashes -r .venv/uv.txt
	@$(UV) pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes \
	  -r requirements.lock || { echo "uv could not; pip, which takes longer, is asked …"; \
	  $(PIP) install --require-hashes -r requirements.lock; }
	@touch $@

$(READY): $(PACKAGES) pyproject.toml
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@
	@echo "Installed in .venv"

read: $(READY)
	@$(BOOK) read

html: $(READY)
	@$(BOOK) html

lab: $(READY)
	@$(BOOK) lab

refresh: $(READY)
	@$(BOOK) refresh $(if $(CHAPTER),--chapter "$$CHAPTER")

new: $(READY)
	@$(BOOK) new --chapter "$$CHAPTER" --title "$$TITLE"

# Of the site and the lint each keeps one core busy: they go side by side.
test: $(READY)
	@$(MAKE) --no-print-directory -j 2 lint html
	@$(MAKE) --no-print-directory unit
	@$(MAKE) --no-print-directory notebooks
	@$(MAKE) --no-print-directory browser
	@echo "All checks passed."

lint: $(READY)
	@echo "Lint, format, types …"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo "run: $(BIN)/ruff format ."; exit 1; }
	@$(BIN)/mypy

unit: $(READY)
	@echo "Unit tests …"
	@$(PYTEST) -q -n 2 --dist loadfile -m "not browser" --ignore=tests/browser

notebooks: $(READY)
	@echo "Every notebook, run and compared with what it stores …"
	@$(PYTEST) -q -n 2 --dist loadfile -p tests.nbguard --nbval --nbval-cell-timeout 60 chapters

browser: html
	@echo "The built pages in a browser …"
	@$(PYTEST) -q -n 2 --dist worksteal -m browser tests/browser

mutants: $(READY)
	@PYTHONPATH=.:chapters $(BIN)/python -m tests.mutants $(ARGS)

bench: $(READY)
	@$(BIN)/python -c 'import torch, jax, autograd' 2>/dev/null || { \
	  echo "make bench: installing the peers it measures against (large: torch and jax) …"; \
	  $(PIP) install -e '.[bench]'; }
	@$(BIN)/python -m tests.bench $(ARGS)

lock: $(READY)
	@$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --extra widgets --extra book --extra lab --extra test \
	  --group build -o requirements.lock pyproject.toml
	@echo "Wrote requirements.lock"

clean:
	@rm -rf _build .pytest_cache .hypothesis .mypy_cache .ruff_cache
	@echo "Removed what was built; .venv is kept."
