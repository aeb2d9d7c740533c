"""What an outside answer ends, against every request of a small world: whatever is newly allowed stays named."""

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from iam.engine.difference import Change, difference
from iam.engine.refuted import without_gains
from iam.engine.statement_sets import Doubt
from iam.engine.statements import Element, permissions_policy
from tests.iam.engine.evaluator import Document, Request, decision

ACTIONS = ("s3:aa", "s3:ab", "s3:bb")
RESOURCES = ("arn:aws:s3:::x/a", "arn:aws:s3:::x/b", "arn:aws:s3:::y/a")
TAG = "aws:PrincipalTag/t"
WORLD = tuple(
    Request(action, resource, context={TAG.lower(): tag} if tag else {})
    for action in ACTIONS
    for resource in RESOURCES
    for tag in (("u",), ("v",), ())
)
CONDITIONS: tuple[dict[str, dict[str, str]], ...] = (
    {},
    {"StringLike": {TAG: "u"}},
    {"StringLike": {TAG: "?"}},
    {"StringNotLike": {TAG: "v"}},
    {"Null": {TAG: "true"}},
)


def body(statements: Sequence[Document]) -> Document:
    written = [{key: value for key, value in each.items() if value} for each in statements]
    return {"Version": "2012-10-17", "Statement": written}


def allowed(documents: Sequence[Sequence[Document]]) -> set[int]:
    """Return the requests that documents allow together, by their positions."""
    bodies = list(map(body, documents))
    return {at for at, request in enumerate(WORLD) if decision(bodies, request) == "allowed"}


def names(change: Change, request: Request) -> bool:
    """Return whether a change is about the action and the resource of a request."""

    def has(element: Element, name: str) -> bool:
        return any(fnmatchcase(name, each) for each in element.patterns) != element.excluded

    rows = (*change.before, *change.after)
    return any(has(each.action, request.action) and has(each.resource, request.resource) for each in rows)


def some(*patterns: str) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(patterns), min_size=1, max_size=2, unique=True)


STATEMENTS = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Allow", "Allow", "Deny"]),
        "Action": some(*ACTIONS, "s3:a*", "s3:*", "s3:?b"),
        "Resource": some(*RESOURCES, "arn:aws:s3:::x/*", "*", "arn:aws:s3:::?/a"),
        "Condition": st.sampled_from(CONDITIONS),
    }
)
DOCUMENTS = st.lists(STATEMENTS, min_size=1, max_size=3)


@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_what_is_newly_allowed_stays_named_whatever_one_document_is_known_not_to_gain(data: st.DataObject) -> None:
    before = [data.draw(DOCUMENTS), data.draw(DOCUMENTS)]
    # the first one allows less than it did, or is written in another way; the other one may have the same statements
    kept = data.draw(st.lists(st.sampled_from(before[0]), min_size=1, max_size=3))
    first = [*kept, *data.draw(st.lists(STATEMENTS, max_size=1))]
    second = [*data.draw(DOCUMENTS), *data.draw(st.lists(st.sampled_from(first), max_size=1))]
    after = [first, second]
    gains_nothing = [at for at in (0, 1) if allowed([after[at]]) <= allowed([before[at]])]
    assume(gains_nothing)
    policies = [[permissions_policy(body(each)) for each in documents] for documents in (before, after)]
    found = difference(*policies)
    doubted = data.draw(st.lists(st.booleans(), min_size=len(found.changes), max_size=len(found.changes)))
    changes = [
        change._replace(doubt=Doubt.MEANING) if doubt else change
        for change, doubt in zip(found.changes, doubted, strict=True)
    ]
    left = without_gains(replace(found, changes=tuple(changes)), gains_nothing)
    broadening = [change for change in left.changes if change.broadens]
    for at in allowed(after) - allowed(before):
        assert any(names(change, WORLD[at]) for change in broadening), WORLD[at]
