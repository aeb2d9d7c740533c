"""Mismatches between a role in AWS and its configuration; pure, on documents."""

from collections.abc import Iterator
from typing import assert_never

from commands.verify.problems import (
    Mismatch,
    MissingPolicy,
    NotReleased,
    NotTrusted,
    OtherArn,
    OtherPolicy,
    OtherTrust,
    UnconfiguredPolicy,
)
from configuration import RoleStack
from iam.documents.grants import (
    GRANTS,
    Grantee,
    InlinePolicyGrant,
    ManagedPolicyGrant,
    TrustGrant,
)
from iam.documents.recipe import trust_policy, trust_policy_keeping
from iam.engine.decision import Verdict, decide_trust
from iam.engine.difference import difference
from iam.engine.statements import permissions_policy
from iam.engine.statements import trust_policy as trust_of
from iam.policy_document import Document
from iam.readiness.trust import has_own_trust
from iam.role import Role


def mismatches(stack: RoleStack, role: Role) -> Iterator[Mismatch]:
    """Yield the mismatches between a stack's configuration and its role.

    Args:
        stack: the configuration.
        role: the role in AWS; documents that could not be read count as matching.
    """
    arn = stack.role.arn
    if arn and arn != role.arn:
        yield OtherArn(arn, role.arn)
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


def _managed_policy(grant: ManagedPolicyGrant, stack: RoleStack, role: Role) -> Iterator[Mismatch]:
    if role.attached_policies is None:
        return
    attached = grant.arn(role.arn.partition) in role.attached_policies
    if stack.role.released:
        if attached:
            yield NotReleased(grant)
    elif grant.is_granted(stack.grant_settings) and not attached:
        yield MissingPolicy(grant)
    elif attached and not grant.is_granted(stack.grant_settings):
        yield UnconfiguredPolicy(grant)


def _inline_policy(grant: InlinePolicyGrant, stack: RoleStack, role: Role) -> Iterator[Mismatch]:
    policies, name = role.inline_policies, grant.policy_name
    if policies is None:
        return
    if stack.role.released:
        if name in policies:
            yield NotReleased(grant)
        return
    declared = grant.document(stack.grant_settings, Grantee.of(role.arn))
    if declared is None:
        if name in policies:
            yield UnconfiguredPolicy(grant)
        return
    if name not in policies:
        yield MissingPolicy(grant)
        return
    changes = difference([permissions_policy(declared)], [permissions_policy(policies[name] or declared)])
    if changes.changes:
        yield OtherPolicy(grant, stack.role.permissions, changes)


def _trust(grant: TrustGrant, stack: RoleStack, role: Role) -> Iterator[Mismatch]:
    current = trust_of(role.trust_policy)
    ownership = stack.role.trust.ownership
    match ownership:
        case "authoritative":
            changes = difference([trust_of(_declared_trust(stack))], [current])
            if changes.changes:
                yield OtherTrust(grant, changes)
        case "additive" | "external":
            decision = decide_trust(current, grant.service)
            added = decide_trust(trust_of(trust_policy_keeping(role.trust_policy)), grant.service)
            # additive adds its statement where Glue is trusted under conditions alone
            lacks_own = ownership == "additive" and added.verdict is not decision.verdict
            if decision.verdict is Verdict.DENIED or lacks_own:
                yield NotTrusted(grant, decision, ownership, denied=added.verdict is Verdict.DENIED)
        case _:
            assert_never(ownership)


def _released_trust(grant: TrustGrant, stack: RoleStack, role: Role) -> Iterator[Mismatch]:
    if stack.role.trust.ownership == "external":
        return
    if has_own_trust(role.trust_policy, grant):
        yield NotReleased(grant)


def _declared_trust(stack: RoleStack) -> Document:
    return trust_policy_keeping(stack.kept_trust) if stack.kept_trust else trust_policy()
