"""Mismatches between a role in AWS and its configuration; pure, on documents."""

from collections.abc import Iterator
from typing import assert_never

from configuration import RoleStack
from iam import policy_document
from iam.documents.grants import (
    GRANTS,
    Grantee,
    InlinePolicyGrant,
    ManagedPolicyGrant,
    TrustGrant,
)
from iam.documents.recipe import trust_policy, trust_policy_keeping
from iam.engine import sentences
from iam.engine.decision import Verdict, decide_trust
from iam.engine.difference import difference
from iam.engine.statements import Policy, permissions_policy
from iam.engine.statements import trust_policy as trust_of
from iam.policy_document import Document
from iam.role import Role


def mismatches(stack: RoleStack, role: Role) -> Iterator[str]:
    """Yield one line per mismatch between a stack's configuration and its role.

    Args:
        stack: the configuration.
        role: the role in AWS; documents that could not be read count as matching.
    """
    arn = stack.role.arn
    if arn and arn != role.arn:
        yield f"the configuration names {arn}, but the role of that name is {role.arn}"
    for grant in GRANTS:
        match grant:
            case ManagedPolicyGrant():
                yield from _managed_policy(grant, stack, role)
            case InlinePolicyGrant():
                yield from _inline_policy(grant, stack, role)
            case TrustGrant():
                yield from _released_trust(grant, stack, role) if stack.role.released else _trust(grant, stack, role)
            case _:
                assert_never(grant)


def _managed_policy(grant: ManagedPolicyGrant, stack: RoleStack, role: Role) -> Iterator[str]:
    if role.attached_policies is None:
        return
    attached = grant.arn(role.arn.partition) in role.attached_policies
    if stack.role.released:
        if attached:
            yield f"it is released, but the managed policy {grant.policy_name} is still attached"
    elif grant.is_granted(stack.role.grant_settings) and not attached:
        yield f"the managed policy {grant.policy_name} is not attached"
    elif attached and not grant.is_granted(stack.role.grant_settings):
        yield f"the managed policy {grant.policy_name} is attached, but not configured"


def _inline_policy(grant: InlinePolicyGrant, stack: RoleStack, role: Role) -> Iterator[str]:
    policies, name = role.inline_policies, grant.policy_name
    if policies is None:
        return
    if stack.role.released:
        if name in policies:
            yield f"it is released, but the inline policy {name} still exists"
        return
    declared = grant.document(stack.role.grant_settings, Grantee.of(role.arn))
    if declared is None:
        if name in policies:
            yield f"the inline policy {name} exists, but is not configured"
        return
    if name not in policies:
        yield f"the inline policy {name} is missing"
        return
    current = policies[name] or declared
    if changes := _changes(permissions_policy(declared), permissions_policy(current), of_trust=False):
        yield f"the inline policy {name} does not match permissions: {stack.role.permissions}: {changes}"


def _trust(grant: TrustGrant, stack: RoleStack, role: Role) -> Iterator[str]:
    current = trust_of(role.trust_policy)
    match stack.role.trust.ownership:
        case "authoritative":
            if changes := _changes(trust_of(_declared_trust(stack)), current, of_trust=True):
                yield f"the trust policy does not match the configuration: {changes}"
        case "additive" | "external":
            decision = decide_trust(current, grant.service)
            if decision.verdict is Verdict.DENIED:
                yield decision.reason
        case _:
            assert_never(stack.role.trust.ownership)


def _released_trust(grant: TrustGrant, stack: RoleStack, role: Role) -> Iterator[str]:
    if stack.role.trust.ownership == "external":
        return
    ours = any(each.get("Sid") == grant.sid for each in policy_document.statements(role.trust_policy))
    if ours or not difference([trust_of(trust_policy())], [trust_of(role.trust_policy)]).changes:
        yield "it is released, but its trust policy still has Glue's statement"


def _declared_trust(stack: RoleStack) -> Document:
    return trust_policy_keeping(stack.kept_trust) if stack.kept_trust else trust_policy()


def _changes(declared: Policy, current: Policy, *, of_trust: bool) -> str:
    return "; ".join(sentences.lines(difference([declared], [current]), trust=of_trust))
