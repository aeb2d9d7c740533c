"""Requirements of a test on the machine: without them the test is skipped, or fails if CI is `true`."""

import os
from pathlib import Path
from typing import NoReturn

import pytest

from benchmarks import environments
from terraform_cli import installation


def terraform_binary() -> str:
    """Return the path of Terraform, or end the test."""
    try:
        return installation.binary()
    except installation.TerraformMissingError as error:
        missing(str(error))


def cdk_terrain() -> Path:
    """Return the Python of the environment with CDK Terrain, which the first use installs, or end the test."""
    try:
        return environments.cdk_terrain()
    except environments.NotInstalledError as error:
        missing(str(error))


def missing(reason: str) -> NoReturn:
    """Skip the test with a reason; fail it if the environment variable CI is `true`."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
