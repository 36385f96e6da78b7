# Needs Python 3.11+ and a package registry; everything else goes into .venv inside the checkout.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo run test check audit licences format lock clean

demo: $(VENV)/.run ## play two weeks of invented news through the whole pipeline
	@$(BIN)/attache demo

run: $(VENV)/.run ## run the bot with the settings of the environment and .env
	@$(BIN)/attache run

test: $(VENV)/.dev ## the whole test suite
	@$(BIN)/python -m pytest

check: $(VENV)/.dev ## what CI checks besides the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict bot handlers config
	$(BIN)/lint-imports

audit: $(VENV)/.run ## known weaknesses of what the lock names
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check pip-audit
	@$(BIN)/python .ci/audit

licences: $(VENV)/.run ## write docs/licences.md anew
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check pip-licenses
	@printf '# Licences\n\nOf everything that `requirements.lock` installs, as the packages themselves declare it. Written by `make licences`.\n\n' > docs/licences.md
	@$(BIN)/pip-licenses --from=mixed --format=markdown --with-urls --no-version --order=license \
		--packages $$(sed -n 's/^\([A-Za-z0-9_.-]*\)==.*/\1/p' requirements.lock) >> docs/licences.md

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(VENV)/.dev ## resolve the requirements anew
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --quiet --output-file requirements.lock
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --quiet --constraint requirements.lock --output-file requirements-dev.lock

clean:
	rm -rf $(VENV) build *.egg-info

$(VENV)/.venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Attaché needs Python 3.11 or newer; name one with: make PYTHON=python3.12 …")'
	@echo "Setting up a virtual environment in $(VENV) (once, a minute or two)…"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

# --no-deps: a lock names all there is, and pip would otherwise refuse the day that a newer coverage[toml] than the locked one appears.
$(VENV)/.run: $(VENV)/.venv requirements.lock pyproject.toml
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.lock
	@touch $@
