"""Rules about statements that do not do what they say, in the documents that the plan writes."""

from collections.abc import Iterator

from iam.engine import wildcards
from iam.engine.statements import ANYTHING, Statement
from plans import datasets
from plans.roles import Held, Role
from review.rules.rule import EVERY_KIND, Hit, RoleRule
from review.rules.subject import subject, token


def _written(role: Role) -> Iterator[tuple[Held, Statement, dict[str, str]]]:
    """Yield the statements of the documents this plan writes, each of one action and one resource."""
    known = {name: held.policy for name, held in role.before.policies()}
    for name, held in role.after.policies():
        if held.policy and held.length and known.get(name) is not held.policy:
            for statement in held.policy.statements:
                yield held, statement, held.policy.spelling


def _trusted(role: Role) -> Iterator[tuple[Held, Statement, dict[str, str]]]:
    """Yield the statements of the trust policy or resource policy that this plan writes."""
    held = role.after.trust
    if held.policy and held.length and role.before.trust.policy is not held.policy:
        for statement in held.policy.statements:
            yield held, statement, held.policy.spelling


def _unknown_action(role: Role) -> Iterator[Hit]:
    unknown: dict[tuple[str, str], str] = {}
    for held, statement, spelling in (*_trusted(role), *_written(role)):
        for pattern in statement.action.patterns:
            if datasets.actions(pattern) == ():
                unknown.setdefault((held.address, spelling.get(pattern, pattern)), pattern)
    for (address, name), pattern in unknown.items():
        yield Hit(address, f"{name} is not an AWS action, as of {datasets.actions_date()}", (token(pattern),))


UNKNOWN_ACTION = RoleRule(
    id="unknown-action",
    severity="medium",
    raised="a policy names an action that AWS does not have",
    remedy="correct the spelling; if AWS has added the action since, refresh the data set of actions",
    judge=_unknown_action,
    kinds=EVERY_KIND,
)


def _unknown_service(role: Role) -> Iterator[Hit]:
    unknown: dict[tuple[str, str], None] = {}
    for held, statement, _ in _trusted(role):
        for principal in statement.principal.patterns:
            kind, _, name = principal.partition(":")
            if kind == "Service" and name != "*" and not datasets.is_service_principal(name):
                unknown.setdefault((held.address, name))
    for address, name in unknown:
        why = f"{name} is not a known service principal, as of {datasets.service_principals_date()}"
        yield Hit(address, why, (token(name),))


UNKNOWN_SERVICE = RoleRule(
    id="unknown-service",
    severity="low",
    raised="a trust policy or a resource policy names a service principal that the data set does not know",
    remedy="correct the spelling; AWS rejects a name that no service has",
    judge=_unknown_service,
    kinds=EVERY_KIND,
)


def _resource_never_matches(role: Role) -> Iterator[Hit]:
    misses: dict[tuple[str, str], list[str]] = {}
    for held, statement, spelling in _written(role):
        if statement.action.excluded or statement.resource.excluded or statement.resource == ANYTHING:
            continue
        resource, name = statement.resource.patterns[0], statement.action.patterns[0]
        actions = datasets.actions(name)
        if actions and not any(action.supports(resource) for action in actions):
            misses.setdefault((held.address, resource), []).append(spelling.get(name, name))
    for (address, resource), names in misses.items():
        found = subject(f"{token(name.lower())} on {token(resource)}" for name in names)
        yield Hit(address, f"{', '.join(sorted(names))} cannot be used on {resource}", found)


RESOURCE_NEVER_MATCHES = RoleRule(
    id="resource-never-matches",
    severity="medium",
    raised="a statement names a resource that none of its actions can be used on, so it has no effect",
    remedy="name a resource that the action supports; many list and read actions support only `*`",
    judge=_resource_never_matches,
)


def _condition_never_matches(role: Role) -> Iterator[Hit]:
    misses: dict[tuple[str, str], list[str]] = {}
    for held, statement, spelling in _written(role):
        actions = () if statement.action.excluded else datasets.actions(statement.action.patterns[0]) or ()
        for test in statement.condition:
            service = test.key.partition(":")[0]
            required = test.positive and not test.if_exists and test.each != "forallvalues"
            own = [action for action in actions if action.name.startswith(f"{service}:")]
            if required and own and not any(_has_key(action, test.key) for action in own):
                name = spelling.get(statement.action.patterns[0], statement.action.patterns[0])
                names = misses.setdefault((held.address, spelling[test.key]), [])
                if name not in names:
                    names.append(name)
    for (address, key), names in misses.items():
        found = subject(f"{token(name.lower())} when {token(key.lower())}" for name in names)
        yield Hit(address, f"{', '.join(sorted(names))} has no condition key {key}", found)


def _has_key(action: datasets.Action, key: str) -> bool:
    return any(wildcards.covers(pattern, key) for pattern in action.keys)


CONDITION_NEVER_MATCHES = RoleRule(
    id="condition-never-matches",
    severity="medium",
    raised="a statement requires a condition key that its actions do not have, so it has no effect",
    remedy="put the actions that have the key into a separate statement",
    judge=_condition_never_matches,
)
