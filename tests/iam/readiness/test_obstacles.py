"""What keeps grants from working on a role, or from being created."""

import pytest

from iam.documents.quotas import Quotas
from iam.engine.decision import Verdict
from iam.policy_document import Document
from iam.readiness.obstacles import (
    CallsDenied,
    DeletedPrincipal,
    Obstacle,
    QuotaExceeded,
    obstacles,
    unified_studio_sign,
)
from iam.role import Role
from tests.iam.readiness.roles import role


def found(of: Role) -> list[Obstacle]:
    return list(obstacles(of, region="eu-west-1", quotas=Quotas()))


def policy(statement: Document) -> Document:
    return {"Version": "2012-10-17", "Statement": statement}


def trusting(principal: Document) -> Document:
    return policy({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})


def test_a_plain_role_has_no_obstacle() -> None:
    assert found(role(None, managed=False)) == []


def test_an_explicit_deny_denies_needed_calls_by_one_reason() -> None:
    deny = policy({"Effect": "Deny", "Action": "glue:*Session*", "Resource": "*"})
    (obstacle,) = found(role(inline_policies={"no-sessions": deny}))
    assert isinstance(obstacle, CallsDenied)
    assert obstacle.decision.verdict is Verdict.DENIED
    assert obstacle.actions == ("glue:CreateSession", "glue:GetSession", "glue:StopSession", "glue:ListSessions")
    assert str(obstacle) == (
        "glue:CreateSession, glue:GetSession and 2 more of the kernel's calls: policy no-sessions denies it"
    )


def test_a_deny_under_a_condition_leaves_the_call_undecided() -> None:
    deny = policy(
        {
            "Effect": "Deny",
            "Action": "glue:CreateSession",
            "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}},
        }
    )
    (obstacle,) = found(role(inline_policies={"network": deny}))
    assert isinstance(obstacle, CallsDenied)
    assert obstacle.decision.verdict is Verdict.UNDECIDED
    assert str(obstacle) == "glue:CreateSession: whether policy network denies it depends on aws:SourceVpc"


def test_inline_policies_without_room_exceed_the_quota() -> None:
    long = policy({"Effect": "Allow", "Action": "s3:*", "Resource": ["x" * 10_150]})
    (obstacle,) = found(role(inline_policies={"long": long}))
    assert isinstance(obstacle, QuotaExceeded)
    assert (obstacle.of, obstacle.quota) == ("inline policies", 10_240)
    assert str(obstacle) == (
        f"inline policies would have {obstacle.number} characters with the recipe's, the quota is 10240"
    )


@pytest.mark.parametrize(("attached", "expected"), [(9, []), (10, [QuotaExceeded("attached policies", 10, 10)])])
def test_attached_policies_without_room_exceed_the_quota(attached: int, expected: list[Obstacle]) -> None:
    policies = {
        f"arn:aws:iam::111122223333:policy/p{number}": policy({}) | {"Statement": []} for number in range(attached)
    }
    assert found(role(attached_policies=policies)) == expected


def test_a_trust_policy_without_room_exceeds_the_quota() -> None:
    accounts = [f"{number:012}" for number in range(130)]
    (obstacle,) = found(role(trust_policy=trusting({"AWS": accounts, "Service": "sagemaker.amazonaws.com"})))
    assert isinstance(obstacle, QuotaExceeded)
    assert (obstacle.of, obstacle.quota) == ("trust policy", 2_048)


def test_a_deleted_principal_is_an_obstacle() -> None:
    trust = trusting({"AWS": "AROAEXAMPLEROLE12345Z", "Service": ["glue.amazonaws.com", "sagemaker.amazonaws.com"]})
    assert found(role(trust_policy=trust)) == [DeletedPrincipal("Statement.Principal.AWS", "AROAEXAMPLEROLE12345Z")]


def test_a_role_that_trusts_datazone_belongs_to_unified_studio() -> None:
    assert unified_studio_sign(role()) is None
    trust = trusting({"Service": ["datazone.amazonaws.com", "sagemaker.amazonaws.com"]})
    assert unified_studio_sign(role(trust_policy=trust)) == "it trusts datazone.amazonaws.com"
