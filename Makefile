# Every target makes its own environment in .venv first; nothing has to be installed or activated.
# `make PYTHON=/path/to/python` chooses the interpreter that the environment is made with.

PY := .venv/bin/python
NOTEBOOKS := notebooks/01-quickstart.ipynb notebooks/02-what-the-kernel-knows.ipynb \
	notebooks/03-compare-decide-regret.ipynb notebooks/04-which-version-decided.ipynb
DEMO := .venv/.installed-demo
LAB := .venv/.installed-lab
TEST := .venv/.installed-test

# JupyterLab refuses to run as root unless told; in a container there is often nobody else.
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root,)

TORCH := torch
KERAS := keras
TRANSFORMERS := transformers

.PHONY: help demo lab test slow frameworks compat mutants check lint types tests notebooks browser jstest extension bench peers pictures format clean
.DEFAULT_GOAL := help
.NOTPARALLEL:

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile

demo: $(DEMO)  ## run the quickstart notebook and show the versions it made; two minutes the first time
	@$(PY) tools/demo.py

# The story takes place in a folder of its own; its kernel is told of the registry that the sidebar shows.
lab: $(DEMO) $(LAB)  ## open JupyterLab, with the sidebar, on a copy of the quickstart
	@$(PY) tools/labextension.py
	@$(PY) tools/demo.py --prepare
	@NBREG_REGISTRY='$(CURDIR)/notebooks/run/.nbreg' $(PY) -m jupyterlab $(AS_ROOT) --notebook-dir=notebooks/run notebooks/run/01-quickstart.ipynb

test: check  ## everything that must hold before a change goes in: what CI runs

check: lint types tests notebooks jstest browser

lint: $(TEST)
	@$(PY) -m ruff check --quiet .
	@$(PY) -m ruff format --check --quiet . || { echo "some files are not formatted: make format"; exit 1; }

types: $(TEST)
	@$(PY) -m mypy

# A process for each core, up to four: most of a test's time is that of the kernels and servers that it starts.
tests: $(TEST) extension
	@$(PY) -m pytest -q --numprocesses auto --maxprocesses 4 --dist loadfile

# In a process of its own. Without a browser it is skipped with the reason, unless NBREG_REQUIRE_BROWSER=1.
browser: $(TEST) extension  ## the panels and the sidebar in a real JupyterLab and a real chromium, which is installed where that is possible
	@$(PY) tools/ensure_browser.py >/dev/null || test "$$NBREG_REQUIRE_BROWSER" != 1
	@$(PY) -m pytest -q tests/browser

jstest: extension  ## types, linter and tests of the JupyterLab extension
	@$(PY) tools/labextension.py run node_modules/typescript/bin/tsc
	@$(PY) tools/labextension.py run node_modules/eslint/bin/eslint.js src
	@$(PY) tools/labextension.py run node_modules/vitest/vitest.mjs run --reporter=dot

# Node is the machine's or, where there is none, a Python package: nothing has to be there before.
extension: $(TEST)
	@$(PY) tools/labextension.py modules
	@$(PY) tools/labextension.py

# Strict: outputs are compared with the committed ones, after the substitutions in sanitize.cfg.
# In a home of their own, so that nobody's configuration shows in them and nothing is left behind.
notebooks: $(TEST)
	@home=$$(mktemp -d) && trap 'rm -rf "$$home"' EXIT && \
	env -u XDG_CONFIG_HOME -u XDG_DATA_HOME -u IPYTHONDIR -u JUPYTER_CONFIG_DIR -u NBREG_REGISTRY \
		HOME="$$home" TMPDIR="$$home" NBREG_PROVE=0 \
		$(PY) -m pytest -q -p no:cacheprovider --nbval --nbval-sanitize-with notebooks/sanitize.cfg $(NOTEBOOKS)

slow: $(TEST)  ## the long tests: many kills, many kernels
	@$(PY) -m pytest -q -m slow --timeout 3600

# PyTorch alone is larger than all the rest, so `make test` skips its tests where it is absent. Keras and
# transformers compute with it. A test that is skipped all the same says why.
frameworks: $(TEST)  ## the tests that need PyTorch, Keras or transformers, which are installed for them (TORCH=torch==2.13.0)
	@$(PY) -c "import torch" 2>/dev/null || $(PY) -m pip install --quiet $(TORCH)
	@KERAS_BACKEND=torch $(PY) -c "import keras" 2>/dev/null || $(PY) -m pip install --quiet $(KERAS)
	@$(PY) -c "import transformers" 2>/dev/null || $(PY) -m pip install --quiet $(TRANSFORMERS)
	@$(PY) -m pytest -q $$(grep -rlw torch tests --include='test_*.py')

# Environments of their own in .compat; uv takes the Pythons from PATH, or fetches them.
compat: $(TEST) extension  ## the tests under each Python, over the oldest of all that nbreg stands on, and of the wheel as it is released; hours
	@$(PY) tools/compat.py

# Each capability is taken away once, in a copy; `tools/mutants.py 25 F3` tries some.
mutants: $(TEST)  ## take each capability away, and see a test fail each time; an hour or so
	@$(PY) tools/mutants.py

bench: $(TEST)  ## the figures of the README
	@$(PY) benchmarks/run.py

peers: $(TEST)  ## nbreg beside mlflow, modelstore, pins, vetiver and bentoml, each in .venv-peers; half an hour
	@$(PY) benchmarks/compare_peers.py

pictures: $(TEST)  ## the README's pictures, from the quickstart's outputs and of panels; needs chromium
	@$(PY) tools/pictures.py
	@$(PY) tools/panel_pictures.py
	@$(PY) tools/sidebar_pictures.py

format: $(TEST)  ## sort imports and format
	@$(PY) -m ruff check --quiet --fix-only --select I .
	@$(PY) -m ruff format --quiet .

clean:  ## remove the environment and all that was made by running things
	rm -rf .venv .venv-peers .compat build dist labextension/built labextension/node_modules notebooks/run .pytest_cache .mypy_cache .ruff_cache .hypothesis

# A stamp for each set of extras, so that a second run costs nothing and the demo needs no test tools.
# One stamp is out of date when pyproject.toml is newer, or when the folder was moved.
ifneq ($(shell cat .venv/.folder 2>/dev/null),$(CURDIR))
.PHONY: $(DEMO) $(LAB) $(TEST)
endif

$(DEMO) $(LAB) $(TEST): .venv/.installed-%: pyproject.toml tools/setup.sh
	@PYTHON='$(PYTHON)' sh tools/setup.sh $*
	@touch $@
