"""What changed since the last apply, without what that apply itself granted or took away.

A role's own attributes list all its policies as they were when the role was written: before the grants, or before they
were deleted. The plan after an apply therefore contains its grants and deletions as a change outside of Terraform.
What the last apply left of the grants is in the state of their own resources.
"""

from plans.assembly import drifted
from plans.plan import Plan, ResourceChange
from plans.roles import Role
from review.own import grants as own_grants


def changed_since(plan: Plan) -> list[Role]:
    """Return what changed outside of Terraform, from the state to AWS.

    Roles, users, groups, managed policies and resource policies; also those of which only grants of this project are
    read back, as roles without a change of their policies.
    """
    found = drifted(plan)
    for role in found:
        _forget_listed_grants(role)
    return found


def _forget_listed_grants(role: Role) -> None:
    """Remove the grants that only the role's own attributes list from what was last applied."""
    own = own_grants.adopted(role)
    for name, held in list(role.before.policies()):
        if own and held.address == own.address and own_grants.is_grant(name):
            del role.before.of_kind(name.kind)[name.name]


_LISTS = frozenset({"inline_policy", "managed_policy_arns"})


def only_reads_back(plan: Plan) -> bool:
    """Return whether nothing changed outside of Terraform but which of its grants the role's own attributes list."""
    if not all(_differing(change) <= _LISTS and change.actions == ("update",) for change in plan.drift):
        return False
    return all(
        own_grants.adopted(role) is not None
        and dict(role.before.policies()).keys() == dict(role.after.policies()).keys()
        and not role.permissions.changes
        for role in changed_since(plan)
    )


def changed_back(plan: Plan) -> frozenset[str]:
    """Return the addresses of what the plan changes in attributes that changed outside of Terraform."""
    happened = {change.address: _differing(change) for change in plan.drift}
    return frozenset(
        change.address for change in plan.changes if _differing(change) & happened.get(change.address, frozenset())
    )


def _differing(change: ResourceChange) -> frozenset[str]:
    before, after = change.values["before"], change.values["after"]
    return frozenset(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
