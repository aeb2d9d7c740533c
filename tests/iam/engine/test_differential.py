"""The engine against an independent evaluator, over some thousand pairs of policies made from a seed."""

import pytest

from iam.engine.difference import difference
from tests.iam.engine import differential
from tests.iam.engine.differential import Pair

PAIRS = 2_000


@pytest.mark.thorough
@pytest.mark.parametrize("seed", [11, 12])
def test_what_the_engine_reports_is_what_the_requests_of_a_small_world_show(seed: int) -> None:
    """Without a change no request is decided otherwise, a decided change shows, and each flip is in a change."""
    reports = differential.check(PAIRS // 2, seed)
    assert not reports, "\n\n".join(reports)


def statement(effect: str, action: str, resource: str) -> dict[str, object]:
    return {"Effect": effect, "Action": action, "Resource": resource}


def test_a_pair_that_fails_is_made_as_small_as_it_can_be() -> None:
    before = [{"Version": "2012-10-17", "Statement": [statement("Allow", "s:a", "a"), statement("Allow", "s:*", "*")]}]
    after = [{"Version": "2012-10-17", "Statement": [statement("Deny", "s:a", "ab"), statement("Allow", "s:b", "b")]}]

    def has_a_denial(pair: Pair) -> bool:
        return any(each["Effect"] == "Deny" for document in pair.after for each in document["Statement"])

    least = differential.shrunk(Pair(before, after, False), has_a_denial)
    assert least.before == []
    assert [document["Statement"] for document in least.after] == [[{"Effect": "Deny", "Action": "s:a"}]]


def test_the_comparison_notices_what_an_engine_would_miss(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Pair([], [{"Version": "2012-10-17", "Statement": [statement("Allow", "s:a", "a")]}], False)
    assert differential.violations(found) == []
    unchanged = difference([], [])
    monkeypatch.setattr("tests.iam.engine.differential.difference", lambda before, after: unchanged)
    assert differential.violations(found) == ["a request is newly allowed and no change broadens it: {}"]
