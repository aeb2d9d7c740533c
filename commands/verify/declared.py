"""Whether a live role has what its configuration declares; pure, on documents."""

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


def departures(stack: RoleStack, role: Role) -> Iterator[str]:
    """Yield, a line each, where a role is not as its stack would have it.

    Args:
        stack: what is declared.
        role: the role as it is. What of it could not be read departs from nothing.
    """
    arn = stack.role.arn
    if arn and arn != role.arn:
        yield f"the configuration names {arn}, and the role of that name is {role.arn}"
    if stack.role.released:
        yield from _left_over(stack.role, role)
        return
    found = grants.grants(role)
    if found.managed_policy is False:
        yield f"the managed policy {MANAGED_POLICY_NAME} is not attached"
    if found.inline_policy == "absent":
        yield f"the inline policy {INLINE_POLICY_NAME} is missing"
    elif live := (role.inline_policies or {}).get(INLINE_POLICY_NAME):
        declared = grants.declared_inline_policy(role, stack.role.permissions)
        if changes := _changes(permissions_policy(declared), permissions_policy(live), of_trust=False):
            declared_as = f"permissions: {stack.role.permissions}"
            yield f"the inline policy {INLINE_POLICY_NAME} departs from {declared_as}: {changes}"
    if stack.role.trust.ownership == "authoritative":
        if changes := _changes(trust_of(_declared_trust(stack)), trust_of(role.trust_policy), of_trust=True):
            yield f"the trust policy departs from the declared one: {changes}"
    elif found.glue_trust.verdict is Verdict.DENIED:
        yield found.glue_trust.reason


def _declared_trust(stack: RoleStack) -> Document:
    return trust_policy_keeping(stack.kept_trust) if stack.kept_trust else trust_policy()


def _changes(declared: Policy, live: Policy, *, of_trust: bool) -> str:
    return "; ".join(sentences.lines(difference([declared], [live]), trust=of_trust))


def _left_over(settings: RoleSettings, role: Role) -> Iterator[str]:
    found = grants.grants(role)
    if found.managed_policy:
        yield f"it is released, and the managed policy {MANAGED_POLICY_NAME} is still attached"
    if found.inline_policy not in ("absent", "unknown"):
        yield f"it is released, and the inline policy {INLINE_POLICY_NAME} is still there"
    if settings.trust.ownership == "external":
        return
    ours = any(each.get("Sid") == GLUE_STATEMENT_SID for each in trust.statements(role.trust_policy))
    if ours or not difference([trust_of(trust_policy())], [trust_of(role.trust_policy)]).changes:
        yield "it is released, and its trust policy still has Glue's own statement"
