"""Checks across settings, and of the trust policies they name.

They run on the document as read, before the settings are validated, so that every error is reported at once: a section
may have any form, and a value any type.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import assert_never

from configuration.messages import dotted
from configuration.settings import RoleStack, stack_name
from configuration.values import ACCOUNT_ID
from configuration.yaml_text import Location, YAMLMapping, YAMLValue
from iam import policy_document
from iam.arn import REGION, ROLE_NAME, RoleArn, partition_of
from iam.documents import quotas, recipe
from iam.documents.grants import Grantee, inline_policies
from iam.documents.trust import (
    DeniesGlue,
    LacksSageMaker,
    NamesDeletedPrincipal,
    NotKeepable,
    TooLong,
    TrustsGlue,
    UsesSidOfGlue,
    reasons_not_to_keep,
)
from iam.policy_document import Document
from iam.wording import shown


def errors_across_settings(value: YAMLValue) -> Iterator[tuple[Location, str]]:
    """Yield location and message where settings contradict each other, although each is valid."""
    for name, environment in _environments(value):
        if deploy_role := _arn(environment.get("deploy_role_arn")):
            yield from _misplaced(deploy_role, ("environments", name, "deploy_role_arn"), environment)
    claims: dict[tuple[str, ...], Location] = {}
    for at, environment, role in roles(value):
        at = (*at, "role")
        text = role.get("role")
        if arn := _arn(text):
            yield from _misplaced(arn, at, environment)
            yield from _duplicate(arn.name, arn.account_id, at, claims)
        elif isinstance(text, str) and re.fullmatch(ROLE_NAME, text):
            account_id, _ = _account(environment)
            yield from _duplicate(text, account_id, at, claims)
    for at, environment, role in roles(value):
        access = role.get("access")
        keys = access.get("keys") if isinstance(access, dict) else None
        for index, key in enumerate(keys if isinstance(keys, list) else []):
            yield from _foreign_key(key, (*at, "access", "keys", index), environment)


def errors_of_sizes(stack: RoleStack) -> Iterator[str]:
    """Yield a message if a role's inline policies of this project alone exceed IAM's quota."""
    grantee = Grantee(stack.partition, "0" * 12, f"arn:{stack.partition}:iam::{'0' * 12}:role/{stack.role.name}")
    documents = [grant.document(stack.grant_settings, grantee) for grant in inline_policies()]
    size = sum(policy_document.size(document) for document in documents if document)
    if size > quotas.DEFAULTS.inline_policies_characters:
        yield (
            f"name fewer or shorter things, the role's inline policies would have {size} characters,"
            f" and IAM allows {quotas.DEFAULTS.inline_policies_characters} together with the role's others"
        )


def errors_of_kept_trust(document: Document, quota: int) -> Iterator[str]:
    """Yield a message for each reason why a trust policy cannot be kept beside Glue's own statement."""
    return map(_not_keepable, reasons_not_to_keep(document, quota))


def _not_keepable(reason: NotKeepable) -> str:
    match reason:
        case TrustsGlue():
            return f"remove {recipe.GLUE}, Glue's own statement is added to what is kept"
        case UsesSidOfGlue():
            return f"choose another Sid than {recipe.GLUE_STATEMENT_SID}, it is that of Glue's own statement"
        case LacksSageMaker():
            return f"add a statement that lets {recipe.SAGEMAKER} call sts:AssumeRole, it is missing"
        case DeniesGlue(place):
            return (
                f"{place}: remove this Deny, or give it a condition: it keeps {recipe.GLUE} from assuming the role,"
                " whatever else allows that"
            )
        case NamesDeletedPrincipal(place, unique_id):
            return f"{place}: remove {unique_id}, its role or user is deleted and IAM rejects it"
        case TooLong(characters, quota):
            return (
                f"supply at most {quota} characters with Glue's own statement, got {characters}: shorten it, "
                "or set trust_policy_quota where AWS has raised the account's quota"
            )
        case _:
            assert_never(reason)


def roles(value: YAMLValue) -> Iterator[tuple[Location, YAMLMapping, YAMLMapping]]:
    """Yield location, environment and role of each role in a document; other forms are skipped."""
    for name, environment in _environments(value):
        entries = environment.get("roles")
        for index, role in enumerate(entries if isinstance(entries, list) else []):
            if isinstance(role, dict):
                yield ("environments", name, "roles", index), environment, role


def _environments(value: YAMLValue) -> Iterator[tuple[str, YAMLMapping]]:
    environments = value.get("environments") if isinstance(value, dict) else None
    for name, environment in environments.items() if isinstance(environments, dict) else ():
        if isinstance(environment, dict):
            yield name, environment


def _misplaced(arn: RoleArn, at: Location, environment: YAMLMapping) -> Iterator[tuple[Location, str]]:
    account_id, setting = _account(environment)
    if account_id is not None and arn.account_id != account_id:
        yield at, f"supply a role of account {account_id}, as set by {setting}, got {shown(str(arn))}"
    region = environment.get("region")
    if isinstance(region, str) and re.fullmatch(REGION, region) and arn.partition != partition_of(region):
        yield at, f"supply a role of partition {partition_of(region)}, as set by region, got {shown(str(arn))}"


def _foreign_key(key: YAMLValue, at: Location, environment: YAMLMapping) -> Iterator[tuple[Location, str]]:
    region = environment.get("region")
    if isinstance(key, str) and key.startswith("arn:") and isinstance(region, str) and re.fullmatch(REGION, region):
        partition = partition_of(region)
        if not key.startswith(f"arn:{partition}:"):
            yield at, f"supply a key of partition {partition}, as set by region, got {shown(key)}"


def _duplicate(
    name: str, account_id: str | None, at: Location, first: dict[tuple[str, ...], Location]
) -> Iterator[tuple[Location, str]]:
    """Yield an error if an earlier role is this one, or has this one's stack; otherwise record the role in `first`."""

    environment_name = str(at[1])
    stack = stack_name(environment_name, name)
    claims = {
        ("environment", environment_name, name.lower()): "remove this, the role is already at",
        ("stack", stack.lower()): f"rename the environment, the stack {stack} already belongs to",
    }
    if account_id is not None:
        account = ("account", account_id, name.lower())
        claims = {account: f"remove this, the role of account {account_id} is already at", **claims}
    taken = [f"{remedy} {dotted(first[claim])}" for claim, remedy in claims.items() if claim in first]
    if taken:
        yield at, taken[0]
    for claim in claims:
        first.setdefault(claim, at)


def _account(environment: YAMLMapping) -> tuple[str | None, str]:
    """Return the account of an environment, if known, and the setting that names it."""
    account_id = environment.get("account_id")
    if isinstance(account_id, str) and re.fullmatch(ACCOUNT_ID, account_id):
        return account_id, "account_id"
    deploy_role = _arn(environment.get("deploy_role_arn"))
    return (deploy_role.account_id if deploy_role else None), "deploy_role_arn"


def _arn(value: YAMLValue) -> RoleArn | None:
    try:
        return RoleArn.parse(value) if isinstance(value, str) else None
    except ValueError:
        return None
