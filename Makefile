# Everything one needs: make install, make run, make test.
PYTHON ?= python3.11
PORT ?= 8000
DATA ?= data

BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

.PHONY: install run test lint bench story docs wheel translations chromium security

install: .venv/.installed

.venv/.installed: requirements.lock pyproject.toml setup.py
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --no-deps --editable .
	touch $@

run: install
	$(BIN)/mortise --data "$(DATA)" serve --port $(PORT) --first crm

test: install chromium
	$(BIN)/pytest -n 2

lint: install
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: install
	$(BIN)/python -m bench

# Longer than the suite: schemathesis against the API's document, wapiti against the served product.
security: install
	SECURITY_EXAMPLES=$${SECURITY_EXAMPLES:-60} $(BIN)/pytest tests/security/test_api_fuzzed.py tests/security -q
	.ci/wapiti

story: install chromium
	CRM_DATA="$(CRM_DATA)" $(BIN)/pytest tests/stories -v

docs: install
	$(BIN)/python docs/generate.py

wheel: install
	rm -rf build dist
	$(BIN)/python -m build --wheel --outdir dist .

# New sentences into every catalogue, compiled; then translate what it lists.
translations: install
	$(BIN)/python -m runtime.catalogue

# Browser tests drive the system's Chromium; the fonts make Chinese screenshots readable.
chromium:
	@if ! command -v chromium >/dev/null && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
	  apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk >/dev/null; \
	fi
