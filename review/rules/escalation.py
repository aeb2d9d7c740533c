"""Known paths from a role's permissions to more permissions than it is granted.

The paths come from a catalog with a date and its sources: `review/data/escalation-paths.toml`.
"""

import tomllib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path as File
from typing import Any, NamedTuple

from iam.engine import wildcards
from iam.engine.conditions import Condition
from iam.engine.statements import ANYTHING, Effect, Element, Policy, Statement
from plans import datasets

PASS_ROLE = "iam:passrole"
_PASSED_TO = "iam:passedtoservice"

CATALOG = File(__file__).parent.parent / "data" / "escalation-paths.toml"
_PATHS: dict[str, Any] = tomllib.loads(CATALOG.read_text(encoding="utf-8"))


class Path(NamedTuple):
    """A path to running code as another role."""

    role: str
    """The service that runs code as any role that trusts it; or, of an existing role, which one that is."""
    calls: str
    """Joined by " + "; without iam:PassRole."""


PASSED_ROLE = tuple(Path(each["service"], " + ".join(each["calls"])) for each in _PATHS["passed_role"])
"""Paths that run code as a role passed to a service."""

EXISTING_ROLE = {Path(each["acts_as"], " + ".join(each["calls"])): each["on"] for each in _PATHS["existing_role"]}
"""Paths that act as the role of an existing resource, with the ARN of those resources."""

PERMISSIONS = tuple(call for each in _PATHS["permissions"] for call in each["calls"])
"""Calls that by themselves grant their caller other permissions, or those of another principal."""

_CALLS = {PASS_ROLE} | {
    call.lower()
    for way in (*(path.calls for path in (*PASSED_ROLE, *EXISTING_ROLE)), *PERMISSIONS)
    for call in way.split(" + ")
}
_CALLS_OF = {
    service: [call for call in sorted(_CALLS) if call.startswith(f"{service}:")]
    for service in {call.partition(":")[0] for call in _CALLS}
}


@lru_cache(maxsize=65_536)
def matches(element: Element, name: str) -> bool:
    """Return whether an element matches the action or resource `name`."""
    return any(wildcards.covers(pattern, name) for pattern in element.patterns) != element.excluded


def _is_open(service: str) -> bool:
    return "*" in service or "?" in service


@lru_cache(maxsize=16_384)
def _about(policy: Policy, effect: Effect) -> dict[str, list[Statement]]:
    """Return the statements of one effect, by the call of a path that they match."""
    by_call: dict[str, list[Statement]] = {}
    for statement in policy.effect(effect):
        service = statement.action.patterns[0].partition(":")[0]
        for call in (
            _CALLS if statement.action.excluded else _CALLS_OF.get(service, _CALLS if _is_open(service) else ())
        ):
            if matches(statement.action, call) and _is_usable(call, statement.resource):
                by_call.setdefault(call, []).append(statement)
    return by_call


@lru_cache(maxsize=4_096)
def _is_usable(call: str, resource: Element) -> bool:
    """Return whether a call supports a resource that an element matches; a call that the data set lacks does."""
    action = (datasets.service(call.partition(":")[0]) or {}).get(call)
    return action is None or resource.excluded or any(map(action.supports, resource.patterns))


def allowing(policies: Sequence[Policy], call: str) -> list[Statement]:
    """Return the statements that allow a call on something, unless it is denied outright."""
    call = call.lower()
    denied = [
        statement.resource
        for policy in policies
        for statement in _about(policy, "Deny").get(call, ())
        if not statement.condition
    ]
    return [
        statement
        for policy in policies
        for statement in _about(policy, "Allow").get(call, ())
        if statement.resource not in denied and ANYTHING not in denied
    ]


def passes_any_role(statement: Statement) -> bool:
    """Return whether a statement that allows iam:PassRole does so for roles of any name."""
    return _covers_any(statement.resource, "arn:*:iam::*:role/*")


@lru_cache(maxsize=16_384)
def _covers_any(resource: Element, template: str) -> bool:
    """Return whether an element covers, of some account and region, the resources of any name.

    Args:
        resource: the resources of a statement.
        template: the ARN of a type of resource, with `*` for each variable part.
    """
    if resource.excluded:
        return True
    *scope, name = template.split(":", 5)
    for pattern in resource.patterns:
        own = pattern.split(":", 5)
        literal = [part if "*" not in part and "?" not in part else "" for part in own[:5]] if len(own) == 6 else []
        fixed = [*literal, *[""] * 5]
        placed = [fixed[at] or _SOME[at] if part == "*" else part for at, part in enumerate(scope)]
        if wildcards.covers(pattern, ":".join([*placed, name.replace("*", "\uffff")])):
            return True
    return False


_SOME = ("arn", "aws", "service", "region", "000000000000")
"""What stands for the fields of an ARN that a pattern leaves open."""


def limits_service(condition: Condition) -> bool:
    """Return whether a condition names the services a role may be passed to."""
    return any(test.key == _PASSED_TO and test.positive and "*" not in test.values for test in condition)


@lru_cache(maxsize=4_096)
def passed_role_paths(policies: tuple[Policy, ...]) -> tuple[Path, ...]:
    """Return the paths to running code as any role that trusts some service."""
    passing = [statement for statement in allowing(policies, PASS_ROLE) if passes_any_role(statement)]
    return tuple(
        path
        for path in PASSED_ROLE
        if any(_passable(statement.condition, path.role) for statement in passing)
        and all(allowing(policies, call) for call in path.calls.split(" + "))
    )


@lru_cache(maxsize=4_096)
def existing_role_paths(policies: tuple[Policy, ...]) -> tuple[Path, ...]:
    """Return the paths to acting as the role of an existing resource, of whichever resource of a type."""
    return tuple(
        path
        for path, arn in EXISTING_ROLE.items()
        if all(
            any(_is_for_any(call.lower(), arn, statement) for statement in allowing(policies, call))
            for call in path.calls.split(" + ")
        )
    )


def _is_for_any(call: str, arn: str, statement: Statement) -> bool:
    """Return whether a statement allows a call on resources of any name, and does not select them by their tags.

    A call on resources of other types only, such as a lifecycle configuration, is on any that the path needs.
    """
    action = (datasets.service(call.partition(":")[0]) or {}).get(call)
    if action and arn not in action.resources:
        return True
    by_tag = any(test.positive and "resourcetag/" in test.key for test in statement.condition)
    return not by_tag and _covers_any(statement.resource, arn)


def _passable(condition: Condition, service: str) -> bool:
    wanted = [test for test in condition if test.key == _PASSED_TO and test.positive]
    return all(any(wildcards.covers(value, service) for value in test.values) for test in wanted)


@lru_cache(maxsize=16_384)
def allows_everything(policy: Policy) -> bool:
    """Return whether a policy allows every action on everything."""
    return any(map(is_everything, policy.effect("Allow")))


def is_everything(statement: Statement) -> bool:
    """Return whether a statement is about every action on everything, whatever the request."""
    return statement.action == ANYTHING == statement.resource and not statement.condition


@lru_cache(maxsize=4_096)
def permission_calls(policies: tuple[Policy, ...]) -> tuple[str, ...]:
    """Return the allowed calls that change permissions by themselves."""
    return tuple(call for call in PERMISSIONS if allowing(policies, call))
