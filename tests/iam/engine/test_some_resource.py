"""Whether some resource is allowed, compared with an evaluator that tries them one by one."""

import random
from itertools import product
from typing import Any

import pytest

from iam.engine.decision import Decision, Verdict
from iam.engine.some_resource import Requests, SomeResource, decide_some
from iam.engine.statements import Policy, permissions_policy
from iam.policy_document import Document
from tests.iam.engine.evaluator import Request, decision

ACTION = "iam:PassRole"
OWN = "arn:aws:iam::111122223333:role/ab"
CONTEXT = {"iam:passedtoservice": ("glue.amazonaws.com",), "aws:username": ()}
REQUESTS = Requests(ACTION, "arn:aws:iam::111122223333:role/?*", (OWN,), CONTEXT)
TO_GLUE = {"StringEquals": {"iam:PassedToService": "glue.amazonaws.com"}}
TO_OTHERS = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
BY_TAG = {"StringEquals": {"iam:ResourceTag/team": "ours"}}


def arn(name: str) -> str:
    return f"arn:aws:iam::111122223333:role/{name}"


def document(*statements: dict[str, Any]) -> Document:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": ACTION, **statement} for statement in statements],
    }


def decided(*statements: dict[str, Any], boundary: Policy | None = None, **more: Policy | None) -> SomeResource:
    policies = {"mine": permissions_policy(document(*statements)), **more}
    return decide_some(REQUESTS, policies, {"limit": boundary} if boundary else None)


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([{"Resource": "*"}], "allowed"),
        ([{"Resource": OWN}], "denied"),
        ([{"Resource": [OWN, arn("other")]}], "allowed"),
        ([{"Resource": "arn:aws:iam::444455556666:role/other"}], "denied"),
        ([{"Resource": "arn:aws:iam::111122223333:user/other"}], "denied"),
        ([{"Resource": "arn:aws:iam::*:role/*AmazonSageMaker*", "Condition": TO_GLUE}], "allowed"),
        ([{"Resource": "*", "Condition": TO_OTHERS}], "denied"),
        ([{"Resource": "*", "Condition": BY_TAG}], "undecided"),
        ([{"Resource": "*", "Action": "iam:GetRole"}], "denied"),
        ([{"Resource": "*", "Action": "iam:*"}], "allowed"),
        ([{"NotResource": OWN}], "allowed"),
        ([{"NotResource": arn("*")}], "denied"),
        ([{"Resource": arn("${aws:PrincipalTag/team}")}], "undecided"),
        ([{"Resource": arn("a*")}, {"Resource": arn("?*"), "Effect": "Deny"}], "denied"),
        ([{"Resource": arn("a*")}, {"Resource": arn("ab*"), "Effect": "Deny"}], "allowed"),
        ([{"Resource": "*"}, {"NotResource": OWN, "Effect": "Deny", "Condition": TO_GLUE}], "denied"),
        ([{"Resource": "*"}, {"NotResource": OWN, "Effect": "Deny", "Condition": TO_OTHERS}], "allowed"),
        ([{"Resource": "*"}, {"NotResource": arn("b*"), "Effect": "Deny"}], "allowed"),
        ([{"Resource": arn("c*")}, {"NotResource": arn("b*"), "Effect": "Deny"}], "denied"),
        ([{"Resource": "*"}, {"Resource": "*", "Effect": "Deny", "Condition": BY_TAG}], "undecided"),
        ([{"Resource": arn("?")}, {"Resource": arn("${aws:PrincipalTag/team}"), "Effect": "Deny"}], "undecided"),
        ([{"Resource": "*"}, {"NotResource": arn("${aws:PrincipalTag/team}"), "Effect": "Deny"}], "undecided"),
    ],
)
def test_a_role_may_pass_some_other_role(statements: list[dict[str, Any]], expected: str) -> None:
    assert decided(*statements).decision.verdict == expected


def test_the_reason_names_the_policy_and_what_is_unknown() -> None:
    allowed = decided({"Resource": "*"})
    assert allowed.decision == Decision(Verdict.ALLOWED, "mine allows it")
    assert allowed.statement
    assert allowed.statement.resource.patterns == ("*",)
    unread = decided({"Resource": OWN}, other=None)
    assert unread.decision == Decision(
        Verdict.UNDECIDED,
        "whether other denies it is unknown, it could not be read; whether other allows it is unknown, it could not be"
        " read",
    )
    tagged = decided({"Resource": "*", "Condition": BY_TAG})
    assert tagged.decision.reason == "whether mine allows it depends on iam:ResourceTag/team"
    assert decided({"Resource": OWN}).decision.reason == "no policy allows it"
    denied = decided({"Resource": "*"}, {"NotResource": OWN, "Effect": "Deny"})
    assert denied.decision.reason == "mine denies it"


def test_a_denial_of_every_other_resource_decides_even_if_a_policy_could_not_be_read() -> None:
    denied = decided({"Resource": OWN}, {"NotResource": OWN, "Effect": "Deny", "Condition": TO_GLUE}, other=None)
    assert denied.decision.verdict is Verdict.DENIED


def test_a_boundary_must_allow_the_same_resource() -> None:
    def limited(resource: str) -> Decision:
        boundary = permissions_policy(document({"Resource": resource}))
        return decided({"Resource": arn("a*")}, boundary=boundary).decision

    assert limited(arn("ac*")).verdict is Verdict.ALLOWED
    assert limited(arn("b*")) == Decision(Verdict.DENIED, "the permissions boundary limit does not allow it")
    assert limited(OWN).verdict is Verdict.DENIED


NAMES = ["".join(letters) for length in range(1, 4) for letters in product("abyz", repeat=length)]
PATTERNS = ["*", "a*", "*b", "?", "a?", "ab", "b*a", "*a*", "??*", "abz", "z"]


@pytest.mark.parametrize("seed", range(150))
def test_the_answer_is_that_of_an_evaluator_that_tries_every_short_name(seed: int) -> None:
    chance = random.Random(seed)

    def statement() -> dict[str, Any]:
        element = chance.choice(["Resource", "Resource", "NotResource"])
        patterns = [arn(pattern) for pattern in chance.sample(PATTERNS, chance.randint(1, 2))]
        condition = chance.choice([{}, {}, {"Condition": TO_GLUE}, {"Condition": TO_OTHERS}])
        return {"Effect": chance.choice(["Allow", "Allow", "Deny"]), "Action": ACTION, element: patterns, **condition}

    documents = [document(*(statement() for _ in range(chance.randint(1, 3)))) for _ in range(2)]
    answer = decide_some(REQUESTS, {str(index): permissions_policy(each) for index, each in enumerate(documents)})
    context = {"iam:passedtoservice": ("glue.amazonaws.com",)}
    allowed = [
        name
        for name in NAMES
        if arn(name) != OWN and decision(documents, Request(ACTION, arn(name), context=context)) == "allowed"
    ]
    assert answer.decision.verdict is (Verdict.ALLOWED if allowed else Verdict.DENIED)
