"""Write roles into `glue-sessions.yaml`: choose the settings of each, and save the trust statements to keep."""

import contextlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from commands.discover.findings import RoleFinding
from commands.discover.insertion import NotInsertableError, with_roles
from configuration import ConfigurationError, load, yaml_text
from iam import policy_document
from iam.documents import quotas as iam_quotas
from iam.documents.grants import GLUE_TRUST
from iam.documents.trust import (
    DeniesGlue,
    LacksSageMaker,
    NamesDeletedPrincipal,
    NotUsable,
    TooLong,
    TrustsGlue,
    UsesSidOfGlue,
    reasons_not_to_keep,
)
from iam.policy_document import Document
from iam.readiness.trust import exceeds_recipe, without_glue_statement


class WritingError(Exception):
    """Nothing was written; the message has one line per reason."""


class NotWritableError(Exception):
    """A role is left out of the configuration; the message says why and what to do."""


@dataclass(frozen=True)
class Written:
    """The result of a write.

    Attributes:
        lines: one line per role and file.
        left_out: one line per role that was not written.
    """

    lines: Sequence[str]
    left_out: Sequence[str]


@dataclass(frozen=True)
class Settings:
    """A role's entry in the configuration.

    Attributes:
        arn: the role.
        ownership: `authoritative` or `additive`.
        kept: statements to keep word for word, as a trust policy; None if there are none.
        reason: the property of the role's trust policy that led to these settings.
    """

    arn: str
    ownership: str
    kept: Document | None
    reason: str

    @property
    def name(self) -> str:
        """The role's name, without its path."""
        return self.arn.rpartition("/")[2]

    def entry(self, kept_at: str | None) -> dict[str, object]:
        """Return the entry as values; `kept_at` is the path of the kept statements."""
        if kept_at:
            return {"role": self.arn, "trust": {"keep": kept_at}}
        if self.ownership == "additive":
            return {"role": self.arn, "trust": {"ownership": "additive"}}
        return {"role": self.arn}


def write(
    path: Path,
    environment: Mapping[str, str],
    environment_name: str,
    chosen: Sequence[RoleFinding],
    *,
    account_id: str,
    quotas: iam_quotas.Quotas,
    additive: bool,
) -> Written:
    """Add roles to an environment of the configuration, without changing its existing content.

    Args:
        path: the configuration.
        environment: the values of `${NAME}` in it.
        environment_name: the environment to add to, created if missing.
        chosen: the roles.
        account_id: the account of the roles.
        quotas: the account's quotas.
        additive: whether to leave the trust policies of others to them.

    Raises:
        WritingError: nothing can be written.
    """
    path = path.resolve()
    text = _read(path)
    errors_before = _errors(path, environment)
    environments = _environments(path, text, environment)
    known = environments.get(environment_name, {})
    if known.get("account_id") not in (None, account_id):
        raise WritingError(
            f"environments.{environment_name} is account {known['account_id']}, and the roles are in {account_id}:"
            " name another environment"
        )
    new_environment: dict[str, object] = {"region": _region(chosen), "account_id": account_id}
    default = iam_quotas.DEFAULTS.trust_policy_characters
    raised = quotas.trust_policy_characters if quotas.trust_policy_characters > default else None
    if raised:
        new_environment["trust_policy_quota"] = raised
    quota = known.get("trust_policy_quota") if known else raised
    configured = dict(_configured(environments, account_id))

    lines: list[str] = []
    left_out: list[str] = []
    entries: list[dict[str, object]] = []
    documents: dict[Path, str] = {}
    for finding in chosen:
        if place := configured.get(finding.name.lower()):
            lines.append(f"{finding.name}: already in {place}, not changed")
            continue
        try:
            settings = settings_for(finding, additive=additive, quota=quota if isinstance(quota, int) else default)
            kept_at = _kept_at(settings, path.parent, environment_name)
        except NotWritableError as reason:
            left_out.append(f"{finding.name}: not written, {reason}")
            continue
        if settings.kept and kept_at:
            documents[path.parent / kept_at] = _as_text(settings.kept)
        entries.append(settings.entry(kept_at))
        described = f"{settings.ownership} with {kept_at}" if kept_at else settings.ownership
        lines.append(f"{finding.name}: written as {described}, it {settings.reason}")
    if not entries:
        return Written(lines, left_out)

    try:
        changed = with_roles(text, environment_name, entries, new_environment=new_environment)
    except NotInsertableError as error:
        raise WritingError(f"{path.name}: {error}") from None
    _put(path, changed, documents, environment, allowed=errors_before)
    lines.append(f"wrote {len(entries)} of {len(chosen)} roles to environments.{environment_name} of {path.name}")
    also = (f"{path.name} also needs: {_or_no_entry(error)}" for error in _errors(path, environment))
    return Written([*lines, *also], left_out)


def settings_for(finding: RoleFinding, *, additive: bool, quota: int) -> Settings:
    """Choose the settings of a role so that nobody silently loses access.

    Args:
        finding: the role.
        additive: whether to leave the trust policies of others to them, instead of keeping their statements.
        quota: longest trust policy that the environment accepts, in characters.

    Raises:
        NotWritableError: no settings fit the role.
    """
    if finding.role is None:
        raise NotWritableError("; ".join(finding.notes))
    if finding.not_supported:
        raise NotWritableError(finding.not_supported)
    others = without_glue_statement(finding.role.trust_policy)
    if others["Statement"] and not exceeds_recipe(others):
        return Settings(finding.arn, "authoritative", None, "trusts only SageMaker")
    reasons = [*reasons_not_to_keep(others, quota)]
    for unusable in (reason for reason in reasons if isinstance(reason, NotUsable)):
        raise NotWritableError(_not_usable(unusable, finding.role.trust_policy))
    if additive:
        return Settings(finding.arn, "additive", None, "trusts others, who keep owning its trust policy")
    for reason in (reason for reason in reasons if not isinstance(reason, NotUsable)):
        why = f"{_not_keepable(reason)}, so its trust policy stays with its owners"
        return Settings(finding.arn, "additive", None, why)
    return Settings(finding.arn, "authoritative", others, "trusts others, whose statements are kept word for word")


def _not_usable(reason: NotUsable, current: Document) -> str:
    """Return why no settings fit a role with this trust policy; places are those in it, with Glue's own statement."""
    match reason:
        case DeniesGlue():
            place = next(policy_document.denials(current, GLUE_TRUST.service))
            return (
                f"{place} of its trust policy denies {GLUE_TRUST.service} the role, whatever else allows it: remove"
                " that Deny, or give it a condition"
            )
        case NamesDeletedPrincipal():
            place, unique_id = next(policy_document.deleted_principals(current))
            return (
                f"its trust policy names a deleted principal, {unique_id} in {place}: remove it there first,"
                " IAM refuses to write it again"
            )
        case TooLong(characters, quota):
            return (
                f"its trust policy would have {characters} characters with Glue's statement, and the quota is {quota}:"
                " shorten it, or set trust_policy_quota if AWS has raised the account's quota"
            )
        case _:
            assert_never(reason)


def _not_keepable(reason: TrustsGlue | UsesSidOfGlue | LacksSageMaker) -> str:
    match reason:
        case TrustsGlue():
            return "trusts Glue in a statement of others or under conditions"
        case UsesSidOfGlue():
            return f"has a statement of others with the Sid {GLUE_TRUST.sid}"
        case LacksSageMaker():
            return "does not trust SageMaker"
        case _:
            assert_never(reason)


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise WritingError(f"{path}: no such file, create it or name another with GLUE_SESSIONS_CONFIG") from None
    except UnicodeDecodeError:
        raise WritingError(f"{path}: supply UTF-8") from None
    except OSError as error:
        raise WritingError(f"{path}: cannot be read: {error.strerror}") from None


def _errors(path: Path, environment: Mapping[str, str]) -> list[str]:
    """Return the errors of a configuration, such as unset variables, which do not prevent adding roles."""
    try:
        load(path, environment)
    except ConfigurationError as error:
        return [str(each).removeprefix(str(path)).lstrip(": ") for each in error.errors]
    return []


def _or_no_entry(error: str) -> str:
    """Return an error with what else helps if a variable names a role: the file as shipped has such an entry."""
    names_a_role = "].role: set the environment variable " in error
    return f"{error}; or remove that entry" if names_a_role else error


def _region(chosen: Sequence[RoleFinding]) -> str:
    """Return the region that uses most of the roles; IAM is the same in all of them."""
    regions = [region for finding in chosen for region in finding.regions]
    return max(regions, key=regions.count)


def _environments(path: Path, text: str, environment: Mapping[str, str]) -> dict[str, yaml_text.YAMLMapping]:
    """Read the environments; unset variables elsewhere are ignored. Raises WritingError if the file is no YAML."""
    try:
        value = yaml_text.read(text, environment).value
    except yaml_text.YAMLTextError as error:
        position = f":{error.line}:{error.column}" if error.line else ""
        raise WritingError(f"{path.name}{position}: nothing was written, correct the file first: {error}") from None
    environments = value.get("environments") if isinstance(value, dict) else None
    if not isinstance(environments, dict):
        return {}
    return {name: each for name, each in environments.items() if isinstance(each, dict)}


def _configured(environments: Mapping[str, yaml_text.YAMLMapping], account_id: str) -> Iterator[tuple[str, str]]:
    """Yield the lower-case name and the place of each configured role of the account.

    An environment without an account counts as the caller's account: its credentials may be the same.
    """
    for name, environment in environments.items():
        roles = environment.get("roles")
        for entry in roles if isinstance(roles, list) else []:
            role = entry.get("role") if isinstance(entry, dict) else None
            if isinstance(role, str):
                account = environment.get("account_id") or _account_of(environment.get("deploy_role_arn"))
                if (_account_of(role) or account) in (None, account_id):
                    yield role.rpartition("/")[2].lower(), f"environments.{name}"


def _account_of(arn: object) -> str | None:
    """Return the account in an ARN, None for anything else."""
    return (arn.split(":") + [""] * 5)[4] if isinstance(arn, str) and arn.startswith("arn:") else None


def _kept_at(settings: Settings, directory: Path, environment_name: str) -> str | None:
    """Return the file for the kept statements; a file with other content is never overwritten."""
    if settings.kept is None:
        return None
    names = [f"trust/{settings.name}.json", f"trust/{environment_name}-{settings.name}.json"]
    for name in names:
        file = directory / name
        if not file.exists() or file.read_bytes() == _as_text(settings.kept).encode():
            return name
    raise NotWritableError(f"{' and '.join(names)} exist with other content: remove one, or use --additive")


def _as_text(document: Document) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _put(
    path: Path, text: str, documents: Mapping[Path, str], environment: Mapping[str, str], *, allowed: Sequence[str]
) -> None:
    """Write all files or none; the configuration last, atomically, and only if it has no new errors."""
    new = [file for file in documents if not file.exists()]
    created = [file.parent for file in new if not file.parent.exists()]
    unfinished = path.with_name(f".{uuid.uuid4().hex}-{path.name}")
    try:
        for file in new:
            file.parent.mkdir(exist_ok=True)
            with _replacing(file) as beside:
                beside.write_text(documents[file], encoding="utf-8", newline="\n")
        unfinished.write_bytes(text.encode("utf-8"))
        shutil.copymode(path, unfinished)
        if errors := [error for error in _errors(unfinished, environment) if error not in allowed]:
            raise WritingError(
                "\n".join(f"{path.name}: not written, it would have an error: {each}" for each in errors)
            )
        unfinished.replace(path)
    except BaseException as error:
        for file in [unfinished, *new]:
            file.unlink(missing_ok=True)
        for directory in dict.fromkeys(created):
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
