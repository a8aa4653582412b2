PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
JAVA := $(shell command -v java 2>/dev/null)

.PHONY: venv demo test lint bench soak lock

# The locks name everything with its hash, so nothing is resolved (--no-deps): with a release that came after them, the
# resolver of older versions of pip takes the newer one for an extra (pydantic[email]) and refuses it. pip fetches and
# unpacks one package after the other; two of them side by side, each with every other package, are ready much sooner.
## venv: .venv with the leaverwatch command in it
venv: $(VENV)/.installed
$(VENV)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version) if sys.version_info < (3, 11) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -c 'import pathlib, re; every = re.split(r"\n(?=\S)", pathlib.Path("requirements.lock").read_text()); [pathlib.Path(f"$(VENV)/half-{n}.lock").write_text("\n".join(every[n::2]) + "\n") for n in (0, 1)]'
	$(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,--jobs=2) $(VENV)/half-0 $(VENV)/half-1
	$(PIP) install --quiet --no-compile --no-deps --no-build-isolation -e .
	touch $@
$(VENV)/half-%:
	$(PIP) install --quiet --no-compile --no-deps --require-hashes -r $@.lock

## demo: an invented company of 500 people on http://127.0.0.1:8501 (Ctrl-C ends it)
demo: venv
	$(BIN)/leaverwatch demo

# Every process that the tests start would compile what it imports again where Python may not keep it, a third of the
# time of all tests; kept in a folder of the environment, so that the clone stays as it is.
COMPILED := PYTHONDONTWRITEBYTECODE= PYTHONPYCACHEPREFIX=$(abspath $(VENV))/compiled

## test: everything that can run here; what is missing is skipped by name. Tests that hold a figure against its bound
## come last and by themselves: beside others they would measure those too; only their files are looked through
test: $(VENV)/.tests $(VENV)/.canaille
	$(COMPILED) $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder -m "not soak and not alone"
	$(COMPILED) $(BIN)/python -m pytest -m alone $$(grep -rl --include='*.py' pytest.mark.alone tests)
# Nothing is compiled while it is installed: the tests would look for it elsewhere (see COMPILED).
$(VENV)/.tests: $(VENV)/.installed tests/requirements.lock tests/spark.lock
	$(PIP) install --quiet --no-compile --no-deps --require-hashes -r tests/requirements.lock
	$(if $(JAVA),$(PIP) install --quiet --no-compile --no-deps --require-hashes -r tests/spark.lock,@echo "no java: the rules are not tested on Spark")
	touch $@
$(VENV)/.canaille: tests/canaille.lock
	test -x $(VENV)/canaille/bin/python || $(PYTHON) -m venv $(VENV)/canaille
	$(VENV)/canaille/bin/python -m pip --disable-pip-version-check install --quiet --no-compile --no-deps --require-hashes -r tests/canaille.lock
	touch $@

## lint: style, types and import contracts
lint: $(VENV)/.tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

## bench: the figures of the README
bench: venv
	$(BIN)/leaverwatch bench

## soak: the long rows of the fault table (crash series, races)
soak: $(VENV)/.tests $(VENV)/.canaille
	$(COMPILED) $(BIN)/python -m pytest -m soak

## lock: compile the lock files anew (needs uv)
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
lock:
	$(LOCK) pyproject.toml -o requirements.lock
	$(LOCK) pyproject.toml --group test -c requirements.lock -o tests/requirements.lock
	$(LOCK) --group spark -c requirements.lock -o tests/spark.lock
	$(LOCK) tests/canaille.in -o tests/canaille.lock
