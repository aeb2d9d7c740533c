"""Mismatches are found on values, without AWS."""

from pathlib import Path
from typing import Any

import pytest

from commands.verify.mismatches import mismatches
from commands.verify.words import problem_in_words
from configuration import RoleStack, load
from iam.arn import RoleArn
from iam.documents.grants import (
    ACCESS_POLICY,
    Grantee,
    GrantSettings,
    inline_policies,
    managed_policies,
    policy_grants,
)
from iam.documents.recipe import glue_statement, trust_policy
from iam.policy_document import Document
from iam.role import Role

ARN = RoleArn.parse("arn:aws:iam::111122223333:role/team")


def stack(tmp_path: Path, settings: str) -> RoleStack:
    file = tmp_path / "glue-sessions.yaml"
    file.write_text(
        "state: {bucket: states, region: eu-west-1}\n"
        f"environments: {{dev: {{region: eu-west-1, roles: [{{role: team{settings}}}]}}}}\n"
    )
    (only,) = load(file, {}).role_stacks
    return only


def granted(trust: Document | None = None, **attributes: Any) -> Role:
    """Return a role with all grants of the recipe, except for the given attributes."""
    settings, grantee = GrantSettings(permissions="recipe"), Grantee.of(ARN)
    return Role(
        **{
            "arn": ARN,
            "unique_id": "AROAEXAMPLE",
            "trust_policy": trust or trust_policy(),
            "inline_policies": {
                grant.policy_name: grant.document(settings, grantee)
                for grant in inline_policies()
                if grant.is_granted(settings)
            },
            "attached_policies": {grant.arn(ARN.partition): None for grant in managed_policies()},
            **attributes,
        }
    )


def lines_of(stack: RoleStack, role: Role) -> list[str]:
    return [problem_in_words(each) for each in mismatches(stack, role)]


def test_a_role_with_all_grants_matches(tmp_path: Path) -> None:
    assert lines_of(stack(tmp_path, ""), granted()) == []


def test_each_missing_grant_is_a_mismatch(tmp_path: Path) -> None:
    bare = granted({"Version": "2012-10-17", "Statement": []}, inline_policies={}, attached_policies={})
    lines = lines_of(stack(tmp_path, ", trust: {ownership: additive}"), bare)
    policies = [each.policy_name for each in policy_grants() if not each.is_optional]
    assert [name for name in policies if not any(name in line for line in lines)] == []
    assert lines[-1] == "the trust policy does not name glue.amazonaws.com"


def test_a_policy_of_access_is_compared_with_the_setting(tmp_path: Path) -> None:
    configured = stack(tmp_path, ", access: {buckets: {read: ['s3://acme-sales/curated']}}")
    assert lines_of(configured, granted()) == [
        "the inline policy glue-sagemaker-interactive-sessions-access is missing"
    ]
    document = ACCESS_POLICY.document(configured.grant_settings, Grantee.of(ARN))
    inline = granted().inline_policies or {}
    same = granted(inline_policies={**inline, ACCESS_POLICY.policy_name: document})
    assert lines_of(configured, same) == []
    assert lines_of(stack(tmp_path, ""), same) == [
        "the inline policy glue-sagemaker-interactive-sessions-access is not configured"
    ]
    (line,) = lines_of(stack(tmp_path, ", access: {buckets: {read: ['s3://acme-sales/raw']}}"), same)
    assert line.startswith("the inline policy glue-sagemaker-interactive-sessions-access does not match access: ")


def test_unreadable_documents_match(tmp_path: Path) -> None:
    unreadable = granted(inline_policies=None, attached_policies=None)
    assert lines_of(stack(tmp_path, ""), unreadable) == []
    unknown = {grant.policy_name: None for grant in inline_policies()}
    assert lines_of(stack(tmp_path, ", released: true"), granted(inline_policies=unknown))[1:2] == [
        f"it is released, but the inline policy {next(iter(unknown))} still exists"
    ]


@pytest.mark.parametrize(
    ("settings", "trust", "expected"),
    [
        ("", trust_policy(), True),
        ("", {"Version": "2012-10-17", "Statement": [glue_statement()]}, True),
        ("", {"Version": "2012-10-17", "Statement": []}, False),
        (", trust: {ownership: external}", trust_policy(), False),
    ],
)
def test_a_released_role_still_trusts_glue_unless_another_stack_owns_its_trust(
    tmp_path: Path, settings: str, trust: Document, expected: bool
) -> None:
    released = granted(trust, inline_policies={}, attached_policies={})
    lines = lines_of(stack(tmp_path, f"{settings}, released: true"), released)
    assert lines == ["it is released, but its trust policy still has Glue's statement"] * expected


@pytest.mark.parametrize(
    ("ownership", "expected"),
    [
        (
            "additive",
            [
                "Glue's own statement is missing from the trust policy, and whether the trust policy allows it depends"
                " on aws:SourceAccount"
            ],
        ),
        ("external", []),
    ],
)
def test_additive_lacks_its_statement_where_glue_is_trusted_under_conditions_alone(
    tmp_path: Path, ownership: str, expected: list[str]
) -> None:
    conditional = {**glue_statement(), "Sid": "Theirs", "Condition": {"StringEquals": {"aws:SourceAccount": "1"}}}
    role = granted({"Version": "2012-10-17", "Statement": [conditional]})
    assert lines_of(stack(tmp_path, f", trust: {{ownership: {ownership}}}"), role) == expected
