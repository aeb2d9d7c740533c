"""Statements and their changes in words, for people who review them."""

from collections.abc import Mapping

from iam.engine import conditions
from iam.engine.difference import Change, Difference
from iam.engine.statements import ANYTHING, Element, Statement


def who_list(principal: Element) -> list[str]:
    """Return the principals in words, as `glue.amazonaws.com`, `account 111122223333`, `anyone`."""
    return _listed(principal, "anyone", [_principal(pattern) for pattern in principal.patterns])


def _principal(pattern: str) -> str:
    name = pattern.partition(":")[2]
    return f"account {name}" if name.isdecimal() else name or "anyone"


def action_list(action: Element, spelling: Mapping[str, str]) -> list[str]:
    """Return the actions in words, spelled as the documents spell them."""
    names = [spelling.get(pattern, pattern) for pattern in action.patterns]
    return _listed(action, "every action", ["every action" if name == "*" else name for name in names])


def resource_list(resource: Element) -> list[str]:
    """Return the resources in words."""
    return _listed(resource, "everything", list(resource.patterns))


def _listed(element: Element, every: str, names: list[str]) -> list[str]:
    return [f"{every} but {names[0]}", *names[1:]] if element.excluded else names


def when(condition: conditions.Condition, spelling: Mapping[str, str]) -> str:
    """Return the condition in words, "" for none."""
    return conditions.words(condition, spelling)


def statement(of: Statement, spelling: Mapping[str, str], *, trust: bool, at_most: int = 0) -> str:
    """Return a statement of a trust policy or of a permissions policy as a sentence; `trust` for any with principals.

    `at_most`, if it is not 0, is how many actions, resources or principals are named; the others are counted.
    """
    doing = _joined(action_list(of.action, spelling), at_most)
    if trust:
        who = _joined(who_list(of.principal), at_most)
        on = "" if of.resource == ANYTHING else f" on {_joined(resource_list(of.resource), at_most)}"
        sentence = f"{who} {'may' if of.effect == 'Allow' else 'is denied'} {doing}{on}"
    else:
        denies = "" if of.effect == "Allow" else "denies "
        sentence = f"{denies}{doing} on {_joined(resource_list(of.resource), at_most)}"
    condition = when(of.condition, spelling)
    return f"{sentence} when {condition}" if condition else sentence


def _joined(names: list[str], at_most: int) -> str:
    if not at_most or len(names) <= at_most:
        return ", ".join(names)
    return f"{', '.join(names[:at_most])} and {len(names) - at_most:,} more"


def change(of: Change, spelling: Mapping[str, str], *, trust: bool, at_most: int = 0) -> str:
    """Return a change as a line that begins with its kind; see `statement` for `at_most`."""
    return f"{of.kind}: {change_without_kind(of, spelling, trust=trust, at_most=at_most)}"


def change_without_kind(of: Change, spelling: Mapping[str, str], *, trust: bool, at_most: int = 0) -> str:
    """Return the statements of a change, before and after; see `statement` for `at_most`."""
    sides = [
        "; ".join(statement(row, spelling, trust=trust, at_most=at_most) for row in rows)
        for rows in (of.before, of.after)
        if rows
    ]
    doubt = f" (undecided: {of.doubt})" if of.doubt else ""
    return f"{' → '.join(sides)}{doubt}"


def lines(of: Difference, *, trust: bool) -> list[str]:
    """Return a line for each change."""
    return [change(each, of.spelling, trust=trust) for each in of.changes]
