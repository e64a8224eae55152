# `make help` lists the targets. PY=/some/python uses that interpreter instead of making .venv.
PYTHON ?= python3
VENV := .venv
PY ?= $(VENV)/bin/python
JOBS ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu)
BUILD := build/inplace
CMAKE := $(shell command -v cmake 2>/dev/null || echo $(VENV)/bin/cmake)
NINJA := $(shell command -v ninja 2>/dev/null || echo $(VENV)/bin/ninja)

.PHONY: build
build: $(BUILD)/build.ninja ## Build the core into rushlight/, so that the checkout is importable
	@$(CMAKE) --build $(BUILD) -j $(JOBS)

$(BUILD)/build.ninja: CMakeLists.txt
	$(CMAKE) -S . -B $(BUILD) -G Ninja -DCMAKE_MAKE_PROGRAM=$(NINJA) -DRUSHLIGHT_INPLACE=ON -DPython_EXECUTABLE=$(shell command -v $(PY) || command -v $(PYTHON))
