# make run    start the product on this machine          make test   the whole suite on servers of its own
# make lint   style, types, import directions             make bench  the table of benchmarks/results.md
# make torture  the long proofs                           make clean  forget the environment and all local data

# The first Python of 3.11 or newer; PYTHON=… chooses another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
LOCAL := $(BIN)/python -m walletproject.local
TESTS ?=
# One test at a time for each of up to 7 processors, and one more, as some wait. WORKERS=… chooses another number.
WORKERS ?= $(shell $(BIN)/python -c 'import os; print(min(os.cpu_count() or 1, 7) + 1)')
# Where it is set, as in many images, each of our processes would compile all sources anew, and each test worker rewrite
# all assertions.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: run test bench lint torture clean
.DEFAULT_GOAL := run

run: .venv/run.stamp
	@exec $(LOCAL) run

test: .venv/dev.stamp
	$(LOCAL) exec --fast --data .data/test -- $(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not slow" $(TESTS)
	@if [ -f ledger/tests/alone.py ]; then set -x; \
	$(LOCAL) exec --fast --data .data/test -- env DJANGO_SETTINGS_MODULE=ledger.tests.alone $(BIN)/pytest -m "not slow" ledger; fi

bench: .venv/dev.stamp
	$(LOCAL) exec --data .data/bench -- $(BIN)/python -m benchmarks

torture: .venv/dev.stamp
	$(LOCAL) exec --fast --data .data/test -- $(BIN)/pytest -m slow $(TESTS)

lint: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	SECRET_KEY=lint ENCRYPTION_KEYS=lint DATABASE_URL=postgres:///lint REDIS_URL=redis:// $(BIN)/mypy .
	$(BIN)/lint-imports

clean:
	rm -rf .venv .data .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis staticfiles

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and wasn't found; PYTHON=/path/to/python names one."; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "On Debian and Ubuntu: apt-get install python3-venv"; rm -rf .venv; exit 1; }

.venv/run.stamp: requirements.txt | $(BIN)/python
	@echo "Installing requirements …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/dev.stamp: requirements-dev.txt .venv/run.stamp
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
