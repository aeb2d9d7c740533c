"""Loading a configuration: the file, the trust policies it names, and every error at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from pydantic import ValidationError

from configuration import checks, yaml_text
from configuration.messages import ConfigurationError, ErrorLine, place, readable, validation_messages
from configuration.settings import (
    Configuration,
    RoleStack,
    Settings,
    stack_name,
    state_key,
)
from configuration.yaml_text import Document, Location
from iam import policy_document
from iam.arn import partition_of
from iam.documents import quotas, trust
from iam.wording import shown

MAX_BYTES = 1_000_000

_KeptTrust = dict[Location, policy_document.Document]
"""Kept trust policies by the location of their role."""


def load_or_exit(environment: Mapping[str, str] = os.environ) -> Configuration:
    """Load the configuration that the environment names.

    If it has errors, print a line for each on standard error and exit with status 2.
    """
    try:
        return load(configuration_path(environment), environment)
    except ConfigurationError as error:
        exit_with_error(error)


def exit_with_error(message: object) -> NoReturn:
    """Print a message on standard error and exit with status 2: wrong input, or unable to run."""
    print(message, file=sys.stderr)
    raise SystemExit(2)


def configuration_path(environment: Mapping[str, str]) -> Path:
    """Return the path of the configuration: ``GLUE_SESSIONS_CONFIG``, or ``glue-sessions.yaml`` in this directory."""
    return Path(environment.get("GLUE_SESSIONS_CONFIG") or "glue-sessions.yaml")


def load(path: Path, environment: Mapping[str, str], *, within: Path | None = None) -> Configuration:
    """Read and check a configuration.

    Args:
        path: the file; paths in it are relative to its directory.
        environment: the variables that ``${NAME}`` refers to, like `os.environ`.
        within: the folder that all files must be in, links followed; for a configuration that somebody else wrote,
            since messages quote what a file contains.

    Returns:
        The configuration, with the trust policies to keep.

    Raises:
        ConfigurationError: with every error of the file and of the files it names.
    """
    document = _read_document(path, environment, within)
    settings, invalid = None, []
    try:
        settings = Settings.model_validate(document.value)
    except ValidationError as error:
        invalid = list(validation_messages(error.errors(include_url=False), document))
    kept, unkept = _read_kept_trust(document, path.parent, within)
    errors = [*document.errors, *unkept, *checks.errors_across_settings(document.value), *invalid]
    stacks = _role_stacks(settings, kept) if settings else {}
    errors += [
        ((*at, "access"), message)
        for at, stack in stacks.items()
        if stack.role.access  # without it, the policies always have room
        for message in checks.errors_of_sizes(stack)
    ]
    if errors or settings is None:
        errors.sort(key=lambda error: document.position(error[0]))
        raise ConfigurationError(*(ErrorLine(place(path, at), message) for at, message in errors))
    return Configuration(
        path=path,
        state=settings.state,
        environments=settings.environments,
        pipeline=settings.pipeline,
        role_stacks=tuple(stacks.values()),
        variables={at: names for at, text in document.written.items() if (names := yaml_text.variable_names(text))},
    )


def _role_stacks(settings: Settings, kept: _KeptTrust) -> dict[Location, RoleStack]:
    """Return each role's stack by the location of the role."""
    return {
        ("environments", name, "roles", index): RoleStack(
            name=stack_name(name, role.name),
            state_key=state_key(settings.state, name, role.name),
            environment_name=name,
            environment=environment,
            role=role,
            kept_trust=kept.get(("environments", name, "roles", index)),
            partition=partition_of(environment.region),
        )
        for name, environment in settings.environments.items()
        for index, role in enumerate(environment.roles)
    }


def _read_document(path: Path, environment: Mapping[str, str], within: Path | None) -> Document:
    try:
        text = _read_text(path, within)
    except FileNotFoundError:
        message = "no such file, create it or name another with GLUE_SESSIONS_CONFIG"
        raise ConfigurationError(ErrorLine(place(path), message)) from None
    except ValueError as error:
        raise ConfigurationError(ErrorLine(place(path), str(error))) from None
    try:
        document = yaml_text.read(text, environment)
    except yaml_text.YAMLTextError as error:
        position = f":{error.line}:{error.column}" if error.line else ""
        raise ConfigurationError(ErrorLine(place(path) + position, str(error))) from None
    if document.value is None and not document.errors:
        raise ConfigurationError(ErrorLine(place(path), "supply state and environments, the file is empty"))
    return document


def _read_text(path: Path, within: Path | None) -> str:
    """Return the text of a file of a reasonable size, in a folder if one is given.

    Raises:
        FileNotFoundError: the file does not exist.
        ValueError: the file cannot be read; the message gives the reason.
    """
    try:
        leads_out = within is not None and not is_within(path, within)
        with Path(os.devnull if leads_out else path).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise
    except IsADirectoryError:
        raise ValueError("supply a file, got a directory") from None
    except OSError as error:
        raise ValueError(f"supply a file that can be read, got: {error.strerror}") from None
    except ValueError:
        raise ValueError("supply another path, no file can have this one") from None
    if leads_out:
        raise ValueError("supply a file of the repository, this path or link leads out of it")
    if len(data) > MAX_BYTES:
        raise ValueError(f"supply at most {MAX_BYTES} bytes, got more")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"supply UTF-8, got byte 0x{data[error.start]:02X} in line {line}") from None


def is_within(path: Path, folder: Path) -> bool:
    """Return whether a path is in a folder, links followed. Raises ValueError: no file can have this path."""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def _read_kept_trust(
    document: Document, directory: Path, within: Path | None
) -> tuple[_KeptTrust, list[tuple[Location, str]]]:
    """Return the trust policies that `keep` settings name, and location and message of each error in them."""
    kept: _KeptTrust = {}
    errors: list[tuple[Location, str]] = []
    for at, environment, role in checks.roles(document.value):
        settings = role.get("trust")
        keep = settings.get("keep") if isinstance(settings, dict) else None
        if not isinstance(keep, str):  # validation reports other types
            continue
        configured = environment.get("trust_policy_quota")
        quota = configured if type(configured) is int else quotas.DEFAULTS.trust_policy_characters
        try:
            kept[at] = trust.parse_trust_policy(_read_text(directory / keep, within))
        except FileNotFoundError:
            errors.append(((*at, "trust", "keep"), f"no such file, got {shown(str(directory / keep))}"))
            continue
        except trust.TrustPolicyError as error:
            messages = list(error.errors)
        except ValueError as error:
            messages = [str(error)]
        else:
            messages = [*checks.errors_of_kept_trust(kept[at], quota)]
        errors.extend(((*at, "trust", "keep"), f"{readable(keep)}: {message}") for message in messages)
    return kept, errors
