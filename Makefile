# Every task of this repository. Set-up is part of each: a target installs what it needs and is missing,
# a second run finds nothing to do. `make help` lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# A recipe is one script: all steps of a lint run, so that one run names every fault.
.ONESHELL:

# tcpdump, ip, ethtool and mosquitto live here; an ordinary user's PATH may leave them out.
export PATH := $(PATH):/usr/local/sbin:/usr/sbin:/sbin
export PYO3_PYTHON := $(CURDIR)/.venv/bin/python
# A registry that refuses once is asked again.
export CARGO_NET_RETRY := 10
# Compiled modules are kept, whatever the environment says: the tests start our program hundreds of times.
export PYTHONDONTWRITEBYTECODE :=

BIN := .venv/bin
CRATE := --manifest-path sensors/native/Cargo.toml
STEP := .ci/step
SETUP := .ci/setup

# Processes that share the Python tests out among them: as many as there are processors.
PYTEST_WORKERS ?= auto
# For the command line: make demo DEMO_FLAGS="--port 8081"; make test-python PYTEST_FLAGS="tests/store -x".
DEMO_FLAGS ?=
PYTEST_FLAGS ?=
BENCH_FLAGS ?=
FUZZ_SECONDS ?= 30
FUZZ_TARGETS ?=

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | expand -t 16

.PHONY: demo
demo: ## Show the sample site in the browser: set-up, build, replay, pages (DEMO_FLAGS=…)
	@$(SETUP) demo
	@$(BIN)/geophone demo $(DEMO_FLAGS)

.PHONY: test
test: lint test-rust test-python wheel ## Run every check and test, with all set-up (make -k test: past failures)

.PHONY: build
build: ## Set up .venv for development and build the native engine into it
	@$(SETUP) build

.PHONY: lint
lint: lint-python lint-rust ## Check format, style, types and the direction of imports

.PHONY: lint-python
lint-python: ## The Python half of lint
	@$(SETUP) tools
	@status=0
	$(STEP) "ruff format" $(BIN)/ruff format --check --output-format concise . || status=1
	$(STEP) "ruff check" $(BIN)/ruff check --quiet --output-format concise . || status=1
	$(STEP) "mypy" $(BIN)/mypy || status=1
	$(STEP) "lint-imports" $(BIN)/lint-imports --no-logo || status=1
	exit $$status

.PHONY: lint-rust
lint-rust: ## The Rust half of lint
	@$(SETUP) tools
	@status=0
	$(STEP) "cargo fmt" cargo fmt $(CRATE) --check || status=1
	$(STEP) "cargo clippy" cargo clippy $(CRATE) --locked --quiet --all-targets -- -D warnings || status=1
	exit $$status

.PHONY: test-rust
test-rust: ## The native engine's own tests
	@$(SETUP) build
	@# The tests link libpython; not every interpreter keeps it where the loader looks.
	export LD_LIBRARY_PATH=$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_config_var("LIBDIR"))')
	$(STEP) "fuzz seeds" $(BIN)/python -m sensors.native.fuzz.seeds .cache/fuzz
	$(STEP) "cargo test" cargo test $(CRATE) --locked --quiet

.PHONY: test-python
test-python: ## pytest (PYTEST_FLAGS="tests/store -x")
	@# How the tests are shared out: tests/support/sharing_out.py.
	@$(SETUP) test
	@$(STEP) "pytest" $(BIN)/python -m pytest -n $(PYTEST_WORKERS) $(PYTEST_FLAGS)

.PHONY: wheel
wheel: ## Build the wheel and prove that it installs and runs without a compiler
	@$(SETUP) tools
	@$(STEP) "wheel" .ci/wheel

.PHONY: format
format: ## Write the format that lint checks, and what ruff can repair
	@$(SETUP) tools
	@$(BIN)/ruff check --quiet --fix . || true
	@$(BIN)/ruff format --quiet .
	@cargo fmt $(CRATE)

.PHONY: fuzz
fuzz: ## Throw mutated captures at the native engine for a short while (FUZZ_SECONDS=30 FUZZ_TARGETS="tcp mqtt")
	@FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_TARGETS="$(FUZZ_TARGETS)" .ci/fuzz

.PHONY: bench
bench: ## Measure throughput and memory against peers (BENCH_FLAGS="--scale 0.3")
	@$(SETUP) build
	@$(BIN)/python -m benchmarks.throughput $(BENCH_FLAGS)

.PHONY: profile
profile: ## Learn again where the native engine spends its time, for the compiler (llvm-profdata of rustc's own LLVM)
	@$(SETUP) build
	@.ci/profile

.PHONY: samples
samples: ## Make the sample captures of pcaps/ again
	@$(SETUP) build
	@$(BIN)/python -m pcaps.lab make

.PHONY: lock
lock: ## Write the three dependency locks again from pyproject.toml (LOCK_FLAGS=--upgrade)
	@.ci/lock $(LOCK_FLAGS)

.PHONY: clean
clean: ## Remove build products and the tools' caches; what was installed or fetched stays
	@rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .grimp_cache
	@rm -rf sensors/native/target sensors/native/fuzz/target sensors/_native*.so
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

.PHONY: distclean
distclean: clean ## Remove what was installed or fetched too: .venv, .cache
	@rm -rf .venv .cache
