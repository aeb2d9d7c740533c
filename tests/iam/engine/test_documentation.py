"""The example and the budgets of docs/engine.md are what the engine says."""

import json
import re

from iam.engine import answers, sentences, statement_sets, wildcards
from iam.engine.difference import difference
from iam.engine.statements import permissions_policy
from tests.repository import ROOT

PAGE = (ROOT / "docs/engine.md").read_text(encoding="utf-8")


def fenced(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found
    return found[1]


def test_the_example_is_reported_as_the_page_shows() -> None:
    statements = {statement["Sid"]: statement for statement in json.loads(fenced("json"))}
    before, after = (
        permissions_policy({"Version": "2012-10-17", "Statement": [statements[sid] for sid in sids]})
        for sids in ("A", "BC")
    )
    assert sentences.lines(difference([before], [after]), trust=False) == fenced("text").splitlines()


def test_the_budgets_are_those_of_the_page() -> None:
    for module, name in (
        (wildcards, "WORD_STEPS"),
        (statement_sets, "COVER_STEPS"),
        (answers, "COMPARISON_STEPS"),
        (answers, "REVIEW_STEPS"),
    ):
        assert f"(`{name}`) | {getattr(module, name):,} |" in PAGE
