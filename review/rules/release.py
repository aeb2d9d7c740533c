"""The rule about a release: the loss of exactly what this project granted."""

from collections.abc import Iterator

from plans.roles import Role
from review.own import grants as own_grants
from review.rules.rule import Hit, RoleRule
from review.rules.subject import change_subject, subject


def _released(role: Role) -> Iterator[Hit]:
    own = own_grants.released(role)
    trust = [change for change in role.trust.changes if change in own]
    permissions = [change for change in role.permissions.changes if change in own]
    policies = dict.fromkeys(str(role.source(change)[0]) for change in permissions)
    lost = [*policies, *["Glue's trust"] * bool(trust)]
    if lost:
        parts = [part for change in trust for part in change_subject(change, trust=True)]
        parts += [part for change in permissions for part in change_subject(change, trust=False)]
        yield Hit(role.address, f"takes back what this project granted: {', '.join(lost)}", subject(parts))


RELEASED = RoleRule(
    id="grants-released",
    severity="low",
    raised="a role is released: it loses what this project granted; any other loss is another finding",
    remedy="make sure that nobody runs Glue sessions with the role any more",
    judge=_released,
    kinds=("role",),
)
