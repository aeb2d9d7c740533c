"""Rules about the role itself: deleted, replaced, forgotten, adopted, bounded."""

from collections.abc import Iterator

from plans.roles import Role, boundary_text
from review.rules.rule import EVERY_KIND, Hit, RoleRule, persists
from review.rules.subject import Subject, place_only, subject, token, value_text


def _identity(role: Role) -> Subject:
    """Return the role with its account, so that a renamed address is the same finding."""
    return (token("/".join(filter(None, [role.account, role.name]))),)


def _destroyed(role: Role) -> Iterator[Hit]:
    if role.change and "delete" in role.change.actions and "create" not in role.change.actions:
        yield Hit(role.address, f"{role.name} is deleted together with all its policies", _identity(role))


DESTROYED = RoleRule(
    id="role-destroyed",
    severity="critical",
    raised="a role is deleted; all its policies are deleted with it, including those Terraform never managed",
    remedy="keep the resource, rename it with a `moved` block, or forget it with `removed` (`destroy = false`)",
    judge=_destroyed,
)


def _replaced(role: Role) -> Iterator[Hit]:
    if role.change and set(role.change.actions) >= {"create", "delete"}:
        forced = f", forced by {', '.join(role.change.replace_paths)}" if role.change.replace_paths else ""
        imported = ", although it is imported" if role.change.importing else ""
        yield Hit(role.address, f"{role.name} is deleted and created again{forced}{imported}", _identity(role))


REPLACED = RoleRule(
    id="role-replaced",
    severity="critical",
    raised="a role is deleted and created again: it gets a new id, and policies outside of Terraform are gone",
    remedy="ignore the attributes that force the replacement, or set them to the role's current values",
    judge=_replaced,
)


def _forgotten(role: Role) -> Iterator[Hit]:
    if role.change and "forget" in role.change.actions:
        stays = f"{role.name} stays in AWS with all its policies and is removed from the state"
        yield Hit(role.address, stays, _identity(role))
    for address, change in role.declared.items():
        if "forget" in change.actions:
            stays = f"{change.type} stays in AWS and is removed from the state"
            yield Hit(address, stays, place_only(address, *_identity(role)))


FORGOTTEN = RoleRule(
    id="role-forgotten",
    severity="low",
    raised="Terraform stops managing a role or a policy, which stays in AWS as it is",
    remedy="make sure that another owner manages it from then on, or delete it by hand",
    judge=_forgotten,
    kinds=EVERY_KIND,
)


def _adoption_changes_more(role: Role) -> Iterator[Hit]:
    if role.change and role.change.importing and role.change.actions == ("update",):
        before, after = role.change.values["before"], role.change.values["after"]
        changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        if more := sorted(changed - {"assume_role_policy"}):
            parts = (f"{name} {value_text(before.get(name))} → {value_text(after.get(name))}" for name in more)
            yield Hit(role.address, f"the import also changes {', '.join(more)}", subject(parts))


ADOPTION_CHANGES_MORE = RoleRule(
    id="adoption-changes-more",
    severity="medium",
    raised="the import of a role changes attributes other than its trust policy",
    remedy="add the attributes to `ignore_changes`, or set them to the role's current values",
    judge=_adoption_changes_more,
)


def _boundary_changed(role: Role) -> Iterator[Hit]:
    before, after = role.before.boundary, role.after.boundary
    if before != "" and before != after and persists(role):
        becomes = "removed" if after == "" else f"replaced by {boundary_text(after)}"
        found = f"{value_text(before)} → {value_text(after)}"
        yield Hit(role.address, f"the boundary {boundary_text(before)} is {becomes}", (found,))


BOUNDARY_CHANGED = RoleRule(
    id="boundary-changed",
    severity="high",
    raised="a role's permissions boundary is removed or replaced",
    remedy="keep the boundary, or ask its owner to agree: it limits what all of the role's policies can grant",
    judge=_boundary_changed,
)
