"""How the programs of this project begin and end: the configuration read, or a line for each fault and status 2."""

import os
import sys
from collections.abc import Mapping
from typing import NoReturn

from configuration import Configuration, ConfigurationError, configuration_path, load


def configuration_or_exit(environment: Mapping[str, str] = os.environ) -> Configuration:
    """Read the configuration that the environment names; if it cannot be used, say why and end the program."""
    try:
        return load(configuration_path(environment), environment)
    except ConfigurationError as error:
        cannot_run(error)


def cannot_run(why: object) -> NoReturn:
    """Say on standard error why the program cannot do its work, and end it with status 2."""
    print(why, file=sys.stderr)
    raise SystemExit(2)
