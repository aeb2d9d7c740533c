"""The recipe's grants on a role, and the kernel's calls with them."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from moto.iam.aws_managed_policies import aws_managed_policies_data

from iam.arn import RoleArn
from iam.documents.quotas import Quotas
from iam.documents.recipe import (
    INLINE_POLICY_NAME,
    MANAGED_POLICY_NAME,
    Permissions,
    inline_policy,
    managed_policy_arn,
    trust_policy,
)
from iam.engine.decision import Verdict, decide
from iam.policy_document import Document
from iam.readiness import grants
from iam.readiness.kernel_calls import CALLS, NO_PERMISSION_NEEDED, requests
from iam.role import Role

ARN = RoleArn.parse("arn:aws:iam::111122223333:role/service-role/team")
MANAGED: Document = json.loads(aws_managed_policies_data)[MANAGED_POLICY_NAME]["Document"]


def role(permissions: Permissions | None = "recipe", *, managed: bool = True, **more: Any) -> Role:
    """A role with the grants."""
    document = inline_policy(permissions or "recipe", partition="aws", account_id=ARN.account_id, role_arn=str(ARN))
    settings: dict[str, Any] = {
        "trust_policy": trust_policy(),
        "inline_policies": {INLINE_POLICY_NAME: document} if permissions else {},
        "attached_policies": {managed_policy_arn("aws"): MANAGED} if managed else {},
    }
    return Role(arn=ARN, unique_id="AROAEXAMPLEEXAMPLE123", **{**settings, **more})


def verdicts(of: Role) -> Mapping[str, Verdict]:
    policies, boundary = grants.policies(of), grants.boundary(of)
    return {call.action: decide(r, policies, boundary).verdict for call, r in requests(of, region="eu-west-1")}


@pytest.mark.parametrize("permissions", ["recipe", "least-privilege"])
def test_with_the_grants_every_needed_call_is_allowed(permissions: Permissions) -> None:
    found = verdicts(role(permissions))
    needed = [call.action for call in CALLS if call.needed and call is not NO_PERMISSION_NEEDED]
    assert [action for action in needed if found[action] is not Verdict.ALLOWED] == []
    assert len(needed) == 10


def test_least_privilege_also_allows_what_the_recipe_does_not() -> None:
    optional = ["glue:GetTags", "glue:GetDatabases"]
    assert [verdicts(role("recipe"))[action] for action in optional] == [Verdict.DENIED] * 2
    assert [verdicts(role("least-privilege"))[action] for action in optional] == [Verdict.ALLOWED] * 2


def test_each_grant_that_is_missing_denies_its_calls() -> None:
    without_inline = {action for action, verdict in verdicts(role(None)).items() if verdict is Verdict.DENIED}
    assert without_inline == {"iam:GetRole", "iam:PassRole", "glue:GetTags", "glue:GetDatabases"}
    without_managed = {a for a, v in verdicts(role(managed=False)).items() if v is Verdict.ALLOWED}
    assert without_managed == {"iam:GetRole", "iam:PassRole"}


def test_pass_role_to_another_service_alone_is_no_grant() -> None:
    statement = {
        "Effect": "Allow",
        "Action": ["iam:PassRole", "iam:GetRole"],
        "Resource": "*",
        "Condition": {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}},
    }
    found = verdicts(role(inline_policies={"p": {"Version": "2012-10-17", "Statement": statement}}))
    assert (found["iam:PassRole"], found["iam:GetRole"]) == (Verdict.DENIED, Verdict.DENIED)


def test_a_role_tag_is_a_principal_tag() -> None:
    statement = {
        "Effect": "Deny",
        "Action": "glue:*",
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:PrincipalTag/Team": "a"}},
    }
    policies = {**(role().inline_policies or {}), "deny": {"Version": "2012-10-17", "Statement": statement}}
    assert verdicts(role(inline_policies=policies, tags={"Team": "a"}))["glue:RunStatement"] is Verdict.DENIED
    assert verdicts(role(inline_policies=policies, tags={"Team": "b"}))["glue:RunStatement"] is Verdict.ALLOWED


def test_grants_that_could_not_be_read_are_unknown() -> None:
    found = grants.grants(role(inline_policies=None, attached_policies=None))
    assert (found.managed_policy, found.inline_policy) == (None, "unknown")
    assert grants.grants(role(inline_policies={INLINE_POLICY_NAME: None})).inline_policy == "unknown"


def test_an_inline_policy_is_known_by_what_it_means() -> None:
    spelled = {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "a", "Effect": "Allow", "Action": ["sts:getcalleridentity", "iam:GetRole"], "Resource": ["*"]},
            {"Sid": "b", "Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"},
        ],
    }
    assert grants.grants(role(inline_policies={INLINE_POLICY_NAME: spelled})).inline_policy == "recipe"


def test_nothing_is_in_the_way_of_a_plain_role() -> None:
    assert list(grants.obstacles(role(None, managed=False), region="eu-west-1", quotas=Quotas())) == []


def test_an_open_deny_may_be_in_the_way_and_denies_nothing_for_sure() -> None:
    statement = {
        "Effect": "Deny",
        "Action": "glue:CreateSession",
        "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}},
    }
    of = role(inline_policies={"network": {"Version": "2012-10-17", "Statement": statement}})
    assert list(grants.denials(of, region="eu-west-1")) == []
    assert list(grants.obstacles(of, region="eu-west-1", quotas=Quotas())) == [
        "glue:CreateSession: whether policy network denies it depends on aws:SourceVpc"
    ]


def test_inline_policies_without_room_are_in_the_way() -> None:
    long = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": ["x" * 10_150]}}
    lines = list(grants.obstacles(role(inline_policies={"long": long}), region="eu-west-1", quotas=Quotas()))
    assert len(lines) == 1
    assert lines[0].endswith("the quota is 10240")


def test_what_the_recipe_would_take_away_is_seen() -> None:
    def trust(*statements: Document) -> Document:
        return {"Version": "2012-10-17", "Statement": list(statements)}

    plain = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    assert not grants.more_than_the_recipe(trust(plain))
    assert not grants.more_than_the_recipe(trust_policy())
    for lost in (
        {**plain, "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"]},
        {**plain, "Principal": {"Service": ["sagemaker.amazonaws.com", "forecast.amazonaws.com"]}},
        {**plain, "Condition": {"StringEquals": {"aws:SourceAccount": "1"}}},
        {**plain, "Effect": "Deny", "Principal": "*"},
    ):
        assert grants.more_than_the_recipe(trust(plain, lost)), lost
