# Every command makes ready what it needs first; a second run takes a moment.
#   make demo ONCE=1 PORT=8080 WORKERS=4 FFAPI_DATA_DIR=/srv/ffapi

PYTHON ?= python3
python := .venv/bin/python
runtime := $(PYTHON) bootstrap.py runtime
development := $(PYTHON) bootstrap.py development

.DEFAULT_GOAL := help
.PHONY: help demo serve check test nightly chaos bench lint format docs clean

help:  ## Show these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo:  ## Transcode a real clip over REST, show the receipt, keep serving (ONCE=1: stop then)
	@$(runtime) && exec $(python) manage.py demo $(if $(ONCE),--once)

serve:  ## Serve API, dashboard and workers on PORT until Ctrl-C
	@$(runtime) && exec $(python) manage.py serve

check:  ## Run the static checks and the tests that start no site
	@$(development) && exec $(python) -m tests.everything check

test:  ## Run all that a change must pass
	@$(development) && exec $(python) -m tests.everything

nightly:  ## Run what is large, too: soak, long chaos, fuzzing, coverage
	@$(development) && exec $(python) -m tests.everything nightly

chaos:  ## Harm a running site for MINUTES, prove that nothing was lost (SEED=… repeats a run)
	@$(development) && exec $(python) -m chaos $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES))

bench:  ## Print the performance table (ONLY="claims posts": those rows of it)
	@$(runtime) && exec $(python) -m bench $(ONLY)

lint:  ## Check style, types and layers only
	@$(development) && exec $(python) -m tests.everything static

format:  ## Put the code into its form
	@$(development) && $(python) -m ruff check -q --fix . ; $(python) -m ruff format . && $(python) -m djlint --quiet --reformat templates

docs:  ## Write the generated pages again
	@$(runtime) && $(python) manage.py ffapi docs

clean:  ## Remove caches and what tests left behind; data and .venv stay
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis htmlcov .coverage .coverage.* var/test
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
