"""Fixtures that several rooms' tests share, and how the tests are distributed over processes."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

import fast_cdktf
from sandbox.launcher import Sandbox

_FOLDER = "TESTS_TEMPORARY_FOLDER"
"""The variable with the folder for the temporary files of all programs that the tests start."""

# Killed programs leave their temporary files: sockets, certificates, outputs of CDKTF. This process's own stay outside,
# since pytest keeps the folders of the last runs.
_is_first = _FOLDER not in os.environ
if _is_first:
    tempfile.gettempdir()  # which Python remembers
    os.environ["TMPDIR"] = os.environ[_FOLDER] = tempfile.mkdtemp(prefix="tests-")

# before any test imports cdktf; Node gets the folder with its environment
fast_cdktf.install(long_running=True)

_TESTS = Path(__file__).parent

_LONGEST = (
    "e2e/test_slow_reads.py",
    "e2e/test_every_trust_policy.py",
    "e2e/test_pull_request.py",
    "e2e/test_fleet.py",
    "e2e/test_pipeline_access.py",
    "e2e/test_plan_and_apply.py",
    "e2e/test_drift_command.py",
    "e2e/test_apply_plan.py",
    "iam/engine/test_differential.py",
    "iam/engine/test_budget.py",
    "notebooks/test_acceptance.py",
    "fast_cdktf/test_install.py",
    "e2e",
    "fast_cdktf",
    "benchmarks",
    "sandbox/test_glue.py",
    "commands",
    "sandbox",
    "review/test_command.py",
)
"""Files and folders whose tests begin first, so that no process is left with a long test at the end."""

_SPLIT = (
    "e2e/",
    "notebooks/",
    "benchmarks/",
    "fast_cdktf/",
    "iam/engine/test_differential.py",
    "iam/engine/test_budget.py",
)
"""Folders and files whose tests take seconds each: every test may run in another process."""

_WHOLE = (
    *("e2e/test_every_trust_policy.py", "e2e/test_newest_provider.py", "e2e/test_newest_resource_types.py"),
    "e2e/test_validate.py",
    "fast_cdktf/test_cdk_terrain.py",
)
"""Files in them with a costly module fixture, which stay whole, like all other files."""

_MEASURED = (
    *("applying/", "aws/", "commands/", "configuration/", "docs/", "e2e/test_drift_command.py", "iam/", "modules/"),
    *("plans/", "review/", "stacks/", "terraform_cli/", "test_template.py"),
)
"""Tests that run what they test in their own process: measuring the coverage of others would only slow them down."""


def pytest_unconfigure() -> None:
    """Remove the temporary files, in the process that started the others."""
    if _is_first:
        shutil.rmtree(os.environ[_FOLDER], ignore_errors=True)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return one process more than processors: some tests wait for retries of the AWS provider."""
    return (os.cpu_count() or 1) + 1


class _Distribution(LoadScopeScheduling):  # type: ignore[misc]  # without type hints
    """Gives a whole file to one process, and the tests of some folders one by one.

    pytest-xdist has groups of tests for this (`--dist loadgroup`), but 3.8 forms none with pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0].removeprefix("tests/")
        alone = path.startswith(_SPLIT) and path not in _WHOLE
        return nodeid if alone else path


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _Distribution:
    """Return how tests are distributed over processes."""
    return _Distribution(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark end-to-end tests and those without coverage, and put the longest first."""
    for item in items:
        path = _path(item)
        if path.startswith("e2e/"):
            item.add_marker(pytest.mark.e2e)
        if not path.startswith(_MEASURED) or item.get_closest_marker("thorough"):
            item.add_marker(pytest.mark.no_cover)
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    path = _path(item)
    return next((number for number, prefix in enumerate(_LONGEST) if path.startswith(prefix)), len(_LONGEST))


def _path(item: pytest.Item) -> str:
    return item.path.relative_to(_TESTS).as_posix()


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """Return the local AWS of this process: one for all tests that name or remove what they create in it."""
    with Sandbox() as running:
        yield running


@pytest.fixture
def aws(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """Return the local AWS, after pointing the environment of this process at it."""
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    return sandbox
