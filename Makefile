# `make build` and `make test` set everything up themselves; a second run sets up nothing again.
SHELL := /bin/bash
.DEFAULT_GOAL := help

VENV := .venv
READY := $(VENV)/.ready
POSTGRES_READY := .venv-postgres/.ready
SPARK_READY := .venv-spark/.ready
BENCH_READY := .venv-bench/.ready
OLDER_CLIENT_READY := .venv-duckdb12/.ready
BIN := $(VENV)/bin
# The first Python on the PATH that is new enough.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
LOCK := --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --quiet
# The build that the Python suite looks at.
TESTED := $(CURDIR)/.warehouse/tested
SQL := $(shell find models tests/data -name '*.sql' -not -path 'tests/data/generic/*' 2>/dev/null)
# Files without a statement of their own: calls of macros, which become thousands of lines that no rule may complain about.
# Of each kind one is parsed as it is compiled.
EXPANDED := models/staging/survey/stg_survey__survey_responses.sql models/intermediate/rows/int_rows__orders.sql \
	models/intermediate/deals/int_stage_stays__month.sql
CALLS := $(filter-out $(EXPANDED),$(shell grep -Lw select $(SQL)))
MACROS := $(shell find macros -name '*.sql') dbt_project.yml .sqlfluff

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export DBT_SEND_ANONYMOUS_USAGE_STATS := false

.PHONY: help setup setup-postgres setup-spark build test lint lint-python lint-sql types parse dbt-build pytest mutation torture bench test-postgres test-spark lock clean

help:  ## Show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

setup: $(READY)  ## Create .venv from the locked requirements

$(READY): requirements/main.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "error: Python 3.11 or newer is needed; set PYTHON=/path/to/python3"; exit 1; }
	@echo "Setting up $(VENV) (once; about a minute) …"
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --no-deps --require-hashes -r requirements/main.txt
	@$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

build: $(READY)  ## The main job: land, build, audit and publish; prints the headline numbers
	@$(BIN)/warehouse build

test: $(READY) lint types parse dbt-build pytest  ## Everything that CI checks

lint: lint-python lint-sql  ## ruff and sqlfluff

lint-python: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

# Only what changed since the last clean lint; a changed macro changes every model. Calls of macros are linted as they are
# written (jinja templater), everything else as dbt compiles it; every rule sees every file.
lint-sql: $(READY) $(VENV)/.linted
$(VENV)/.linted: $(SQL) $(MACROS)
	@files="$(filter $(CALLS),$(if $(filter $(MACROS),$?),$(SQL),$?))"; \
		[ -z "$$files" ] || $(BIN)/sqlfluff lint --templater jinja $$files
	@files="$(filter-out $(CALLS),$(if $(filter $(MACROS),$?),$(SQL),$?))"; \
		[ -z "$$files" ] || $(BIN)/sqlfluff lint --processes 2 $$files
	@touch $@

types: $(READY)  ## mypy
	@$(BIN)/mypy

# Under the settings and in the folder of the build that follows, which takes the parse over.
parse: $(READY)  ## dbt parse; a warning or deprecation is an error
	@mkdir -p $(TESTED)
	@WAREHOUSE_BUILD_DIR=$(TESTED) $(BIN)/dbt --quiet --warn-error parse --no-partial-parse --show-all-deprecations \
		--target-path $(TESTED)/target --log-path $(TESTED)/logs

dbt-build: $(READY)  ## dbt build of the sample with every data test and unit test
	@mkdir -p $(TESTED)
	@WAREHOUSE_BUILD_DIR=$(TESTED) $(BIN)/dbt --quiet --warn-error build \
		--target-path $(TESTED)/target --log-path $(TESTED)/logs
	@$(BIN)/python -c "import collections, json; results = json.load(open('$(TESTED)/target/run_results.json'))['results']; \
		print('dbt build:', ', '.join(f'{n} {s}' for s, n in collections.Counter(r['status'] for r in results).items()))"

pytest: $(READY)  ## The Python suite: landing, building, known answers, recomputation, conventions
	@if [ -f $(TESTED)/target/run_results.json ]; then export WAREHOUSE_TESTED_BUILD=$(TESTED); fi; \
		$(BIN)/pytest -n 2 --dist loadgroup --no-loadscope-reorder \
			--ignore-glob 'tests/python/publishing/test_postgres*.py' --ignore tests/python/spark

mutation: $(READY)  ## Change every operator of the SQL, one at a time: does a unit test notice?
	@$(BIN)/python scripts/mutate.py

$(OLDER_CLIENT_READY): requirements/older_client.txt
	@rm -rf .venv-duckdb12
	@$(PYTHON) -m venv .venv-duckdb12
	@.venv-duckdb12/bin/pip install --quiet --no-deps --require-hashes -r requirements/older_client.txt
	@touch $@

torture: $(READY) $(OLDER_CLIENT_READY)  ## Kill builds, publications and erasures at random moments, fill disks, and read all the while
	@WAREHOUSE_TORTURE_KILLS=500 WAREHOUSE_TORTURE_BUILDS=20 \
		$(BIN)/pytest -s -m "slow or not slow" tests/python/publishing/test_kills.py tests/python/erasing \
			tests/python/building/test_whole_build.py tests/python/building/test_failing_tests.py \
			tests/python/building/test_faults.py tests/python/building/test_torture.py

$(POSTGRES_READY): requirements/postgres.txt pyproject.toml
	@rm -rf .venv-postgres
	@$(PYTHON) -m venv .venv-postgres
	@.venv-postgres/bin/pip install --quiet --no-deps --require-hashes -r requirements/postgres.txt
	@.venv-postgres/bin/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

setup-postgres: $(POSTGRES_READY)  ## Create .venv-postgres, for `warehouse publish --to postgres://…`

test-postgres: $(POSTGRES_READY)  ## Publish into a real PostgreSQL (installed and started by the script) and read as a BI role
	@scripts/with_postgres.sh .venv-postgres/bin/pytest tests/python/publishing/test_postgres*.py

$(BENCH_READY): requirements/bench.txt pyproject.toml
	@rm -rf .venv-bench
	@$(PYTHON) -m venv .venv-bench
	@.venv-bench/bin/pip install --quiet --no-deps --require-hashes -r requirements/bench.txt
	@.venv-bench/bin/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

# Customers of the largest generated company; the smaller ones are 10,000, 100,000 and so on.
CUSTOMERS ?= 100000
bench: $(READY) $(BENCH_READY)  ## Measure the warehouse beside the yardstick and its peers: make bench [CUSTOMERS=100000]
	@PYTHONPATH=scripts .venv-bench/bin/python -m benchmarking --customers $(CUSTOMERS) $(BENCH_OPTIONS)

$(SPARK_READY): requirements/spark.txt pyproject.toml
	@echo "Setting up .venv-spark (once; a minute or two) …"
	@rm -rf .venv-spark
	@$(PYTHON) -m venv .venv-spark
	@.venv-spark/bin/pip install --quiet --no-deps --require-hashes -r requirements/spark.txt
	@.venv-spark/bin/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

setup-spark: $(SPARK_READY)  ## Create .venv-spark, for `warehouse build --target spark`

test-spark: $(READY) $(SPARK_READY)  ## Run the models on a Spark cluster (started by the script); every number against DuckDB
	@env -u WAREHOUSE_DIR scripts/with_spark.sh .venv-spark/bin/pytest -s --durations=0 tests/python/spark

lock:  ## Lock the requirements again (needs uv)
	uv pip compile requirements/main.in --override requirements/overrides.txt $(LOCK) -o requirements/main.txt
	uv pip compile requirements/postgres.in --override requirements/overrides.txt --constraint requirements/main.txt \
		$(LOCK) -o requirements/postgres.txt
	uv pip compile requirements/spark.in --override requirements/overrides.txt --constraint requirements/main.txt \
		$(LOCK) -o requirements/spark.txt
	uv pip compile requirements/bench.in --override requirements/overrides.txt --constraint requirements/main.txt \
		$(LOCK) -o requirements/bench.txt
	uv pip compile requirements/older_client.in $(LOCK) -o requirements/older_client.txt

clean:  ## Remove what dbt and the tools wrote; the landing zone and the published warehouse stay
	rm -rf target logs .pytest_cache .mypy_cache .ruff_cache .hypothesis
