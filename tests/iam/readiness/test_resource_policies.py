"""Calls that their resource decides too; real buckets and keys: tests/commands/verify/test_resource_policies.py."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from iam.engine.decision import Decision, Request, Verdict
from iam.engine.statements import resource_policy
from iam.readiness.resource_policies import Holder, ResourcePolicy, Unread, decide_with_resource
from tests.iam.readiness import resource_worlds
from tests.iam.readiness.roles import ARN, role

ALLOWED = Decision(Verdict.ALLOWED, "a policy allows it")
DENIED = Decision(Verdict.DENIED, "no policy allows it")
GLUE = "arn:aws:glue:eu-west-1:111122223333"
EVERYTHING_DENIED = resource_policy(
    {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Principal": "*", "Action": "*"}}
)


@dataclass
class Said:
    """Resources with these policies and keys; asked for others, it fails."""

    policies: dict[Holder, ResourcePolicy] = field(default_factory=dict)
    keys: dict[str, str | Unread | None] = field(default_factory=dict)

    def policy(self, holder: Holder) -> ResourcePolicy:
        return self.policies[holder]

    def default_key(self, bucket: str) -> str | Unread | None:
        return self.keys[bucket]


@pytest.mark.parametrize(
    "resource",
    ["*", "arn:aws:iam::111122223333:role/r", f"{GLUE}:session/s", "arn:aws:logs:eu-west-1:111122223333:log-group:/x"],
)
def test_other_resources_have_no_policy_of_their_own(resource: str) -> None:
    assert decide_with_resource(Request("x:Y", resource), ALLOWED, role(), Said()).decision is ALLOWED


@pytest.mark.parametrize("part", ["catalog", "database/d", "table/d/t", "connection/c", "userDefinedFunction/d/f"])
def test_the_data_catalog_has_one_policy(part: str) -> None:
    said = Said({Holder("catalog"): EVERYTHING_DENIED})
    found = decide_with_resource(Request("glue:GetTable", f"{GLUE}:{part}"), ALLOWED, role(), said)
    assert (found.decision, found.refuses) == (
        Decision(Verdict.DENIED, "the policy of the Data Catalog denies it"),
        True,
    )


@pytest.mark.parametrize("unread", Unread)
def test_what_is_not_read_leaves_an_allowed_call_undecided_and_no_other(unread: Unread) -> None:
    request = Request("s3:GetObject", "arn:aws:s3:::data/a")
    said = Said({Holder("bucket", "data"): unread})
    found = decide_with_resource(request, ALLOWED, role(), said)
    assert (found.decision.verdict, found.unread) == (Verdict.UNDECIDED, unread)
    assert decide_with_resource(request, DENIED, role(), said).decision is DENIED
    found = decide_with_resource(request, ALLOWED, role(), Said({Holder("bucket", "data"): None}, {"data": unread}))
    assert (found.decision.verdict, found.unread) == (Verdict.UNDECIDED, unread)


def test_a_resource_of_another_account_is_not_asked() -> None:
    key = "arn:aws:kms:eu-west-1:444455556666:key/k"
    found = decide_with_resource(Request("kms:Decrypt", key), ALLOWED, role(), Said())
    assert found.unread is Unread.ELSEWHERE
    said = Said({Holder("bucket", "data"): None}, {"data": key})
    found = decide_with_resource(Request("s3:PutObject", "arn:aws:s3:::data/a"), ALLOWED, role(), said)
    assert found.decision == Decision(
        Verdict.UNDECIDED,
        f"bucket data encrypts with {key}, on which kms:GenerateDataKey is denied: no policy allows it",
    )


def test_what_verify_says_is_what_aws_documents_for_every_request_that_a_call_stands_for() -> None:
    wrong, counts = resource_worlds.check(400, seed=1)
    assert not wrong, "\n\n".join(wrong)
    assert min(counts[each] for each in Verdict) > 200


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}, Verdict.ALLOWED),
        ({"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}, Verdict.UNDECIDED),
        ({"Bool": {"aws:ViaAWSService": "true"}}, Verdict.ALLOWED),
        ({"Bool": {"aws:ViaAWSService": "false"}}, Verdict.UNDECIDED),
        ({"Bool": {"aws:SecureTransport": "true"}}, Verdict.UNDECIDED),
        ({}, Verdict.ALLOWED),
    ],
)
def test_the_key_of_a_bucket_is_used_by_s3_in_the_name_of_the_role(condition: Any, expected: Verdict) -> None:
    """The key allows the role itself, whose own policies have no part in that."""
    key = "arn:aws:kms:eu-west-1:111122223333:key/k"
    grant = {"Effect": "Allow", "Principal": {"AWS": str(ARN)}, "Action": "kms:Decrypt", "Resource": "*"}
    of_key = resource_policy({"Version": "2012-10-17", "Statement": [{**grant, "Condition": condition}]})
    said = Said({Holder("bucket", "data"): None, Holder("key", key): of_key}, {"data": key})
    direct = {"aws:viaawsservice": ("false",), "aws:securetransport": ("true",)}
    found = decide_with_resource(Request("s3:GetObject", "arn:aws:s3:::data/a", direct), ALLOWED, role(), said)
    assert found.decision.verdict is expected


def test_the_last_word_of_an_organization_s_policy_is_not_changed_by_a_grant_of_the_resource() -> None:
    everyone = {"Effect": "Allow", "Principal": {"AWS": str(ARN)}, "Action": "s3:*"}
    policy = resource_policy({"Version": "2012-10-17", "Statement": [everyone]})
    said, request = Said({Holder("bucket", "data"): policy}), Request("s3:ListBucket", "arn:aws:s3:::data")
    assert decide_with_resource(request, DENIED, role(), said).decision.verdict is Verdict.ALLOWED
    assert decide_with_resource(request, DENIED, role(), said, certain=True).decision is DENIED
