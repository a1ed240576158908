# What people run and what .ci/run runs. Needs make and Python 3.11 or later; everything else goes into .venv.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

python := .venv/bin/python
packages := workspaces cases checks deliveries dotfile_hooks tests bench manage.py
# A virtual environment is bound to its path, so the stamp is too: a checkout that was moved makes a new one.
stamp := .venv/installed-for-$(shell printf %s '$(CURDIR)' | cksum | cut -d ' ' -f 1)
# For tools that read the settings and talk to no server.
offline := DEBUG=1 DATABASE_URL=postgres://nobody@127.0.0.1:1/none REDIS_URL=redis://127.0.0.1:1/0
# What pytest gets: make test ARGS="tests/dev -x"
ARGS ?=
# What make conformance and make fuzz hold it against: an OpenAPI 3 document (JSON), with callbacks and paths, such as
# Dotfile's. make fuzz has our own without one.
OPENAPI ?=

.PHONY: help
help: ## Show these lines
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(stamp) ## Start everything, approve a case, show each webhook as it arrives (under a minute)
	@$(python) -m dotfile_hooks.dev.demo

.PHONY: run
run: $(stamp) ## Start everything and stay: admin, API, workers, and a page that shows what arrives
	@$(python) -m dotfile_hooks.dev.run

.PHONY: test
test: $(stamp) ## Run the tests, beside throw-away servers (ARGS="tests/dev -x" for some)
	@env -u DJANGO_SETTINGS_MODULE $(python) -m pytest -q -n auto $(ARGS)

.PHONY: conformance
conformance: $(stamp) ## Hold every event and every call of the API against OPENAPI=openapi.json (a minute)
	@$(python) -m dotfile_hooks.dev.conformance $(if $(OPENAPI),'$(OPENAPI)')

.PHONY: fuzz
fuzz: $(stamp) ## Send hostile and random requests, by our OpenAPI document or OPENAPI=openapi.json (ARGS="--seed 7 --examples 50")
	@env -u DJANGO_SETTINGS_MODULE $(python) -m dotfile_hooks.dev.fuzz $(if $(OPENAPI),'$(OPENAPI)') $(ARGS)

.PHONY: chaos
chaos: $(stamp) ## Kill and cut off everything under load, for a quarter of an hour; say what was lost (ARGS="--seed 1")
	@env -u DJANGO_SETTINGS_MODULE $(python) -m tests.chaos $(ARGS)

.PHONY: reliability
reliability: $(stamp) ## The chaos and what isolation, idling and overload cost, into docs/reliability.md (half an hour)
	@env -u DJANGO_SETTINGS_MODULE $(python) -m bench.reliability $(ARGS)

.PHONY: bench
bench: $(stamp) ## Measure how fast it is, beside a floor, into docs/performance.md (a quarter of an hour)
	@env -u DJANGO_SETTINGS_MODULE $(python) -m bench.performance $(ARGS)

.PHONY: bench-api
bench-api: $(stamp) ## Measure how fast the API answers beside 100,000 cases and 1,000,000 logs (some minutes)
	@env -u DJANGO_SETTINGS_MODULE $(python) -m bench.api $(ARGS)

.PHONY: bench-full
bench-full: $(stamp) ## The same with 5,000,000 waiting rows and 10,000,000 attempts
	@env -u DJANGO_SETTINGS_MODULE $(python) -m bench.performance --full $(ARGS)

.PHONY: bench-quick
bench-quick: $(stamp) ## Compare the delivery path with the floor, for people (a minute)
	@env -u DJANGO_SETTINGS_MODULE $(python) -m bench.quick $(ARGS)

.PHONY: lint
lint: $(stamp) ## Check style, types, imports between rooms, and that no migration is missing
	@$(python) -m ruff check .
	@$(python) -m ruff format --check .
	@$(offline) $(python) -m mypy --strict $(packages)
	@$(python) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'
	@DEBUG=1 $(python) -m dotfile_hooks.dev.servers $(python) manage.py makemigrations --check --dry-run

.PHONY: format
format: $(stamp) ## Put the code into shape
	@$(python) -m ruff check --fix .
	@$(python) -m ruff format .

.PHONY: lock
lock: $(stamp) ## Compile requirements*.in to the hashed lock files (add UPGRADE=--upgrade for newer versions)
	@for name in requirements requirements-dev; do \
		$(python) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes $(UPGRADE) \
			--custom-compile-command 'make lock' $$name.in -o $$name.txt || exit 1; \
	done

.PHONY: clean
clean: ## Remove .venv, caches, the data of `make run` (.local; root may have some in /var/lib/dotfile-hooks)
	@if [ -e .local/outside ]; then rm -rf "$$(readlink .local/outside)"; fi
	@rm -rf .venv .local staticfiles .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: FORCE
FORCE:

# Made anew when a lock file changes, when the checkout moved, or when its Python is gone.
$(stamp): requirements.txt requirements-dev.txt $(if $(wildcard $(python)),,FORCE)
	@interpreter=$$(PYTHON='$(PYTHON)' sh dotfile_hooks/dev/python.sh) && "$$interpreter" dotfile_hooks/dev/install.py $@
