"""The difference engine against an evaluator that knows nothing of it, and its invariants."""

import random
import re
from functools import cache
from itertools import product
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from iam.engine.difference import Difference, Kind, difference
from iam.engine.statements import Policy, merged, permissions_policy, trust_policy

Document = dict[str, Any]

NAMES = tuple("".join(letters) for length in range(1, 4) for letters in product("abz", repeat=length))
ACTIONS = (*(f"s:{name}" for name in NAMES), "t:a", "t:z", "u:z")
CONTEXTS = [{"k": one, "l": other} for one in ("1", "2", "3") for other in ("1", "9")]

action_patterns = st.sampled_from(["*", "s:*", "s:a*", "s:*b", "s:a", "s:?", "S:AB", "t:*", "s:ab*"])
resource_patterns = st.sampled_from(["*", "a*", "*b", "a", "?", "ab", "a?*", "zz"])
conditions = st.sampled_from(
    [{}, {"k": ["1"]}, {"k": ["1", "2"]}, {"k": "2"}, {"l": "1"}, {"k": ["1"], "l": ["1"]}, {"K": ["1"]}]
)


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@st.composite
def statements(draw: st.DrawFn) -> Document:
    statement: Document = {"Effect": draw(st.sampled_from(["Allow", "Allow", "Allow", "Deny"]))}
    for name, patterns in (("Action", action_patterns), ("Resource", resource_patterns)):
        key = draw(st.sampled_from([name, name, name, f"Not{name}"]))
        statement[key] = draw(st.lists(patterns, min_size=1, max_size=3, unique=True))
    if tests := draw(conditions):
        statement["Condition"] = {"StringEquals": tests}
    return statement


documents = st.lists(statements(), max_size=4).map(lambda found: {"Version": "2012-10-17", "Statement": found})


@cache
def matched(patterns: tuple[str, ...], names: tuple[str, ...]) -> frozenset[str]:
    expression = re.compile("|".join(re.escape(p).replace(r"\*", ".*").replace(r"\?", ".") for p in patterns))
    return frozenset(name for name in names if expression.fullmatch(name))


def chosen(statement: Document, element: str, names: tuple[str, ...]) -> frozenset[str]:
    """Return the names that an element is about; actions are compared in lower case."""
    values = listed(statement.get(element, statement.get(f"Not{element}")))
    found = matched(tuple(value.lower() for value in values), names)
    return found if element in statement else frozenset(names) - found


def holds(statement: Document, context: dict[str, str]) -> bool:
    tests = statement.get("Condition", {}).get("StringEquals", {})
    return all(context[key.lower()] in listed(values) for key, values in tests.items())


def meaning(document: Document) -> tuple[set[Any], set[Any]]:
    """Return what a document allows, and what it denies, of every request of a small world."""
    sets: dict[str, set[Any]] = {"Allow": set(), "Deny": set()}
    for statement in document["Statement"]:
        contexts = [index for index, context in enumerate(CONTEXTS) if holds(statement, context)]
        sets[statement["Effect"]].update(
            product(chosen(statement, "Action", ACTIONS), chosen(statement, "Resource", NAMES), contexts)
        )
    return sets["Allow"] - sets["Deny"], sets["Deny"]


def compare(before: Document, after: Document) -> Difference:
    return difference([permissions_policy(before)], [permissions_policy(after)])


@settings(max_examples=200, deadline=None)
@given(documents, documents)
def test_there_is_a_change_exactly_when_some_request_is_decided_differently(before: Document, after: Document) -> None:
    found = compare(before, after)
    assert all(change.decided for change in found.changes)
    (allowed, denied), (allowed_after, denied_after) = meaning(before), meaning(after)
    expected = {
        ("Allow", True): bool(allowed_after - allowed),
        ("Allow", False): bool(allowed - allowed_after),
        ("Deny", True): bool(denied - denied_after),
        ("Deny", False): bool(denied_after - denied),
    }
    assert (denied != denied_after) == any(change.effect == "Deny" for change in found.changes)
    for direction in (True, False):
        said = any((change.broadens if direction else change.restricts) for change in found.changes)
        assert said == (expected["Allow", direction] or expected["Deny", direction])


@settings(deadline=None)
@given(documents)
def test_a_document_does_not_differ_from_itself(document: Document) -> None:
    assert compare(document, document).changes == ()


SWAPPED = {
    Kind.GAINED: Kind.LOST,
    Kind.LOST: Kind.GAINED,
    Kind.WIDENED: Kind.NARROWED,
    Kind.NARROWED: Kind.WIDENED,
    Kind.ALTERED: Kind.ALTERED,
}


@settings(deadline=None)
@given(documents, documents)
def test_what_one_way_gains_the_other_way_loses(before: Document, after: Document) -> None:
    there = {(SWAPPED[change.kind], change.after, change.before) for change in compare(before, after).changes}
    back = {(change.kind, change.before, change.after) for change in compare(after, before).changes}
    assert there == back


def respelled(document: Document, seed: int) -> Document:
    """Return the document shuffled, split, doubled, in other case, with strings for lists of one."""
    dice = random.Random(seed)
    found = []
    for statement in document["Statement"]:
        parts = [statement]
        for name in ("Action", "Resource"):
            if name in statement and dice.random() < 0.5:
                parts = [{**part, name: value} for part in parts for value in part[name]]
        if "Condition" in statement and dice.random() < 0.5:
            tests = statement["Condition"]["StringEquals"]
            key = dice.choice(sorted(tests))
            parts = [
                {**part, "Condition": {"StringEquals": {**tests, key: value}}}
                for part in parts
                for value in listed(tests[key])
            ]
        found += parts * dice.choice([1, 1, 2])
    for statement in found:
        for name in ("Action", "NotAction"):
            if name in statement:
                statement[name] = [dice.choice([str.upper, str.lower])(value) for value in listed(statement[name])]
                dice.shuffle(statement[name])
    dice.shuffle(found)
    return {"Statement": found[0] if len(found) == 1 else found, "Version": "2012-10-17", "Id": "other"}


@settings(deadline=None)
@given(documents, st.integers(0, 99))
def test_another_spelling_of_the_same_meaning_is_no_change(document: Document, seed: int) -> None:
    assert compare(document, respelled(document, seed)).changes == ()


@settings(deadline=None)
@given(documents, documents, st.integers(0, 99))
def test_how_the_documents_are_written_has_no_part_in_the_directions(
    before: Document, after: Document, seed: int
) -> None:
    plain = compare(before, after)
    other = compare(respelled(before, seed), respelled(after, seed + 1))
    for direction in ("broadens", "restricts"):
        assert any(getattr(change, direction) for change in plain.changes) == any(
            getattr(change, direction) for change in other.changes
        )


@settings(deadline=None)
@given(documents)
def test_merging_statements_keeps_their_meaning(document: Document) -> None:
    policy = permissions_policy(document)
    again = Policy(tuple(merged(policy.statements)), policy.spelling)
    written = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": row.effect,
                ("NotAction" if row.action.excluded else "Action"): list(row.action.patterns),
                ("NotResource" if row.resource.excluded else "Resource"): list(row.resource.patterns),
                "Condition": {"StringEquals": {test.key: sorted(test.values) for test in row.condition}},
            }
            for row in again.statements
        ],
    }
    assert meaning(written) == meaning(document)


principals = st.sampled_from(["a.amazonaws.com", "b.amazonaws.com", "c.amazonaws.com"])


@given(st.sets(principals, min_size=1), st.sets(principals, min_size=1))
def test_trust_is_gained_and_lost_principal_by_principal(before: set[str], after: set[str]) -> None:
    def document(services: set[str]) -> Document:
        return {
            "Statement": {
                "Effect": "Allow",
                "Principal": {"Service": sorted(services)},
                "Action": "sts:AssumeRole",
            }
        }

    found = difference([trust_policy(document(before))], [trust_policy(document(after))])
    gained = {name for change in found.changes for row in change.after for name in row.principal.patterns}
    lost = {name for change in found.changes for row in change.before for name in row.principal.patterns}
    assert gained == {f"Service:{name}" for name in after - before}
    assert lost == {f"Service:{name}" for name in before - after}
