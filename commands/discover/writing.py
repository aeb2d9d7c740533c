"""Puts found roles into ``glue-sessions.yaml``, and the statements they keep into files beside it."""

import contextlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from commands.discover.findings import RoleFinding
from commands.discover.insertion import NotInsertableError, with_roles
from commands.discover.settings import NotWritableError, Settings, settings_for
from configuration import TRUST_POLICY_QUOTA, ConfigurationError, load, yaml_text
from iam.policy_document import Document
from iam.readiness.grants import Quotas


class WritingError(Exception):
    """Nothing was written; the message has a line for each reason."""


@dataclass(frozen=True)
class Written:
    """What was written, and what was not.

    Attributes:
        said: a line for each role and file.
        left_out: a line for each role that was left out and should not have been.
    """

    said: Sequence[str]
    left_out: Sequence[str]


def write(
    path: Path,
    environment: Mapping[str, str],
    environment_name: str,
    chosen: Sequence[RoleFinding],
    *,
    account_id: str,
    quotas: Quotas,
    additive: bool,
) -> Written:
    """Add roles to an environment of the configuration; what is in it stays as it is.

    Args:
        path: the configuration.
        environment: what ``${NAME}`` in it is read from.
        environment_name: where the roles go; made if it is not there.
        chosen: the roles.
        account_id: the account they were found in.
        quotas: those of the account.
        additive: whether to leave the trust policies of others to them.

    Raises:
        WritingError: nothing can be written.
    """
    path = path.resolve()
    text = _read(path)
    before = _faults(path, environment)
    environments = _environments(text, environment)
    known = environments.get(environment_name, {})
    if known.get("account_id") not in (None, account_id):
        raise WritingError(
            f"environments.{environment_name} is account {known['account_id']}, and the roles are in {account_id}:"
            " name another environment"
        )
    new_environment: dict[str, Any] = {"region": _region(chosen), "account_id": account_id}
    if quotas.trust_policy_characters > TRUST_POLICY_QUOTA:
        new_environment["trust_policy_quota"] = quotas.trust_policy_characters
    quota = (known or new_environment).get("trust_policy_quota") or TRUST_POLICY_QUOTA
    configured = dict(_configured(environments, environment_name, account_id))

    said: list[str] = []
    left_out: list[str] = []
    entries: list[dict[str, Any]] = []
    documents: dict[Path, str] = {}
    for finding in chosen:
        if place := configured.get(finding.name.lower()):
            said.append(f"{finding.name}: is in {place} already, left as it is")
            continue
        try:
            settings = settings_for(finding, additive=additive, quota=quota)
            kept_at = _kept_at(settings, path.parent, environment_name)
        except NotWritableError as reason:
            left_out.append(f"{finding.name}: not written, {reason}")
            continue
        if settings.kept and kept_at:
            documents[path.parent / kept_at] = _as_text(settings.kept)
        entries.append(settings.entry(kept_at))
        said.append(f"{finding.name}: written as {_named(settings, kept_at)}, it {settings.why}")
    if not entries:
        return Written(said, left_out)

    try:
        changed = with_roles(text, environment_name, entries, new_environment=new_environment)
    except NotInsertableError as error:
        raise WritingError(f"{path.name}: {error}") from None
    _put(path, changed, documents, environment, allowed=before)
    said.append(f"wrote {len(entries)} of {len(chosen)} roles to environments.{environment_name} of {path.name}")
    return Written([*said, *(f"{path.name} needs this too: {fault}" for fault in before)], left_out)


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise WritingError(f"{path}: no such file, create it or name another with GLUE_SESSIONS_CONFIG") from None
    except UnicodeDecodeError:
        raise WritingError(f"{path}: supply UTF-8") from None
    except OSError as error:
        raise WritingError(f"{path}: cannot be read: {error.strerror}") from None


def _faults(path: Path, environment: Mapping[str, str]) -> list[str]:
    """Say what is wrong with a configuration; variables that are not set are no reason not to add to it."""
    try:
        load(path, environment)
    except ConfigurationError as error:
        return [str(line).removeprefix(str(path)).lstrip(": ") for line in error.errors]
    return []


def _region(chosen: Sequence[RoleFinding]) -> str:
    """Take the region that most of the roles are used in: IAM is the same in all of them."""
    regions = [region for finding in chosen for region in finding.regions]
    return max(regions, key=regions.count)


def _environments(text: str, environment: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Read the environments as far as they can be: a variable that is not set elsewhere in the file is no reason."""
    try:
        value = yaml_text.read(text, environment).value
    except yaml_text.YAMLTextError:
        return {}
    found = value.get("environments") if isinstance(value, dict) else None
    return {name: each for name, each in found.items() if isinstance(each, dict)} if isinstance(found, dict) else {}


def _configured(
    environments: Mapping[str, dict[str, Any]], environment_name: str, account_id: str
) -> Iterator[tuple[str, str]]:
    """Yield lower-case name and place of each role of the account that is configured already."""
    for name, environment in environments.items():
        roles = environment.get("roles")
        for entry in roles if isinstance(roles, list) else []:
            role = entry.get("role") if isinstance(entry, dict) else None
            if isinstance(role, str):
                account = (role.split(":") + [""] * 5)[4] if role.startswith("arn:") else environment.get("account_id")
                if account == account_id or (account is None and name == environment_name):
                    yield role.rpartition("/")[2].lower(), f"environments.{name}"


def _kept_at(settings: Settings, directory: Path, environment_name: str) -> str | None:
    """Choose the file of kept statements; one that is there with another content is never overwritten."""
    if settings.kept is None:
        return None
    names = [f"trust/{settings.name}.json", f"trust/{environment_name}-{settings.name}.json"]
    for name in names:
        file = directory / name
        if not file.exists() or file.read_bytes() == _as_text(settings.kept).encode():
            return name
    raise NotWritableError(f"{' and '.join(names)} are there with another content: remove one, or use --additive")


def _as_text(document: Document) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _named(settings: Settings, kept_at: str | None) -> str:
    return f"{settings.ownership} with {kept_at}" if kept_at else settings.ownership


def _put(
    path: Path, text: str, documents: Mapping[Path, str], environment: Mapping[str, str], *, allowed: Sequence[str]
) -> None:
    """Write all or nothing; the configuration comes last, in one step, and only if it has no new faults."""
    new = [file for file in documents if not file.exists()]
    made = [file.parent for file in new if not file.parent.exists()]
    unfinished = path.with_name(f".{uuid.uuid4().hex}-{path.name}")
    try:
        for file in new:
            file.parent.mkdir(exist_ok=True)
            with _replacing(file) as beside:
                beside.write_text(documents[file], encoding="utf-8", newline="\n")
        unfinished.write_bytes(text.encode("utf-8"))
        shutil.copymode(path, unfinished)
        faults = [fault for fault in _faults(unfinished, environment) if fault not in allowed]
        if faults:
            raise WritingError("\n".join(f"{path.name}: would not be right any more: {fault}" for fault in faults))
        unfinished.replace(path)
    except BaseException as error:
        for file in [unfinished, *new]:
            file.unlink(missing_ok=True)
        for directory in dict.fromkeys(made):
            with contextlib.suppress(OSError):
                directory.rmdir()
        if isinstance(error, OSError):
            raise WritingError(f"{path.name}: cannot be written: {error.strerror}") from None
        raise


@contextlib.contextmanager
def _replacing(file: Path) -> Iterator[Path]:
    beside = file.with_name(f".{os.getpid()}-{file.name}")
    try:
        yield beside
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)
