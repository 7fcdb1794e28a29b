# Two commands matter: `make demo` and `make test`. Each brings what it needs.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
# Hundreds of short processes start here: without kept bytecode each of them would compile everything again.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help setup demo test bench bench-quick lint lock packages clean

BIN := .venv/bin
DISTRIBUTIONS := . $(sort $(wildcard plugins/aphub-*))
PROJECTS := pyproject.toml $(wildcard plugins/aphub-*/pyproject.toml)
# What the tests really start: mail servers, an SSH server, GnuPG, OpenSSL, PostgreSQL, and Go to verify proofs independently.
PACKAGES := postfix dovecot-imapd openssh-server gnupg openssl postgresql golang-go golang-golang-x-mod-dev

help:
	@echo "make demo         play one school day and show what came of it"
	@echo "make test         check everything"
	@echo "make bench        measure everything (bench-quick: in under 3 minutes)"
	@echo "make lint         the checks that run nothing"
	@echo "make lock         choose new pins and write requirements.lock"
	@echo "make clean        remove what the above made"

# The stamps lie in .venv, so that they go with it.
.venv/.locked: requirements.lock tools/make-venv
	@echo "Setting up .venv from requirements.lock"
	@tools/make-venv
	@touch $@

.venv/.installed: .venv/.locked $(PROJECTS)
	@$(BIN)/uv pip install --quiet --offline --python $(BIN)/python --no-deps --no-build-isolation \
		$(addprefix --editable ,$(DISTRIBUTIONS))
	@touch $@

setup: .venv/.installed

packages:
	@tools/debian-packages $(PACKAGES)

demo: setup
	@$(BIN)/aphub demo

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

# The tests of one file stay together, for what they share; conftest.py says in which order files are given out.
# What they write stays in memory where there is plenty of it: each commit would wait for the disk otherwise.
test: packages lint
	PYTEST_DEBUG_TEMPROOT="$$(tools/roomy-memory 4096)" $(BIN)/pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

bench: setup
	$(BIN)/python -m benchmarks

bench-quick: setup
	$(BIN)/python -m benchmarks --quick

# No registry's host may stand in the lock, so that it holds wherever packages come from.
lock: setup
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade --generate-hashes \
		--no-emit-index-url --no-emit-package aphub --all-extras --group dev \
		--custom-compile-command "make lock" --output-file requirements.lock $(PROJECTS)

clean:
	rm -rf .venv var benchmarks/out build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
