"""Denials in a trust policy, found without the engine and compared with it."""

import pytest

from iam.documents.recipe import GLUE, trust_policy_keeping
from iam.engine.decision import Verdict, decide_trust
from iam.engine.statements import trust_policy
from iam.policy_document import Document, denials
from tests.trust_policies import ACCEPTED, statement, trust

DENY = statement(GLUE, Effect="Deny")
MORE: dict[str, Document] = {
    "everybody": trust({**DENY, "Principal": "*"}),
    "everybody in AWS": trust({**DENY, "Principal": {"AWS": ["*"]}}),
    "Glue among others": trust({**DENY, "Principal": {"AWS": "444455556666", "Service": ["ec2.amazonaws.com", GLUE]}}),
    "an action in another case": trust({**DENY, "Action": "STS:Assume*"}),
    "another action": trust({**DENY, "Action": "sts:TagSession"}),
    "all but another action": trust({"Effect": "Deny", "Principal": "*", "NotAction": "sts:TagSession"}),
    "all but this action": trust({"Effect": "Deny", "Principal": "*", "NotAction": "sts:Assume*"}),
    "an empty condition": trust({**DENY, "Condition": {}}),
    "a condition": trust({**DENY, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}),
    "all but SageMaker": trust(
        {"Effect": "Deny", "NotPrincipal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ),
    "an account": trust({**DENY, "Principal": {"AWS": "444455556666"}}),
    "a single statement": {"Version": "2012-10-17", "Statement": DENY},
}


@pytest.mark.parametrize("document", [*ACCEPTED.values(), *MORE.values()], ids=[*ACCEPTED, *MORE])
def test_the_denials_are_those_that_the_engine_is_certain_of(document: Document) -> None:
    decision = decide_trust(trust_policy(trust_policy_keeping(document)), GLUE)
    assert bool(list(denials(document, GLUE))) is (decision.verdict is Verdict.DENIED)


def test_their_places_are_named() -> None:
    assert list(denials(trust(statement(GLUE), DENY, {**DENY, "Principal": "*"}), GLUE)) == [
        "Statement[1]",
        "Statement[2]",
    ]
    assert list(denials(MORE["a single statement"], GLUE)) == ["Statement"]
