"""Statements and their changes in words, for people who review them."""

from collections.abc import Callable, Mapping
from functools import partial

from iam.engine import conditions
from iam.engine.difference import Change, Difference, Kind
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


def kind(of: Change) -> str:
    """Return how a statement changed, in words; what a Deny gains is a restriction, and worded as one."""
    return str(of.kind) if of.effect == "Allow" else _DENIED[of.kind]


_DENIED = {
    Kind.GAINED: "newly denied",
    Kind.WIDENED: "denied more widely",
    Kind.ALTERED: "denied on another condition",
    Kind.NARROWED: "denied more narrowly",
    Kind.LOST: "no longer denied",
}


def change(of: Change, spelling: Mapping[str, str], *, trust: bool, at_most: int = 0) -> str:
    """Return a change as a line that begins with its kind; see `statement` for `at_most`."""
    return f"{kind(of)}: {_sides(of, partial(_changed, spelling=spelling, trust=trust, at_most=at_most))}"


def change_without_kind(of: Change, spelling: Mapping[str, str], *, trust: bool) -> str:
    """Return the statements of a change, before and after."""
    return _sides(of, partial(statement, spelling=spelling, trust=trust))


def _sides(of: Change, words: Callable[[Statement], str]) -> str:
    sides = ["; ".join(map(words, rows)) for rows in (of.before, of.after) if rows]
    return " → ".join(sides) + (f" (undecided: {of.doubt})" if of.doubt else "")


def _changed(of: Statement, spelling: Mapping[str, str], *, trust: bool, at_most: int) -> str:
    """Return a statement of a change; the kind of the change says whether it is denied."""
    if of.effect == "Allow":
        return statement(of, spelling, trust=trust, at_most=at_most)
    on = "" if trust and of.resource == ANYTHING else f" on {_joined(resource_list(of.resource), at_most)}"
    who = f" for {_joined(who_list(of.principal), at_most)}" if trust else ""
    sentence = f"{_joined(action_list(of.action, spelling), at_most)}{who}{on}"
    condition = when(of.condition, spelling)
    return f"{sentence} when {condition}" if condition else sentence


def lines(of: Difference, *, trust: bool) -> list[str]:
    """Return a line for each change."""
    return [change(each, of.spelling, trust=trust) for each in of.changes]
