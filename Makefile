# The two commands are `make run` and `make test`; `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 3
COMPILE := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet
PACKAGES := core users resellers clients vendors catalog subscriptions billing orders provisioning notifications sso \
	tenants office365 microsoft_esd ui storefront bss api cloudbss sandbox bench

.PHONY: help setup run test lint format types contracts migrations deploy-check suite bench chaos fuzz texts api-document requirements clean

help: ## Say what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed (PYTHON=...)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements/local.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/local.txt
	@touch $@

$(VENV)/.dev: requirements/dev.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $(VENV)/.run $@

setup: $(VENV)/.dev ## Make .venv and install the pinned requirements of the two commands

run: $(VENV)/.run ## Start everything with demo data and print where it is (Ctrl-C stops it)
	@exec $(BIN)/python -m cloudbss.run

test: setup lint suite ## Linters, types, architecture contracts and the whole suite

lint: setup contracts types migrations deploy-check ## Everything that reads the code without running it
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/djlint templates --lint --quiet

types:
	$(BIN)/mypy $(PACKAGES)

contracts:
	PYTHONPATH=. $(BIN)/lint-imports --no-cache

migrations:
	DJANGO_SETTINGS_MODULE=cloudbss.settings.test $(BIN)/python -W ignore manage.py makemigrations --check --dry-run --skip-checks

deploy-check:
	$(BIN)/python -m cloudbss.deploy_check

suite:
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --durations 25

chaos: setup ## Kill, stop and delay on purpose (200 orders, then every fault at every call, then long random walks), and prove that nothing is lost
	$(BIN)/python -W ignore -m bench.chaos
	FAULTS=all $(BIN)/python -m pytest -q -n $(WORKERS) tests/provisioning/test_fault_matrix.py
	WALKS=40 WALK_STEPS=30 $(BIN)/python -m pytest -q -n $(WORKERS) tests/provisioning/test_random_walks.py

fuzz: setup ## Ask every call of the API with random values, right and wrong, and walk along its links; FUZZ=n examples of each
	FUZZ=$(or $(FUZZ),30) $(BIN)/python -m pytest -q -n $(WORKERS) tests/api/test_fuzz.py tests/api/test_filters.py

texts: setup ## Bring locale/ up to date with the code's words (takes gettext), and compile it
	DJANGO_SETTINGS_MODULE=cloudbss.settings.test $(BIN)/python -W ignore manage.py makemessages --all --no-wrap --no-obsolete \
		--add-location file --ignore .venv --ignore tests --ignore bench --ignore staticfiles
	$(BIN)/python -m cloudbss.texts

api-document: setup ## Write docs/openapi.json anew from the views of the API
	DJANGO_SETTINGS_MODULE=cloudbss.settings.test $(BIN)/python -W ignore manage.py api_document

bench: setup ## Measure on this machine; BENCH_ROWS=1m loads a million subscriptions, BENCH_QUICK=1 only looks whether it works
	@exec $(BIN)/python -W ignore -m bench

format: setup ## Put the code into its form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(BIN)/uv: | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

requirements: $(BIN)/uv ## Pin the requirements anew, with hashes
	$(COMPILE) -o requirements/base.txt
	$(COMPILE) --group local -c requirements/base.txt -o requirements/local.txt
	$(COMPILE) --group local --group dev -c requirements/base.txt -o requirements/dev.txt

clean: ## Remove the virtual environment and the demo's data
	-$(BIN)/python -m cloudbss.embedded stop
	rm -rf $(VENV) .local staticfiles
