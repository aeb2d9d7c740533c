"""Requirements of a test on the machine: without them the test is skipped, or fails if CI is `true`."""

import os
from typing import NoReturn

import pytest

from terraform_cli import installation


def terraform_binary() -> str:
    """Return the path of Terraform, or end the test."""
    try:
        return installation.binary()
    except installation.TerraformMissingError as error:
        missing(str(error))


def missing(reason: str) -> NoReturn:
    """Skip the test with a reason; fail it if the environment variable CI is `true`."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
