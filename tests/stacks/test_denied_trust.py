"""A trust policy that denies Glue, whatever it grants beside, as terraform itself tells of it."""

import json
from typing import Any

import pytest

from iam.documents.recipe import GLUE, trust_policy
from iam.engine.decision import Verdict, decide_trust
from iam.engine.statements import trust_policy as parsed
from modules import trust_expressions as trust
from modules.trust_ownership import OwnedTrust, denied
from tests.stacks.evaluation import ARN, Evaluated, evaluate

Document = dict[str, Any]

ASSUME: Document = {"Effect": "Deny", "Action": "sts:AssumeRole"}
DENIES: dict[str, Document] = {
    "Glue": {**ASSUME, "Principal": {"Service": GLUE}},
    "Glue among others": {**ASSUME, "Principal": {"Service": ["lambda.amazonaws.com", GLUE]}},
    "everybody": {**ASSUME, "Principal": "*"},
    "everybody as AWS": {**ASSUME, "Principal": {"AWS": "*"}},
    "everybody and Glue": {**ASSUME, "Principal": {"AWS": ["111122223333", "*"], "Service": GLUE}},
    "any action": {**ASSUME, "Principal": "*", "Action": ["sts:TagSession", "STS:A*"]},
    "all but another action": {"Effect": "Deny", "Principal": "*", "NotAction": "sts:TagSession"},
}
DOES_NOT: dict[str, Document] = {
    "nothing": {},
    "another service": {**ASSUME, "Principal": {"Service": "lambda.amazonaws.com"}},
    "another account": {**ASSUME, "Principal": {"AWS": "111122223333"}},
    "another action": {**ASSUME, "Principal": "*", "Action": "sts:TagSession"},
    "all but this action": {"Effect": "Deny", "Principal": "*", "NotAction": "sts:Assume*"},
    "an Allow": {**ASSUME, "Principal": {"Service": GLUE}, "Effect": "Allow"},
}
UNDECIDED: dict[str, Document] = {
    "under a condition": {
        **ASSUME,
        "Principal": "*",
        "Condition": {"StringNotEquals": {"aws:SourceAccount": "111122223333"}},
    },
    "everybody but some": {**ASSUME, "NotPrincipal": {"AWS": "111122223333"}},
}
LIVE = {
    name: {**trust_policy(), "Statement": [*trust_policy()["Statement"], *([statement] if statement else [])]}
    for name, statement in (DENIES | DOES_NOT | UNDECIDED).items()
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Evaluated]:
    locals_, checks = denied()
    live = {
        "live_trust": trust.reference(trust.LIVE_TRUST),
        "live_statements": trust.reference(trust.statements("local.live_trust")),
    }
    owned = OwnedTrust(document="", locals={**live, **locals_}, checks=checks)
    texts = {name: json.dumps(document) for name, document in LIVE.items()}
    # a statement may stand alone
    texts["everybody, alone"] = json.dumps({**trust_policy(), "Statement": DENIES["everybody"]})
    return evaluate(owned, texts, tmp_path_factory.mktemp("denied"))


def test_it_is_told_exactly_when_glue_is_surely_denied(told: dict[str, Evaluated]) -> None:
    assert {name for name, each in told.items() if each.told} == {*DENIES, "everybody, alone"}


def test_the_statement_is_named(told: dict[str, Evaluated]) -> None:
    assert told["everybody"].told == [
        f"The trust policy of {ARN} denies glue.amazonaws.com sts:AssumeRole, whatever else it grants:"
        ' {"Action":"sts:AssumeRole","Effect":"Deny","Principal":"*"}.'
        " Whoever owns that statement takes it out, or limits it to others than Glue."
    ]


def test_verify_says_the_same() -> None:
    verdicts = {name: decide_trust(parsed(document), GLUE).verdict for name, document in LIVE.items()}
    assert {name for name, verdict in verdicts.items() if verdict is Verdict.DENIED} == {*DENIES}
    assert {name for name, verdict in verdicts.items() if verdict is Verdict.UNDECIDED} == {*UNDECIDED}
