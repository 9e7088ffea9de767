# What people and CI run; `make` alone lists it. Needs Python 3.11 to 3.13 and make, nothing else.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory --no-builtin-rules

# What another active environment left in the shell must not reach ours.
unexport VIRTUAL_ENV CONDA_PREFIX PYTHONHOME PYTHONPATH PYTHONSTARTUP PYTHONWARNINGS
unexport PIP_TARGET PIP_PREFIX PIP_USER PIP_REQUIRE_VIRTUALENV PIP_CONSTRAINT
unexport UV_PYTHON UV_PROJECT UV_PROJECT_ENVIRONMENT UV_ENV_FILE PYTEST_ADDOPTS MAKELEVEL
export UV_PYTHON_DOWNLOADS := never

# Paths are relative, so that a folder with spaces in its name works.
BIN := .venv/bin
STAMP := .venv/.vextir-setup
ARGS ?=
EVENTS ?= examples/events

.PHONY: help setup run dev test check bench soak sabotage claims pages requirements audit smoke sbom clean

help:
	@echo "make setup   make .venv from uv.lock (PYTHON=/path/to/python3 chooses the Python)"
	@echo "make run     start the OS, publish $(EVENTS), show what became of each event"
	@echo "make dev     run the OS until Ctrl-C"
	@echo "make test    the whole suite (ARGS='-k queue -x' goes to pytest)"
	@echo "make check   style, types, floors, lock file, requirements.txt"
	@echo "make bench   throughput, latency and chains beside a bare SQLite loop"
	@echo "make soak    the suite with larger numbers; takes minutes"
	@echo "make sabotage  plant one fault after the other, and say which test finds it"
	@echo "make claims  run the proof of every line of docs/claims.md"
	@echo "make pages   write the generated pages of docs/ anew"
	@echo "make requirements  write requirements.txt anew from uv.lock"
	@echo "make audit   ask PyPI whether vulnerabilities are known in what is deployed"
	@echo "make smoke   build sdist and wheel, install them into an empty environment, run the examples"
	@echo "make sbom    write dist/vextir-os.cdx.json, what a deployment installs"
	@echo "make clean   remove caches and built files; .venv and the data in .vextir stay"

setup: $(STAMP)
	@echo "setup: .venv is what uv.lock says"

# A Python that is named, or gone since, is looked at whether or not the stamp is fresh.
export PYTHON
ifneq ($(PYTHON)$(shell test -x $(BIN)/python || echo gone),)
.PHONY: $(STAMP)
endif

$(STAMP): pyproject.toml uv.lock scripts/setup.sh scripts/setup.py
	@sh scripts/setup.sh

run: $(STAMP)
	@$(BIN)/vextir dev --once $(EVENTS) $(ARGS)

dev: $(STAMP)
	@$(BIN)/vextir dev $(ARGS)

test: $(STAMP)
	@$(BIN)/python -m pytest -n auto --maxprocesses 8 $(ARGS)

soak: $(STAMP)
	@VEXTIR_SOAK=1 $(BIN)/python -m pytest -n auto --maxprocesses 8 $(ARGS)

check: $(STAMP)
	@$(BIN)/python scripts/check.py

bench: $(STAMP)
	@$(BIN)/python benchmarks/run.py $(ARGS)

sabotage: $(STAMP)
	@$(BIN)/python -m tests.sabotage $(ARGS)

claims: $(STAMP)
	@$(BIN)/python scripts/claims.py

pages: $(STAMP)
	@$(BIN)/python scripts/settings_page.py --write
	@$(BIN)/python scripts/errors_page.py --write
	@$(BIN)/python scripts/editor_schemas.py --write

requirements: $(STAMP)
	@$(BIN)/python scripts/requirements.py --write

audit: $(STAMP)
	@$(BIN)/python scripts/audit.py

smoke: $(STAMP)
	@$(BIN)/python scripts/smoke.py $(ARGS)

sbom: $(STAMP)
	@$(BIN)/python scripts/sbom.py dist/vextir-os.cdx.json

clean:
	@rm -rf .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	@find . -path ./.venv -prune -o -path ./.git -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
