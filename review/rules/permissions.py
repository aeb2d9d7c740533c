"""Rules about permissions: what the role gains, what it loses, and how it could gain more."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from iam.documents.grants import SESSION_USER_POLICY
from iam.engine import sentences, wildcards
from iam.engine.difference import Change
from iam.engine.statement_sets import may_overlap
from iam.engine.statements import ANYTHING, Element, Policy, Statement, singles
from plans import datasets
from plans.roles import PolicyName, Role
from review.own import grants as own_grants
from review.rules import escalation
from review.rules.rule import EVERY_KIND, Hit, RoleRule, change_sentence, persists
from review.rules.subject import Subject, change_subject, narrowed, statement_subject, subject

ADMIN_SERVICES = (
    "account",
    "iam",
    "identitystore",
    "kms",
    "lakeformation",
    "organizations",
    "ram",
    "sso",
    "sso-directory",
)
"""Services whose permissions management controls the access of others."""

WRITES_CONTROL_ACCESS = ("account", "identitystore", "organizations")
"""Those of them of which every change does: of accounts, of users and groups, of an organization."""

MOST_WAYS = 4
"""Most kinds of existing roles that a reason lists; the rest are counted."""

MOST_CALLS = 2
"""Most ways to use a passed role that a reason lists; the rest are counted."""

MOST_LOSSES = 3
"""Most lost statements of a policy that a reason lists; the rest are counted."""


def _everything(role: Role) -> Iterator[Hit]:
    for change, statement in role.allowed:
        if escalation.is_everything(statement):
            found = statement_subject(statement, trust=False)
            yield Hit(role.source(change)[1], "every action on everything is allowed", found)


EVERYTHING_ALLOWED = RoleRule(
    id="everything-allowed",
    severity="critical",
    raised="a role gains every action on everything",
    remedy="allow only the actions that are needed, on the resources that need them",
    judge=_everything,
)


def _any_role(role: Role) -> Iterator[Hit]:
    for change, statement in _passing(role):
        if escalation.passes_any_role(statement) and not escalation.limits_service(statement.condition):
            where = ", ".join(sentences.resource_list(statement.resource))
            why = f"iam:PassRole on {where} can pass any role to any service"
            yield Hit(role.source(change)[1], why, _passing_subject(statement))


PASS_ANY_ROLE = RoleRule(
    id="pass-any-role",
    severity="high",
    raised="a role gains iam:PassRole on roles of any name, to any service",
    remedy="pass only the role's own ARN, and only to glue.amazonaws.com: `permissions: least-privilege`",
    judge=_any_role,
)


def _any_role_to_service(role: Role) -> Iterator[Hit]:
    for change, statement in _passing(role):
        if escalation.passes_any_role(statement) and escalation.limits_service(statement.condition):
            where = ", ".join(sentences.resource_list(statement.resource))
            services = sentences.when(statement.condition, role.permissions.spelling)
            why = f"iam:PassRole on {where} can pass any role when {services}"
            yield Hit(role.source(change)[1], why, _passing_subject(statement))


PASS_ANY_ROLE_TO_SERVICE = RoleRule(
    id="pass-any-role-to-service",
    severity="medium",
    raised="a role gains iam:PassRole on roles of any name, to named services",
    remedy="name the roles; the services run as any role that trusts them",
    judge=_any_role_to_service,
)


def _role_to_any_service(role: Role) -> Iterator[Hit]:
    for change, statement in _passing(role):
        if not escalation.passes_any_role(statement) and not escalation.limits_service(statement.condition):
            where = ", ".join(sentences.resource_list(statement.resource))
            yield Hit(role.source(change)[1], f"iam:PassRole on {where} to any service", _passing_subject(statement))


PASS_ROLE_TO_ANY_SERVICE = RoleRule(
    id="pass-role-to-any-service",
    severity="medium",
    raised="a role gains iam:PassRole on named roles without a condition on iam:PassedToService",
    remedy="add the condition iam:PassedToService, as `permissions: least-privilege` does",
    judge=_role_to_any_service,
)


def _passing(role: Role) -> Iterator[tuple[Change, Statement]]:
    for change, statement in role.allowed:
        wild = statement.action == ANYTHING and statement.resource == ANYTHING
        if not wild and escalation.matches(statement.action, escalation.PASS_ROLE):
            yield change, statement


def _passing_subject(statement: Statement) -> Subject:
    return statement_subject(narrowed(statement, actions=[escalation.PASS_ROLE]), trust=False)


def _escalation(role: Role) -> Iterator[Hit]:
    changes = [change for change in role.permissions.changes if change.broadens]
    before, after = role.permissions.before, role.permissions.after
    if not changes or any(map(escalation.allows_everything, after)):
        return
    yield from _passed_role(role, changes, before, after)
    yield from _existing_role(role, changes, (*before, *_of_the_recipe(role)), after)
    had = escalation.permission_calls(before)
    if calls := [call for call in escalation.permission_calls(after) if call not in had]:
        found = subject(part for call in calls for part in _call_subject(after, call))
        why = f"{', '.join(calls)} can grant the caller other permissions"
        yield Hit(
            _origin(role, changes, calls),
            why,
            found,
            "remove the calls, or name resources the caller gains nothing from",
        )


def _passed_role(
    role: Role, changes: Sequence[Change], before: tuple[Policy, ...], after: tuple[Policy, ...]
) -> Iterator[Hit]:
    had = set(escalation.passed_role_paths(before))
    gained: dict[str, list[str]] = {}
    for path in escalation.passed_role_paths(after):
        if path not in had:
            gained.setdefault(path.role, []).append(path.calls)
    for service, ways in gained.items():
        calls = [call for way in ways for call in way.split(" + ")]
        more = f", or in {len(ways) - MOST_CALLS} more ways," if len(ways) > MOST_CALLS + 1 else ""
        listed = ", or ".join(ways[:MOST_CALLS] if more else ways)
        why = f"iam:PassRole with {listed}{more} runs code as any role that trusts {service}"
        where = _origin(role, changes, [escalation.PASS_ROLE, *calls])
        found = _path_subject(after, service, tuple(ways))
        yield Hit(where, why, found, "remove the calls that complete the path, or name the roles of iam:PassRole")


def _existing_role(
    role: Role, changes: Sequence[Change], before: tuple[Policy, ...], after: tuple[Policy, ...]
) -> Iterator[Hit]:
    had = set(escalation.existing_role_paths(before))
    gained = [path for path in escalation.existing_role_paths(after) if path not in had]
    if not gained:
        return
    calls = [call for path in gained for call in path.calls.split(" + ")]
    ways: dict[str, list[str]] = {}
    for path in gained:
        ways.setdefault(path.role, []).append(path.calls)
    listed = [f"{', or '.join(each)} can act as {acts_as}" for acts_as, each in ways.items()]
    more = f"; and {len(listed) - MOST_WAYS} more" if len(listed) > MOST_WAYS else ""
    why = "; ".join(listed[:MOST_WAYS]) + more
    yield Hit(
        _origin(role, changes, calls),
        why,
        _existing_subject(after, tuple(gained)),
        "remove the calls, or name the resources whose roles the caller may act as",
    )


def _of_the_recipe(role: Role) -> list[Policy]:
    """Return the managed policy of the recipe, if the role holds it after the plan.

    What it opens by itself is AWS's decision and the reason for this project: glue:UpdateDevEndpoint on every
    development endpoint.
    """
    return [
        held.policy for name, held in role.after.managed.items() if held.policy and SESSION_USER_POLICY.is_arn(name)
    ]


def _origin(role: Role, changes: Sequence[Change], calls: Sequence[str]) -> str:
    """Return the address that gives the first of some calls that the plan adds."""
    for call in calls:
        for change in changes:
            if any(escalation.matches(statement.action, call.lower()) for statement in change.after):
                return role.source(change)[1]
    return role.source(changes[0])[1]


@lru_cache(maxsize=4_096)
def _path_subject(policies: tuple[Policy, ...], service: str, ways: tuple[str, ...]) -> Subject:
    """Return the paths, each with the roles that can be passed; roles with the same policies share the result.

    What the other calls are allowed on makes no difference: on anything, they run code as the passed role.
    """
    passed = list(_call_subject(policies, escalation.PASS_ROLE))
    return subject(f"{service} by {way}: {part}" for way in ways for part in passed)


@lru_cache(maxsize=4_096)
def _existing_subject(policies: tuple[Policy, ...], paths: tuple[escalation.Path, ...]) -> Subject:
    """Return the paths, each with the resources that its calls are allowed on."""
    return subject(
        f"{path.calls}: {part}"
        for path in paths
        for call in path.calls.split(" + ")
        for part in _call_subject(policies, call)
    )


@lru_cache(maxsize=16_384)
def _call_subject(policies: tuple[Policy, ...], call: str) -> tuple[str, ...]:
    """Return what a call is allowed on, and when."""
    return tuple(
        part
        for statement in escalation.allowing(policies, call)
        for part in statement_subject(narrowed(statement, actions=[call.lower()]), trust=False)
    )


PRIVILEGE_ESCALATION = RoleRule(
    id="privilege-escalation",
    severity="high",
    raised="the plan opens a known path from a role's permissions to more permissions than it is granted",
    remedy="the finding names what to limit: the roles of iam:PassRole, the resources of the calls, or the calls",
    judge=_escalation,
)


def _admin_wildcard(role: Role) -> Iterator[Hit]:
    yield from _wildcards(role, admin=True)


ADMIN_WILDCARD = RoleRule(
    id="admin-wildcard",
    severity="high",
    raised="a role gains, by a wildcard, permissions management in a service that controls the access of others",
    remedy="name the actions",
    judge=_admin_wildcard,
)


def _permissions_wildcard(role: Role) -> Iterator[Hit]:
    yield from _wildcards(role, admin=False)


PERMISSIONS_WILDCARD = RoleRule(
    id="permissions-wildcard",
    severity="low",
    raised="a role gains, by a wildcard and on every resource, a service's permissions management",
    remedy="name the actions, or the resources",
    judge=_permissions_wildcard,
)


def _wildcards(role: Role, *, admin: bool) -> Iterator[Hit]:
    for change, statement in role.allowed:
        everywhere = statement.resource == ANYTHING
        if statement.action.excluded:
            names = [service for service in ADMIN_SERVICES if not _excludes(statement, service)]
            if names and everywhere and admin:
                actions = ", ".join(sentences.action_list(statement.action, role.permissions.spelling))
                why = f"{actions} on everything includes {', '.join(names)}"
                yield Hit(role.source(change)[1], why, statement_subject(statement, trust=False))
        elif admin or everywhere:
            for pattern, included in _managing(statement.action, admin):
                written = role.permissions.spelling.get(pattern, pattern)
                found = statement_subject(narrowed(statement, actions=[pattern]), trust=False)
                yield Hit(role.source(change)[1], f"{written} includes {included}", found)


@lru_cache(maxsize=16_384)
def _managing(actions: Element, admin: bool) -> list[tuple[str, str]]:
    """Return the wildcards that include permissions management, each with the actions it includes.

    Some services have no action of that level, although all that they change is who has access: there, every action
    that changes something counts.
    """
    managing = []
    for pattern in actions.patterns:
        service, _, name = pattern.partition(":")
        if ("*" in name or "?" in name) and (service in ADMIN_SERVICES) == admin:
            levels = ("permissions", "write") if service in WRITES_CONTROL_ACCESS else ("permissions",)
            names = [action.name for action in datasets.actions(pattern) or () if action.level in levels]
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            if names:
                managing.append((pattern, ", ".join(names[:3]) + more))
    return managing


def _excludes(statement: Statement, service: str) -> bool:
    return any(wildcards.covers(pattern, f"{service}:*") for pattern in statement.action.patterns)


def _permissions_lost(role: Role) -> Iterator[Hit]:
    if not persists(role):
        return
    had = [statement for policy in role.permissions.before for statement in policy.effect("Allow")]
    released = own_grants.released(role)
    lost: dict[PolicyName, list[Change]] = {}
    for change in role.permissions.changes:
        denied = [*singles(change.after)] if change.effect == "Deny" else []
        takes_effect = not denied or any(may_overlap(one, other) for one in denied for other in had)
        if change.restricts and takes_effect and change not in released:
            lost.setdefault(role.source(change)[0], []).append(change)
    for policy, changes in lost.items():
        texts = [change_sentence(change, role.permissions, trust=False) for change in changes]
        more = f"; and {len(texts) - MOST_LOSSES} more of {policy}" if len(texts) > MOST_LOSSES else ""
        parts = subject(part for change in changes for part in change_subject(change, trust=False))
        yield Hit(role.address, "; ".join(texts[:MOST_LOSSES]) + more, parts)


PERMISSIONS_LOST = RoleRule(
    id="permissions-lost",
    severity="medium",
    raised="a role that stays loses a permission",
    remedy="make sure that nothing that runs as the role needs it",
    judge=_permissions_lost,
)


def _denial_lost(role: Role) -> Iterator[Hit]:
    if persists(role):
        released = own_grants.released(role)
        for difference, trust in ((role.trust, True), (role.permissions, False)):
            for change in difference.changes:
                if change.effect == "Deny" and change.broadens and change not in released:
                    sentence = change_sentence(change, difference, trust=trust)
                    yield Hit(role.address, sentence, change_subject(change, trust=trust))


DENIAL_LOST = RoleRule(
    id="denial-lost",
    severity="medium",
    raised="something that was denied, whatever other policies allow, no longer is",
    remedy="keep the Deny statement, or ask its owner to agree",
    judge=_denial_lost,
    kinds=EVERY_KIND,
)
