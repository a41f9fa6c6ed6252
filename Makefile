# GNU make. Each target works by itself on a fresh clone: it makes .venv and installs what it needs.
# To choose the interpreter: make run PYTHON=/path/to/python3. To pass arguments on: make test ARGS="tests/core -x".

SHELL := /bin/sh
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: run demo test test-long lint clean help programs

CONFIG := config.example.yaml
ARGS :=
# The tests run in so many processes; the long ones, which measure, in one.
WORKERS := 2
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
PAGE := tests/plugins/web/react_page

run: .venv/installed ## start a hub with config.example.yaml (or make run CONFIG=config.yaml ARGS=--lan)
	@echo "Starting the hub with $(CONFIG); stop it with Ctrl-C."
	@exec $(BIN)/mynah run -c $(CONFIG) $(ARGS)

demo: .venv/installed-demo ## start a hub and a speaker that runs the firmware, ask it a question, save reply.wav
	@$(BIN)/mynah demo --out reply.wav $(ARGS)

test: .venv/installed-test programs ## run the tests, all but the long ones
	@echo "Running the tests; this takes some minutes."
	$(PYTEST) -m "not long" -n $(WORKERS) --dist loadfile $(ARGS)

test-long: .venv/installed-test programs ## run all tests, with the full counts
	@echo "Running all tests with the full counts; this takes long."
	$(PYTEST) -m "" $(ARGS)

lint: .venv/installed-dev ## check style, types and which layer imports which
	@failed=0; \
	for check in "ruff check ." "ruff format --check ." "mypy hub plugins" "lint-imports"; do \
	    echo "$$check"; \
	    $(BIN)/$$check || failed=1; \
	done; \
	exit $$failed

clean: ## remove .venv, caches and everything else that was made here; the hub's data folder stays
	rm -rf .venv $(PAGE)/node_modules build dist reply.wav .coverage .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find hub plugins tests docs -type d -name __pycache__ -prune -exec rm -rf {} +

help: ## show this
	@echo "make TARGET, where TARGET is one of"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r target text; do \
	    printf '  %-10s %s\n' "$$target" "$$text"; done

# What is installed for what. A newer pyproject.toml may have new dependencies or entry points: install again.
.venv/installed: pyproject.toml
	@sh scripts/install.sh
	@touch $@

.venv/installed-demo: pyproject.toml
	@sh scripts/install.sh simulate
	@touch $@ .venv/installed

.venv/installed-test: pyproject.toml
	@sh scripts/install.sh test
	@touch $@ .venv/installed-demo .venv/installed

.venv/installed-dev: pyproject.toml
	@sh scripts/install.sh dev
	@touch $@ .venv/installed-test .venv/installed-demo .venv/installed

# Tests ask their questions aloud with a voice that is not one of Mynah's own, connect to a broker that is not, open
# the web page in a browser, and build another page with what $(PAGE)/package.json names.
programs: $(PAGE)/node_modules/.package-lock.json
	@command -v flite >/dev/null || sh scripts/debian-packages.sh flite
	@command -v chromium >/dev/null || sh scripts/debian-packages.sh chromium
	@PATH="$$PATH:/usr/sbin:/usr/local/sbin"; \
	for program in mosquitto mosquitto_pub mosquitto_passwd openssl; do \
	    command -v $$program >/dev/null || exec sh scripts/debian-packages.sh mosquitto mosquitto-clients openssl; \
	done

$(PAGE)/node_modules/.package-lock.json: $(PAGE)/package-lock.json
	@command -v npm >/dev/null || sh scripts/debian-packages.sh nodejs npm
	@echo "Installing what a page is built with (npm ci in $(PAGE))."
	@cd $(PAGE) && npm ci --no-audit --no-fund --loglevel=error
	@touch $@
