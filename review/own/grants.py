"""What a plan does at this project's own addresses, and which losses are exactly what this project granted."""

import json
from collections.abc import Iterator

from iam.arn import RoleArn
from iam.documents.access import granted_part
from iam.documents.grants import (
    ACCESS_POLICY,
    GLUE_TRUST,
    GRANTS,
    SESSION_USER_POLICY,
    SETUP_POLICY,
    Grantee,
    GrantSettings,
    InlinePolicyGrant,
    ManagedPolicyGrant,
    inline_policies,
    managed_policies,
    policy_grants,
)
from iam.documents.recipe import PERMISSION_LEVELS, Permissions, glue_statement
from iam.engine.difference import Change, Kind, difference
from iam.engine.statements import Policy, permissions_policy, trust_policy
from iam.policy_document import Document
from plans.plan import ResourceChange, Snapshot
from plans.roles import Held, PolicyName, Role

ADDRESSES = frozenset(grant.address for grant in GRANTS)
"""The addresses of this project's resources in the stack of a role."""

RECIPE_ADDRESSES = (SETUP_POLICY.address, SESSION_USER_POLICY.address)
OF_THE_RECIPE = ("pass-any-role", "privilege-escalation")
"""The rules that the recipe raises at its addresses: `iam:PassRole` on every role, to every service.

Of a path by calls of both its policies, at the one that a plan gives again.
"""

_REMOVED = (Kind.LOST, Kind.NARROWED)


def adopted(role: Role) -> ResourceChange | None:
    """Return the change of the role itself, if it is at this project's address."""
    return role.change if role.change and role.change.address == GLUE_TRUST.address else None


def grants(role: Role) -> list[ResourceChange]:
    """Return the changes of a role's grants at this project's addresses, also those that change nothing."""
    return [role.declared[grant.address] for grant in policy_grants() if grant.address in role.declared]


def is_grant(policy: PolicyName) -> bool:
    """Return whether a policy has the name of one that this project grants."""
    return any(
        grant.is_arn(policy.name)
        if isinstance(grant, ManagedPolicyGrant)
        else policy == PolicyName("inline", grant.policy_name)
        for grant in policy_grants()
    )


def is_of_the_recipe(rule: str, address: str, role: Role | None) -> bool:
    """Return whether a finding on a role is what `permissions: recipe` means, and nothing else.

    Args:
        rule: the rule that raised it.
        address: where it was raised.
        role: the role; None for a finding about the plan.
    """
    return (
        rule in OF_THE_RECIPE
        and address in RECIPE_ADDRESSES
        and role is not None
        and level(role) == "recipe"
        and _gets_only_grants(role)
    )


def _gets_only_grants(role: Role) -> bool:
    """Return whether each policy that the plan gives to a role, or changes, is what this project grants there.

    The engine reports what two policies allow at one of them, and a path by calls of several at one of them, too.
    """
    before = dict(role.before.policies())
    return all(
        (held.policy is not None and name in before and before[name].says_the_same(held))
        or _is_granted(name, held, role)
        for name, held in role.after.policies()
    )


def _is_granted(name: PolicyName, held: Held, role: Role) -> bool:
    """Return whether a policy is at the address of a grant, with what this project grants there."""
    if name.kind == "managed":
        return any(held.address == each.address and each.is_arn(name.name) for each in managed_policies())
    grant = next((each for each in inline_policies() if each.address == held.address), None)
    document = _document(role, grant, "after") if grant else None
    if grant is None or document is None or name != PolicyName("inline", grant.policy_name):
        return False
    return grant != ACCESS_POLICY or document == _granted_access(document, role)


def is_own(role: Role) -> bool:
    """Return whether this project manages the role or its grants."""
    return role.kind == "role" and bool(adopted(role) or grants(role))


def is_release(role: Role) -> bool:
    """Return whether the plan takes all grants from a role that stays, or is the first of the two that do.

    Grants that the state does not have are imported as they are by a plan that takes back Glue's trust; the next one
    deletes them.
    """
    own = grants(role)
    if not is_own(role) or not (role.before.exists and role.after.exists):
        return False
    if role.change and "delete" in role.change.actions:
        return False
    left = [change for change in own if "after" in change.snapshots]
    if any(not change.importing or change.actions != ("no-op",) for change in left):
        return False
    if own and not left:
        return True
    # without grants, as after a release that stopped halfway: this project's stacks also read the role that they adopt
    return adopted(role) is not None and bool(role.read_arn) and any(_trust_losses(role))


def released(role: Role) -> frozenset[Change]:
    """Return the losses of a released role that are no more than what this project granted.

    A statement that this project never granted is not among them, even if it stood in a policy of this project: others
    may have written it there.
    """
    if not is_release(role):
        return frozenset()
    return frozenset([*_trust_losses(role), *_permission_losses(role)])


def own_deletions(role: Role) -> frozenset[str]:
    """Return the addresses of inline policies that the plan deletes, and that say no more than this project grants.

    Others may have written one of its name, or statements into it.
    """
    return frozenset(
        grant.address
        for grant in inline_policies()
        if _is_deleted(role, grant)
        and any(_contains(granted, _before(role, grant)) for granted in _granted_as(role, grant))
    )


def _is_deleted(role: Role, grant: InlinePolicyGrant) -> bool:
    change = role.declared.get(grant.address)
    return change is not None and "delete" in change.actions


def _before(role: Role, grant: InlinePolicyGrant) -> Policy | None:
    document = _document(role, grant, "before")
    try:
        return permissions_policy(document) if document else None
    except ValueError:
        return None


def _granted_as(role: Role, grant: InlinePolicyGrant) -> Iterator[Policy]:
    """Yield the policies that this project writes for a grant, at any level or for what `access` may be."""
    if grant == ACCESS_POLICY:
        written = _document(role, grant, "before")
        found = [_granted_access(written, role)] if written else []
    else:
        grantee = _grantee(role)
        found = [grant.document(GrantSettings(each), grantee) for each in PERMISSION_LEVELS] if grantee else []
    yield from (permissions_policy(each) for each in found if each)


def _contains(granted: Policy, policy: Policy | None) -> bool:
    """Return whether a policy is another without some of it, or the same."""
    changes = difference([granted], [policy]).changes if policy else None
    return changes is not None and all(each.kind in _REMOVED and each.decided for each in changes)


def level(role: Role) -> Permissions | None:
    """Return the permission level of a role after the plan; None if its inline policy is not that of a level."""
    grantee = _grantee(role)
    if grantee is None:
        return None
    found = _document(role, SETUP_POLICY, "after")
    levels = (each for each in PERMISSION_LEVELS if found == SETUP_POLICY.document(GrantSettings(each), grantee))
    return next(levels, None)


def sets_level(role: Role) -> bool:
    """Return whether the plan changes the inline policy that depends on the permission level."""
    change = role.declared.get(SETUP_POLICY.address)
    return change is not None and change.changes


def grants_access(role: Role) -> bool:
    """Return whether the plan changes what the setting `access` grants."""
    change = role.declared.get(ACCESS_POLICY.address)
    return change is not None and change.changes


def _document(role: Role, grant: InlinePolicyGrant, snapshot: Snapshot) -> Document | None:
    """Return the inline policy at the address of a grant, None for another one than this project's."""
    change = role.declared.get(grant.address)
    if change is None or change.text(snapshot, "name") != grant.policy_name:
        return None
    try:
        document: Document = json.loads(change.text(snapshot, "policy"))
    except (ValueError, RecursionError):
        return None
    return document


def _trust_losses(role: Role) -> Iterator[Change]:
    granted = (trust_policy({"Version": "2012-10-17", "Statement": [glue_statement()]}),)
    return (change for change in role.trust.changes if _is_within(change, granted, role))


def _permission_losses(role: Role) -> Iterator[Change]:
    addresses = {grant.address for grant in policy_grants()}
    granted = tuple(_granted(role))
    for change in role.permissions.changes:
        if change.kind in _REMOVED and role.source(change)[1] in addresses and _is_within(change, granted, role):
            yield change


def _granted(role: Role) -> Iterator[Policy]:
    """Yield the policies that this project grants to a role, of every permission level."""
    for name, held in role.before.managed.items():
        if held.policy and any(each.is_arn(name) for each in managed_policies()):
            yield held.policy
    grantee = _grantee(role)
    if grantee is None:
        return
    for level in PERMISSION_LEVELS:
        for grant in inline_policies():
            if document := grant.document(GrantSettings(permissions=level), grantee):
                yield permissions_policy(document)
    # of which the plan does not say what was configured
    access = _document(role, ACCESS_POLICY, "before")
    if access and (ours := _granted_access(access, role)):
        yield permissions_policy(ours)


def _granted_access(document: Document, role: Role) -> Document | None:
    """Return the part of a policy that the setting `access` grants to a role, None for none."""
    grantee = _grantee(role)
    return granted_part(document, partition=grantee.partition, account_id=grantee.account_id) if grantee else None


def _grantee(role: Role) -> Grantee | None:
    """Return the role as a document names it, None if the plan does not contain its ARN."""
    try:
        return Grantee.of(RoleArn.parse(role.arn))
    except ValueError:
        return None


def _is_within(change: Change, granted: tuple[Policy, ...], role: Role) -> bool:
    """Return whether a change removes nothing but what some policies say, with certainty."""
    if change.kind not in _REMOVED or not change.decided:
        return False
    beyond = difference(granted, [Policy(change.before)], budget=role.budget.share()).changes
    return all(each.kind in _REMOVED for each in beyond)
