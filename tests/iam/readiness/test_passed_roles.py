"""Whether a role may pass other roles to Glue, at each permission level and beside the policies it comes with."""

from typing import Any

import pytest

from iam.documents.recipe import Permissions
from iam.engine.decision import Verdict
from iam.policy_document import Document
from iam.readiness.passed_roles import passing_other_roles
from tests.iam.readiness.roles import ARN, AWS_MANAGED_POLICIES, role

FULL_ACCESS = {
    "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess": AWS_MANAGED_POLICIES["AmazonSageMakerFullAccess"]["Document"]
}


def verdict(permissions: Permissions, *, attached: Any = None, inline: dict[str, Document | None] | None = None) -> str:
    granted = role(permissions)
    policies = {**(granted.attached_policies or {}), **(attached or {})}
    more: dict[str, Any] = {
        "attached_policies": policies,
        "inline_policies": {**(granted.inline_policies or {}), **(inline or {})},
    }
    return passing_other_roles(role(permissions, **more)).decision.verdict


@pytest.mark.parametrize(
    ("permissions", "alone", "beside_full_access", "beside_an_unread_policy"),
    [
        ("recipe", "allowed", "allowed", "undecided"),
        ("least-privilege", "denied", "allowed", "undecided"),
        ("isolated", "denied", "denied", "denied"),
    ],
)
def test_each_level(
    permissions: Permissions, alone: str, beside_full_access: str, beside_an_unread_policy: str
) -> None:
    assert verdict(permissions) == alone
    assert verdict(permissions, attached=FULL_ACCESS) == beside_full_access
    assert verdict(permissions, inline={"unread": None}) == beside_an_unread_policy


def passing(resource: str, **more: Any) -> dict[str, Document | None]:
    statement = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": resource, **more}
    return {"extra": {"Version": "2012-10-17", "Statement": statement}}


@pytest.mark.parametrize(
    ("inline", "expected"),
    [
        (passing(str(ARN)), "denied"),
        (passing(f"arn:aws:iam::*:role/*/{ARN.name}"), "denied"),
        (passing(f"arn:aws:iam::*:role/*{ARN.name}"), "allowed"),
        (passing("arn:aws:iam::111122223333:role/service-role/*"), "allowed"),
        (passing("arn:aws:iam::999999999999:role/*"), "denied"),
        (passing("*", Condition={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}), "denied"),
        (passing("*", Condition={"StringEquals": {"aws:PrincipalArn": str(ARN)}}), "allowed"),
        (passing("*", Condition={"StringEquals": {"iam:ResourceTag/team": "ours"}}), "undecided"),
    ],
)
def test_other_policies_decide_beside_least_privilege(inline: dict[str, Document | None], expected: str) -> None:
    assert verdict("least-privilege", inline=inline) == expected


def test_a_boundary_without_pass_role_keeps_other_roles_from_being_passed() -> None:
    name = "PowerUserAccess"
    boundary = {f"arn:aws:iam::aws:policy/{name}": AWS_MANAGED_POLICIES[name]["Document"]}
    found = passing_other_roles(role("recipe", boundary=boundary))
    assert found.decision.verdict is Verdict.DENIED
    assert found.decision.reason == f"the permissions boundary {name} does not allow it"
