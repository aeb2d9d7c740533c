"""Statements and their changes in words, for people who review them."""

from collections.abc import Mapping

from iam import conditions
from iam.difference import Change, Difference
from iam.statements import ANYTHING, Element, Statement


def who(principal: Element) -> str:
    """Return the principals in words, as `glue.amazonaws.com, account 111122223333`."""
    names = ", ".join(_principal(pattern) for pattern in principal.patterns)
    return f"anyone but {names}" if principal.excluded else names


def _principal(pattern: str) -> str:
    if pattern == "*":
        return "anyone"
    name = pattern.partition(":")[2]
    return f"account {name}" if name.isdecimal() else name


def actions(element: Element, spelling: Mapping[str, str]) -> str:
    """Return the actions in words, spelled as the documents spell them."""
    names = ", ".join(spelling.get(pattern, pattern) for pattern in element.patterns)
    if element.excluded:
        return f"every action but {names}"
    return "every action" if element == ANYTHING else names


def resources(element: Element) -> str:
    """Return the resources in words."""
    names = ", ".join(element.patterns)
    return f"everything but {names}" if element.excluded else names


def when(condition: conditions.Condition, spelling: Mapping[str, str]) -> str:
    """Return the condition in words, "" for none."""
    return conditions.words(condition, spelling)


def statement(of: Statement, spelling: Mapping[str, str], *, trust: bool) -> str:
    """Return a statement of a trust policy or of a permissions policy as a sentence."""
    doing = actions(of.action, spelling)
    if trust:
        said = f"{who(of.principal)} {'may' if of.effect == 'Allow' else 'is denied'} {doing}"
    else:
        said = f"{'' if of.effect == 'Allow' else 'denies '}{doing} on {resources(of.resource)}"
    condition = when(of.condition, spelling)
    return f"{said} when {condition}" if condition else said


def change(of: Change, spelling: Mapping[str, str], *, trust: bool) -> str:
    """Return a change as a line that begins with what kind it is."""
    sides = [
        "; ".join(statement(row, spelling, trust=trust) for row in rows) for rows in (of.before, of.after) if rows
    ]
    doubt = "" if of.decided else " (undecided: the meanings may be the same)"
    return f"{of.kind}: {' → '.join(sides)}{doubt}"


def lines(of: Difference, *, trust: bool) -> list[str]:
    """Return a line for each change."""
    return [change(each, of.spelling, trust=trust) for each in of.changes]
