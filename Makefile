# `make demo` and `make test` set themselves up: they need Python 3.11 or newer and nothing else.

PYTHON      ?= python3
VENV        ?= .venv
# CONSTRAINTS= (empty) installs the newest versions that pyproject.toml allows
CONSTRAINTS ?= constraints.txt
BIN         := $(VENV)/bin
STAMP       := $(VENV)/.installed

.PHONY: install demo test verify format

install: $(STAMP)

$(STAMP): pyproject.toml $(CONSTRAINTS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "fer_zoo needs Python 3.11 or newer, found %d.%d: name another one, as in `make test PYTHON=python3.12`." % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet $(if $(CONSTRAINTS),-c $(CONSTRAINTS)) -e '.[dev]'
	@touch $@

demo: $(STAMP)
	@$(BIN)/fer-zoo demo

# Format, lint, types, directions of imports, tests with doctests, pages.
test: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q -n 2 --dist loadfile --doctest-modules fer_zoo tests
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir $(abspath $(VENV))/site

# The long proofs; what they print is kept.
verify: $(STAMP)
	@mkdir -p results
	{ $(BIN)/python -m pytest -q -s -m slow tests; echo $$? > $(VENV)/.verified; } 2>&1 | tee results/verify.txt
	@exit $$(cat $(VENV)/.verified)

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
