"""The registry of grants: names and addresses are contracts, each pinned here."""

from typing import get_args

import pytest

from iam.arn import RoleArn
from iam.documents.access import Access
from iam.documents.grants import (
    ACCESS_POLICY,
    GRANTS,
    SESSION_USER_POLICY,
    SETUP_POLICY,
    Grantee,
    GrantSettings,
    TrustGrant,
    inline_policies,
    managed_policies,
    policy_grants,
)
from iam.documents.recipe import Permissions

ARN = RoleArn.parse("arn:aws-cn:iam::111122223333:role/service-role/team")
LEVELS: tuple[Permissions, ...] = get_args(Permissions)


def test_addresses_of_grants_are_constant() -> None:
    assert {grant.key: grant.address for grant in GRANTS} == {
        "managed_policy": "aws_iam_role_policy_attachment.glue_sessions",
        "inline_policy": "aws_iam_role_policy.glue_sessions",
        "access_policy": "aws_iam_role_policy.glue_session_access",
        "glue_trust": "aws_iam_role.execution_role",
    }


def test_names_of_policies_are_constant() -> None:
    assert [grant.policy_name for grant in policy_grants()] == [
        "AwsGlueSessionUserRestrictedServiceRole",
        "glue-sagemaker-interactive-sessions-setup",
        "glue-sagemaker-interactive-sessions-access",
    ]


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_the_managed_policy_is_the_recipes_in_every_partition(partition: str) -> None:
    expected = f"arn:{partition}:iam::aws:policy/service-role/AwsGlueSessionUserRestrictedServiceRole"
    assert [grant.arn(partition) for grant in managed_policies()] == [expected]


def test_keys_and_addresses_are_unique() -> None:
    assert len({grant.key for grant in GRANTS}) == len({grant.address for grant in GRANTS}) == len(GRANTS)


def test_every_grant_is_of_one_kind() -> None:
    trusts = [grant for grant in GRANTS if isinstance(grant, TrustGrant)]
    assert [*managed_policies(), *inline_policies(), *trusts] == list(GRANTS)
    assert list(policy_grants()) == [*managed_policies(), *inline_policies()]


@pytest.mark.parametrize("level", LEVELS)
def test_every_level_has_both_policies_and_only_a_setting_adds_the_third(level: Permissions) -> None:
    granted = [grant for grant in policy_grants() if grant.is_granted(GrantSettings(level))]
    assert granted == [SESSION_USER_POLICY, SETUP_POLICY]
    assert [grant for grant in inline_policies() if grant.is_optional] == [ACCESS_POLICY]
    asked = GrantSettings(level, Access("eu-west-1", lake_formation=True))
    assert ACCESS_POLICY.is_granted(asked)
    assert not ACCESS_POLICY.is_granted(GrantSettings(level, Access("eu-west-1")))


def test_documents_name_the_grantee() -> None:
    document = SETUP_POLICY.document(GrantSettings("least-privilege"), Grantee.of(ARN))
    assert document
    assert {statement["Resource"] for statement in document["Statement"]} == {
        str(ARN),
        "arn:aws-cn:glue:*:111122223333:session/*",
        "arn:aws-cn:glue:*:111122223333:catalog",
    }
