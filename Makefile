PYTHON ?= python3.11
PORT ?= 8000
DATA ?= data
VENV := .venv
RUN := $(VENV)/bin
STAMP := $(VENV)/.installed
CATALOGUES := $(wildcard runtime/translations/*/LC_MESSAGES/messages.po)

.PHONY: install run test lint bench story docs wheel translations chromium

install: $(STAMP)

$(STAMP): requirements.lock pyproject.toml $(wildcard setup.py)
	test -x $(RUN)/python || $(PYTHON) -m venv $(VENV)
	$(RUN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(RUN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

lint: install
	$(RUN)/ruff check .
	$(RUN)/mypy

test: install chromium
	$(RUN)/pytest -n 2

# Browser tests drive the system's Chromium; the fonts make Chinese screenshots readable.
chromium:
	@if ! command -v chromium >/dev/null && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
	  apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk >/dev/null; \
	fi
