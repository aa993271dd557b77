# Every target works from an empty clone: it first builds .venv from the lock, with no more in it than it needs.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: run demo test coverage lint types bench simulate explore golden docs lock clean help servers

PYTHON ?= python3
SEEDS  ?= 300
TIMES  ?= 10
TESTS  ?=

# A machine that forbids byte code would have every process, also those that tests start, compile the program anew.
unexport PYTHONDONTWRITEBYTECODE

PUBLIC_INDEX := --no-config --default-index https://pypi.org/simple
# --inexact keeps pip and uv themselves in .venv; downloads of a Python are refused because they would replace it.
SYNC := UV_PYTHON_DOWNLOADS=never .venv/bin/uv sync --quiet --frozen --inexact

run: .venv/run  ## Start a host and a few terminals that trade with it
	.venv/bin/python examples/run_demo.py

demo: .venv/run  ## Live through one business day, from sign-in to settlement
	.venv/bin/python examples/demo_day.py

# A chosen part (TESTS) is not measured: its coverage would say nothing about the whole. The whole runs in several
# processes (tests/conftest.py says how many): every test has its own host, store and ports.
test: .venv/dev servers  ## Run every test and measure coverage, or a part: make test TESTS=tests/unit
ifeq ($(strip $(TESTS)),)
	@rm -rf var/coverage && mkdir -p var/coverage
	.venv/bin/coverage run -m pytest -n auto --dist worksteal
	@.venv/bin/coverage combine --quiet
else
	.venv/bin/pytest $(TESTS)
endif

coverage: test  ## Run every test, then show the lines that none of them reached
	.venv/bin/coverage report --show-missing

lint: .venv/dev  ## Check style, types, direction of imports, and the coverage of the last make test
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports --no-cache
	@if [ -n "$$CI" ] || [ -e var/coverage/.coverage ]; then \
	    echo ".venv/bin/coverage report"; .venv/bin/coverage report; \
	else \
	    echo "Coverage is NOT checked: nothing measured yet, make test does."; \
	fi

types: .venv/dev  ## Check types alone
	.venv/bin/mypy

bench: .venv/run  ## Measure the host against a bare echo; the table goes to var/bench.json too
	@mkdir -p var
	.venv/bin/python bench/bench.py

simulate: .venv/dev  ## Trade in virtual time with a lossy network, one run per seed: make simulate SEEDS=300
	.venv/bin/python tests/simulation/simulate.py --seeds $(SEEDS)

explore: .venv/dev  ## Run the models of every life on other random paths than the tests: make explore TIMES=10
	POS_EXPLORE=$(TIMES) .venv/bin/pytest -n auto -o faulthandler_timeout=0 tests/stateful

golden: .venv/dev  ## Rewrite the golden messages and conversations; review the diff
	POS_REWRITE_GOLDEN=1 .venv/bin/pytest tests/golden

docs: .venv/dev  ## Write the generated parts of the documentation anew
	.venv/bin/python tools/generate_docs.py

lock: .venv/bin/uv  ## Resolve uv.lock anew after pyproject.toml changed
	.venv/bin/uv lock $(PUBLIC_INDEX)

clean:  ## Remove .venv, caches and coverage; stores and keys in var/ stay
	rm -rf .venv build dist var/coverage .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find bench examples host specs terminal tests tools -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

servers:
	@sh tools/install_servers.sh

.venv/bin/uv: uv.lock.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.11 ..." if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement uv.lock.txt
	@touch $@

.venv/run: .venv/bin/uv uv.lock pyproject.toml
	$(SYNC) --no-dev --extra speed
	@touch $@

.venv/dev: .venv/bin/uv uv.lock pyproject.toml
	$(SYNC) --all-extras --all-groups
	@touch $@ .venv/run
