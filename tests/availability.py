"""What a test needs of the machine: where it is missing the test is skipped, but never where CI is `true`."""

import os
from typing import NoReturn

import pytest

from terraform_cli import installation


def terraform_binary() -> str:
    """Path of terraform."""
    try:
        return installation.binary()
    except installation.TerraformMissingError as error:
        missing(str(error))


def missing(reason: str) -> NoReturn:
    """Skip the test, saying why; where the environment variable CI is `true`, fail it."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
