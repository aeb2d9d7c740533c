"""A Deny beside Glue's trust: without a condition it always holds, on a condition it may."""

import json
from typing import Any

from plans import plan as plans
from review.report import review
from tests.plan_builder import document
from tests.review.stack_plans import BEFORE, RECIPE, Stack

EXEC = Stack("exec")
TRUSTING = json.loads(RECIPE)["Statement"]
DENY: dict[str, Any] = {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}
ON_CONDITION = {**DENY, "Condition": {"StringNotEquals": {"aws:SourceAccount": "123456789012"}}}


def reasons(before: str, after: str) -> list[str]:
    findings = review(plans.parse(EXEC.adopted(before, after), "dev")).findings
    return [each.reason for each in findings if each.rule == "glue-denied"]


def test_an_unconditional_deny_makes_the_trust_useless() -> None:
    assert reasons(document(*json.loads(BEFORE)["Statement"], DENY), document(*TRUSTING, DENY)) == [
        "Glue's trust has no effect: the trust policy denies it to glue.amazonaws.com"
    ]


def test_a_deny_on_a_condition_leaves_it_undecided_and_names_the_key() -> None:
    assert reasons(BEFORE, document(*TRUSTING, ON_CONDITION)) == [
        "whether Glue's trust has an effect is undecided: whether the trust policy denies it depends on"
        " aws:SourceAccount"
    ]


def test_it_is_raised_where_it_begins_alone() -> None:
    denied = document(*TRUSTING, ON_CONDITION)
    assert reasons(denied, denied) == []
    assert reasons(denied, document(*TRUSTING, DENY))
    assert reasons(RECIPE, RECIPE) == []


def test_a_role_that_is_not_to_trust_glue_is_none_of_its_business() -> None:
    assert reasons(BEFORE, document(*json.loads(BEFORE)["Statement"], DENY)) == []
