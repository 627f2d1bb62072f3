# `make demo` and `make test` need Python 3.11+, pip and make; everything else they fetch once, at pinned versions.
PYTHON ?= python3
# Three for two cores: more than half of the tests' time goes into waiting for a block, a server or another process.
WORKERS ?= 3
VENV := .venv
BIN := $(VENV)/bin
SETUP := $(VENV)/.setup-complete
DEVNET := $(VENV)/.devnet-complete

# Where this is set, as in many containers, each of the hundreds of processes that the tests start would compile the
# program anew: a tenth of a short command's time.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo test check bench docs lock wheel clean

setup: $(SETUP) $(DEVNET)

# Hashes are checked by pip; the project itself goes in editable, with the build backend just installed.
$(SETUP): requirements.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Sniper needs Python 3.11 or newer; call make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

# The local chain: anvil and the Uniswap contract artifacts from npm, versions and digests pinned in the package.
$(DEVNET): $(SETUP) sniper_cli/chains/devnet/packages.py
	$(BIN)/sniper devnet install --yes
	touch $@

demo: setup
	$(BIN)/sniper demo $(ARGS)

# ruff, mypy and the layers are part of the suite (tests/test_house.py): one command says whether the tree is sound.
test: setup
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup $(ARGS)

check: $(SETUP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup
	$(BIN)/python -m tests.benchmarks $(ARGS)

# Everything in docs/ that the program writes itself: the command reference, the man page, the pictures.
docs: setup
	$(BIN)/python -m docs.make

# Compiled by hand when a dependency changes; no index address is recorded.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --extra devnet --group dev pyproject.toml -o requirements.txt

wheel: $(SETUP)
	$(BIN)/python -m hatchling build -t wheel

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
