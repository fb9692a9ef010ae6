# Everything runs in the virtual environment .venv, which every target makes or updates first.

PY := .venv/bin/python
SEEDS ?= 1
SUITE ?= full
QUICK := --entries 'random weights' mimicking SEED LGD 'dense LGD' --seeds 0
# Two runs at a time, on a core each; GPUs take one each by themselves.
JOBS := $(if $(wildcard /dev/nvidia0),,--jobs 2)

.PHONY: help env test-env quickstart suite students test lint audit docs mmcv-ops mmcv-plain clean

help:
	@echo 'make quickstart [SEEDS=n]  the whole path on a generated world: teacher, student, detection, segmentation, table'
	@echo 'make suite [SUITE=quick]   every rival on every task of the generated world: hours (quick: four rivals, half an hour;'
	@echo '                           harder: five rivals on the harder world; vl: questions and captions, by DistillVLM;'
	@echo '                           STUDENT=timm/NAME: of another student)'
	@echo 'make students [SEEDS=n]    four small students by what they cost and what they are worth: hours'
	@echo 'make test [ARGS=...]       the test suite, two tests at a time (ARGS go to pytest)'
	@echo 'make lint                  ruff, mypy, codespell and bandit'
	@echo 'make audit                 known vulnerabilities of the pinned packages (asks PyPI)'
	@echo 'make docs                  this documentation as pages: docs/_build/index.html'
	@echo 'make env                   only the environment .venv'
	@echo 'make mmcv-ops              compile the operators of mmcv (MMCV_OPS=cpu or cuda; needs a C++ compiler)'
	@echo 'make mmcv-plain            back to mmcv without compiled operators'
	@echo 'make clean                 remove caches and build files, not .venv, data or work_dirs'

env:
	@tools/make_env.sh

test-env:
	@tools/make_env.sh tests docs

quickstart: env
	@$(PY) tools/benchmark.py configs/shapes/quickstart.py $(JOBS) --cfg-options "seeds=[$$(seq -s , 0 $$(($(SEEDS) - 1)))]"

suite: env
ifeq ($(SUITE),vl)
	@$(PY) tools/make_vl_world.py $(JOBS)
	@for suite in vl vl_captions; do \
		$(PY) tools/benchmark.py configs/shapes/$$suite.py $(JOBS) --seeds $$(seq 0 $$(($(SEEDS) - 1))) || exit; \
	done
else
	@$(PY) tools/benchmark.py configs/shapes/$(or $(filter harder probes,$(SUITE)),suite).py $(JOBS) \
		$(if $(STUDENT),--backbone $(STUDENT)) $(if $(filter quick,$(SUITE)),$(QUICK))
endif

# Small students beside the suite's own, whose results are committed: hours.
STUDENTS ?= timm/mobilenetv4_conv_small_035 timm/xcit_nano_12_p16_224 timm/repvit_m0_9
students: env
	@for student in $(STUDENTS); do \
		$(PY) tools/benchmark.py configs/shapes/suite.py --backbone $$student $(JOBS) --tasks zero-shot UPerNet \
			--entries 'random weights' mimicking LGD 'dense LGD' --seeds $$(seq 0 $$(($(SEEDS) - 1))) || exit; \
	done
	@$(PY) docs/draw_students.py docs/results/suite/results.json \
		work_dirs/suite_*/results.json

# A file of tests to each of two workers, which compute on one thread.
test: test-env
	OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: test-env
	$(PY) -m ruff check .
	$(PY) -m codespell_lib .
	$(PY) -m mypy
	$(PY) -m bandit --quiet --configfile pyproject.toml --recursive lgd_mm tools

audit: env
	.tools/uv-*/bin/uv tool run pip-audit==2.10.1 --requirement requirements/constraints.txt --no-deps --disable-pip

docs: test-env
	$(PY) -m sphinx -W --keep-going -q docs docs/_build
	@echo 'docs/_build/index.html'

mmcv-ops:
	@tools/make_env.sh optional
	@$(PY) tools/build_mmcv_ops.py

mmcv-plain: env
	.tools/uv-*/bin/uv pip install --python $(PY) --no-deps --reinstall-package onedl-mmcv \
		--constraints requirements/constraints.txt onedl-mmcv

clean:
	rm -rf build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache
	find lgd_mm tools tests configs -name __pycache__ -type d -prune -exec rm -rf {} +
