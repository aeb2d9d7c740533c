"""Mismatches between a role in AWS and its configuration; pure, on documents."""

from collections.abc import Iterator

from configuration import Role as RoleSettings
from configuration import RoleStack
from iam.documents import trust
from iam.documents.recipe import (
    GLUE_STATEMENT_SID,
    INLINE_POLICY_NAME,
    MANAGED_POLICY_NAME,
    trust_policy,
    trust_policy_keeping,
)
from iam.engine import sentences
from iam.engine.decision import Verdict
from iam.engine.difference import difference
from iam.engine.statements import Policy, permissions_policy
from iam.engine.statements import trust_policy as trust_of
from iam.policy_document import Document
from iam.readiness import grants
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
    if stack.role.released:
        yield from _remaining_grants(stack.role, role)
        return
    held = grants.grants(role)
    if held.managed_policy is False:
        yield f"the managed policy {MANAGED_POLICY_NAME} is not attached"
    if held.inline_policy == "absent":
        yield f"the inline policy {INLINE_POLICY_NAME} is missing"
    elif current := (role.inline_policies or {}).get(INLINE_POLICY_NAME):
        declared = grants.declared_inline_policy(role, stack.role.permissions)
        if changes := _changes(permissions_policy(declared), permissions_policy(current), of_trust=False):
            declared_as = f"permissions: {stack.role.permissions}"
            yield f"the inline policy {INLINE_POLICY_NAME} does not match {declared_as}: {changes}"
    if stack.role.trust.ownership == "authoritative":
        if changes := _changes(trust_of(_declared_trust(stack)), trust_of(role.trust_policy), of_trust=True):
            yield f"the trust policy does not match the configuration: {changes}"
    elif held.glue_trust.verdict is Verdict.DENIED:
        yield held.glue_trust.reason


def _declared_trust(stack: RoleStack) -> Document:
    return trust_policy_keeping(stack.kept_trust) if stack.kept_trust else trust_policy()


def _changes(declared: Policy, current: Policy, *, of_trust: bool) -> str:
    return "; ".join(sentences.lines(difference([declared], [current]), trust=of_trust))


def _remaining_grants(settings: RoleSettings, role: Role) -> Iterator[str]:
    held = grants.grants(role)
    if held.managed_policy:
        yield f"it is released, but the managed policy {MANAGED_POLICY_NAME} is still attached"
    if held.inline_policy not in ("absent", "unknown"):
        yield f"it is released, but the inline policy {INLINE_POLICY_NAME} still exists"
    if settings.trust.ownership == "external":
        return
    ours = any(each.get("Sid") == GLUE_STATEMENT_SID for each in trust.statements(role.trust_policy))
    if ours or not difference([trust_of(trust_policy())], [trust_of(role.trust_policy)]).changes:
        yield "it is released, but its trust policy still has Glue's statement"
