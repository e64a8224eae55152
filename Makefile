# `make help` lists the targets. They make .venv themselves; PY=/some/python uses that interpreter instead.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3
VENV := .venv
TORCH_VENV := .venv-torch
PY ?= $(VENV)/bin/python
JOBS ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu)
BUILD := build/inplace
# ON: a warning of the compiler is an error, as in CI
WERROR ?= OFF
PIP := -m pip --disable-pip-version-check install --quiet
# Those left out start other processes: not sanitized
ASAN_TESTS := tests --ignore=tests/test_tools.py --ignore=tests/test_tutorials.py --ignore=tests/test_multiprocessing.py
# The release that rushlight is measured against.
TORCH := torch==2.13.0

# A stamp for each extra of pyproject.toml; with PY given, its packages are taken as they are.
ifeq ($(PY),$(VENV)/bin/python)
stamp = $(VENV)/stamp-$(1)
else
stamp =
endif

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help
help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: $(BUILD)/build.ninja ## Build the core into rushlight/: the checkout is importable
	@$(tools); $$cmake --build $(BUILD) -j $(JOBS)

.PHONY: demo
demo: build $(call stamp,demo) ## Train a classifier on handwritten digits and look at its predictions
	@$(PY) -m rushlight examples/digits.py

.PHONY: test
test: build $(call stamp,test) ## The tests (they need no PyTorch)
	@$(PY) -m pytest $(ARGS)

.PHONY: lint
lint: $(call stamp,lint) ## ruff, clang-format, and the rules of the house
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@git ls-files '*.h' '*.cpp' '*.cu' | xargs -r $(clang_format) --dry-run --Werror
	@$(PY) tools/check_tree.py

.PHONY: format
format: $(call stamp,lint) ## Rewrite Python and C++ in the house style
	@$(PY) -m ruff check --fix-only --quiet .
	@$(PY) -m ruff format .
	@git ls-files '*.h' '*.cpp' '*.cu' | xargs -r $(clang_format) -i

.PHONY: stubs
stubs: build $(call stamp,base) ## Type stubs, made from the registry of operations
	@PYTHONPATH=. $(PY) tools/gen_stubs.py

.PHONY: types
types: stubs $(call stamp,lint) ## mypy over the package, its stubs and the typed samples
	@$(PY) -m mypy
	@$(PY) -m mypy tests/typing

.PHONY: conformance
conformance: build $(TORCH_VENV)/stamp ## PyTorch's own samples against rushlight (ARGS=--update writes docs/conformance.md)
	@$(TORCH_VENV)/bin/python -m tests.conformance.files
	@$(TORCH_VENV)/bin/python -m tests.conformance $(ARGS)

.PHONY: bench
bench: build $(TORCH_VENV)/stamp ## Side by side with PyTorch; writes docs/performance.md
	@$(TORCH_VENV)/bin/python -m benchmarks $(ARGS)

.PHONY: asan
asan: $(call stamp,test) $(BUILD)/build.ninja ## The core's tests under the address and undefined-behaviour sanitizers
	@$(tools); $$cmake -S . -B build/asan -G Ninja -DCMAKE_MAKE_PROGRAM=$$ninja -DRUSHLIGHT_SANITIZE=ON \
	  -DPython_EXECUTABLE=$(python_path) >/dev/null
	@$(tools); $$cmake --build build/asan -j $(JOBS)
	@$(PY) tools/run_sanitized.py build/asan $(or $(ARGS),$(ASAN_TESTS))

.PHONY: nvrtc
nvrtc: $(call stamp,nvrtc) ## Compile the pointwise kernels for CUDA (no GPU needed)
	@$(PY) tests/cuda/compile_pointwise.py

.PHONY: reference
reference: build $(call stamp,base) ## docs/reference/, made from the registry of operations
	@PYTHONPATH=. $(PY) tools/gen_reference.py

.PHONY: docs
docs: site ## The site, and a check of every link in the documentation
	@$(PY) tools/check_links.py

.PHONY: site
site: reference $(call stamp,docs) ## The documentation with its reference as a site, in site/
	@$(PY) -m sphinx -q -j auto -c docs . site

.PHONY: wheel
wheel: $(call stamp,base) ## A wheel in dist/
	@$(PY) -m pip --disable-pip-version-check wheel . --no-deps -w dist

.PHONY: clean
clean: ## Remove what was built (not the virtual environments)
	rm -rf build dist site docs/reference rushlight/_C*.so rushlight/_C.pyi .mypy_cache .ruff_cache .pytest_cache
	find . -name __pycache__ -not -path './.venv*' -prune -exec rm -rf {} +

# ---- how the tools are found -------------------------------------------------------------------------------------

python_path = $$(command -v $(PY))
clang_format = $(if $(call stamp,lint),$(VENV)/bin/clang-format,clang-format)

# The machine's cmake and ninja where they are new enough, those from PyPI in .venv where they are not.
define tools
cmake=$$(ls $(VENV)/bin/cmake 2>/dev/null || command -v cmake); ninja=$$(ls $(CURDIR)/$(VENV)/bin/ninja 2>/dev/null || command -v ninja)
endef

$(BUILD)/build.ninja: CMakeLists.txt $(call stamp,base)
	@$(tools); $$cmake -S . -B $(BUILD) -G Ninja -DCMAKE_MAKE_PROGRAM=$$ninja -DRUSHLIGHT_INPLACE=ON -DRUSHLIGHT_WERROR=$(WERROR) \
	  -DPython_EXECUTABLE=$(python_path) >/dev/null

$(VENV)/stamp-base:
	@echo "making $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@have=$$(cmake --version 2>/dev/null | awk 'NR==1{print $$3}' || true); \
	  if ! printf '3.24\n%s\n' "$$have" | sort -C -V || [ -z "$$have" ]; then $(PY) $(PIP) cmake; fi; \
	  if ! command -v ninja >/dev/null; then $(PY) $(PIP) ninja; fi
	@$(PY) $(PIP) "numpy>=1.23"
	@touch $@

$(VENV)/stamp-%: pyproject.toml | $(VENV)/stamp-base
	@echo "installing what '$*' needs into $(VENV)"
	@$(PY) tools/requirements.py $* | xargs $(PY) $(PIP)
	@touch $@

$(TORCH_VENV)/stamp: pyproject.toml
	@echo "installing PyTorch into $(TORCH_VENV)"
	@test -x $(TORCH_VENV)/bin/python || $(PYTHON) -m venv $(TORCH_VENV)
	@$(TORCH_VENV)/bin/python $(PIP) $(TORCH) expecttest
	@$(PYTHON) tools/requirements.py test bench | xargs $(TORCH_VENV)/bin/python $(PIP)
	@touch $@
