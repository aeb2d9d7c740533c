"""Which grants a role has."""

from typing import Any

import pytest

from iam.documents.grants import ACCESS_POLICY, SETUP_POLICY, PolicyGrant, inline_policies, policy_grants
from iam.documents.recipe import PERMISSION_LEVELS, Permissions
from iam.engine.decision import Verdict
from iam.policy_document import Document
from iam.readiness.held_grants import HeldPolicy, HeldTrust, Presence, held_grants
from iam.role import Role
from tests.iam.readiness.roles import role


def policies(of: Role) -> dict[PolicyGrant, HeldPolicy]:
    return {held.grant: held for held in held_grants(of) if isinstance(held, HeldPolicy)}


def trusted(of: Role) -> list[Verdict]:
    return [held.decision.verdict for held in held_grants(of) if isinstance(held, HeldTrust)]


@pytest.mark.parametrize("permissions", PERMISSION_LEVELS)
def test_a_granted_role_has_every_grant_of_its_level(permissions: Permissions) -> None:
    held = policies(role(permissions))
    assert [*held] == [*policy_grants()]
    assert held.pop(ACCESS_POLICY).presence is Presence.ABSENT
    assert all(each.presence is Presence.PRESENT and permissions in each.levels for each in held.values())
    assert held[SETUP_POLICY].levels == (permissions,)
    assert trusted(role(permissions)) == [Verdict.ALLOWED]


def test_a_plain_role_has_no_grant() -> None:
    service = {"Service": "sagemaker.amazonaws.com"}
    trust = {"Statement": {"Effect": "Allow", "Principal": service, "Action": "sts:AssumeRole"}}
    plain = role(None, managed=False, trust_policy=trust)
    assert {held.presence for held in policies(plain).values()} == {Presence.ABSENT}
    assert trusted(plain) == [Verdict.DENIED]


@pytest.mark.parametrize(
    "unreadable", [None, {grant.policy_name: None for grant in inline_policies()}], ids=["the list", "the policies"]
)
def test_a_grant_that_could_not_be_read_is_unreadable(unreadable: Any) -> None:
    held = policies(role(inline_policies=unreadable, attached_policies=None))
    assert {each.presence for each in held.values()} == {Presence.UNREADABLE}


def test_an_inline_policy_is_recognized_by_its_meaning() -> None:
    spelled = {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "a", "Effect": "Allow", "Action": ["sts:getcalleridentity", "iam:GetRole"], "Resource": ["*"]},
            {"Sid": "b", "Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"},
        ],
    }
    assert _levels(spelled) == ("recipe",)


def test_an_inline_policy_with_other_content_is_of_no_level() -> None:
    statement = {"Effect": "Allow", "Action": "iam:GetRole", "Resource": "*"}
    assert _levels({"Version": "2012-10-17", "Statement": [statement]}) == ()


def _levels(document: Document) -> tuple[Permissions, ...]:
    held = policies(role(inline_policies={SETUP_POLICY.policy_name: document}))[SETUP_POLICY]
    assert held.presence is Presence.PRESENT
    return held.levels
