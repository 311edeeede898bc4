# The few verbs of this project; `make help` tells them. No step asks for root.
#
#   PYTHON=python3.12   the interpreter of a new environment (otherwise the best that is found)
#   VENV=.venv-3.12     another place for the environment; the interpreted one is $(VENV)-pure
#   ARGS="-k cookies"   arguments for pytest
#   GUSTNADO_EXTENSIONS=0|1   without C extensions, or with an error where they cannot be built

VENV ?= .venv
PURE := $(VENV)-pure
PYTHON ?=
ARGS ?=
BASE := $(firstword $(PYTHON) python3)
RUN := $(VENV)/bin/python

SOURCES := $(shell find src -name '*.py' -o -name '*.pxd' -o -name py.typed)
COMPILED := $(filter %.pxd,$(SOURCES))
COMPILED += $(filter $(COMPILED:.pxd=.py),$(SOURCES))

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint bench bench-full docs clean force
.DELETE_ON_ERROR:

help: ## Say what each verb does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

setup: $(VENV)/.built $(VENV)/.dev ## Create .venv with everything needed, and build the extensions in place

demo: $(VENV)/.built ## Serve the sample application at http://localhost:8888
	$(RUN) -m demo

# Two legs: .venv imports src/ with its extensions in place; .venv-pure holds an installed wheel without any.
test: setup $(PURE)/.built ## Set up all that is needed and run every test, compiled and interpreted
	@failed=0; \
	if grep -q 1 $(VENV)/.built; then \
		echo "== compiled: $$($(RUN) -V), $(VENV)"; \
		GUSTNADO_EXTENSIONS=1 $(RUN) -m pytest $(ARGS) || failed=1; \
	else \
		echo "== compiled: left out, no extension is built; GUSTNADO_EXTENSIONS=1 make test says why"; \
		[ -z "$$CI" ] || failed=1; \
	fi; \
	echo "== interpreted: $$($(PURE)/bin/python -V), $(PURE)"; \
	GUSTNADO_EXTENSIONS=0 $(PURE)/bin/python -m pytest $(ARGS) || failed=1; \
	exit $$failed

lint: setup ## Check style and types: ruff, mypy --strict, pyright
	$(RUN) -m ruff check
	$(RUN) -m mypy
	$(RUN) -m pyright --pythonpath $(RUN)

bench: $(VENV)/.built ## Measure the quick set against its peers, in under 5 minutes, into benchmarks/results/
	$(RUN) -m benchmarks --quick

bench-full: $(VENV)/.built ## Measure everything
	$(RUN) -m benchmarks --full
	failed=0; for what in idle slow uploads drain; do $(RUN) -m benchmarks.$$what || failed=1; done; exit $$failed

docs: $(VENV)/.built $(VENV)/.docs ## Build the manual into build/docs/
	$(RUN) -m sphinx -W --keep-going -b html docs build/docs

clean: ## Remove environments, build products and caches, extensions beside the sources included
	rm -rf build dist benchmarks/.cache $(VENV) $(PURE) .venv .venv-* src/*.egg-info .coverage htmlcov
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src -name '*.so' -delete -o -name '*.c' -delete
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# An environment with what a program needs; made anew where PYTHON names another interpreter than its own.
$(VENV)/.created: $(if $(PYTHON),force) pyproject.toml
	@command -v $(BASE) >/dev/null || { echo "No $(BASE) found. On Debian or Ubuntu: apt install python3"; exit 1; }
	@$(BASE) .ci/environment.py create $(VENV) $(PYTHON)
	@[ $@ -nt pyproject.toml ] || GUSTNADO_EXTENSIONS=0 $(RUN) -m pip install -q -e '.[build]'
	@[ $@ -nt pyproject.toml ] || touch $@

# The extensions, in place. The stamp says whether there are any, 1 or 0; made anew where the other is asked for.
BUILT := $(shell cat $(VENV)/.built 2>/dev/null)
$(VENV)/.built: $(VENV)/.created setup.py $(COMPILED) $(if $(filter-out $(BUILT),$(GUSTNADO_EXTENSIONS)),force)
	@wanted=$${GUSTNADO_EXTENSIONS:-$$($(RUN) .ci/environment.py extensions)} && \
		GUSTNADO_EXTENSIONS=$$wanted $(RUN) setup.py -q build_ext --inplace && echo $$wanted > $@

# The tools of one extra of pyproject.toml.
$(VENV)/.%: $(VENV)/.created | $(VENV)/.built
	@GUSTNADO_EXTENSIONS=0 $(RUN) -m pip install -q --no-build-isolation -e '.[$*]' && touch $@

$(PURE)/.created: $(VENV)/.created
	@$(BASE) .ci/environment.py create $(PURE) $$($(RUN) -c 'import sys; print(sys._base_executable)')
	@rm -rf build/lib && GUSTNADO_EXTENSIONS=0 $(PURE)/bin/python -m pip install -q '.[build,test]' && touch $@

# build/lib would carry modules that are gone from src/ into the wheel.
$(PURE)/.built: $(PURE)/.created setup.py $(SOURCES)
	@rm -rf build/lib && GUSTNADO_EXTENSIONS=0 $(PURE)/bin/python -m pip install -q \
		--no-build-isolation --no-deps --force-reinstall . && touch $@
