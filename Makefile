# `make run` starts the lab, `make test` tests it. Both set up all they need in .venv first.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
BIN = .venv/bin

.PHONY: run test test-thorough lint format benchmark clean
run: .venv/run
	$(BIN)/streamlit run app.py

test: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	CNN_LAB_BROWSER="$$($(BIN)/python tests/browser/find_browser.py)" && export CNN_LAB_BROWSER && $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

test-thorough: export CNN_LAB_THOROUGH = 1
test-thorough: test

lint: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: .venv/test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

benchmark: .venv/run
	$(BIN)/python -m benchmarks.epoch

clean:
	rm -rf .venv

.venv/python:
	@test -n "$(PYTHON)" || { echo "CNN Lab needs Python 3.11, 3.12 or 3.13, and none was found. Install one, or name it: make run PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv .venv
	touch $@

.venv/run: .venv/python requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

.venv/test: .venv/python requirements.txt requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@ .venv/run
