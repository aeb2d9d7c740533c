"""The documents of the recipe, statement by statement."""

import json
from typing import Any

import pytest

from iam import policy_document
from iam.documents import recipe, trust

ROLE_ARN = "arn:aws-cn:iam::111122223333:role/service-role/execution-role"


def inline_policy(permissions: recipe.Permissions) -> dict[str, Any]:
    return recipe.inline_policy(permissions, partition="aws-cn", account_id="111122223333", role_arn=ROLE_ARN)


def test_the_trust_policy_is_the_recipes() -> None:
    assert recipe.trust_policy() == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": ["glue.amazonaws.com", "sagemaker.amazonaws.com"]},
                "Action": "sts:AssumeRole",
            }
        ],
    }


def test_the_inline_policy_is_the_recipes() -> None:
    assert inline_policy("recipe") == {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["iam:GetRole", "iam:PassRole", "sts:GetCallerIdentity"], "Resource": "*"}
        ],
    }


def test_least_privilege_allows_reading_the_role_and_passing_it_only_to_glue() -> None:
    reads, passes = inline_policy("least-privilege")["Statement"][:2]
    assert (reads["Action"], reads["Resource"]) == ("iam:GetRole", ROLE_ARN)
    assert (passes["Action"], passes["Resource"]) == ("iam:PassRole", ROLE_ARN)
    assert passes["Condition"] == {"StringEquals": {"iam:PassedToService": "glue.amazonaws.com"}}
    # iam:GetRole has no such condition key: one statement for both would never allow it
    assert "Condition" not in reads


def test_least_privilege_adds_what_the_managed_policy_lacks_and_nothing_more() -> None:
    tags, catalog = inline_policy("least-privilege")["Statement"][2:]
    assert (tags["Action"], tags["Resource"]) == ("glue:GetTags", "arn:aws-cn:glue:*:111122223333:session/*")
    assert catalog["Action"] == ["glue:GetDatabase", "glue:GetDatabases"]
    assert catalog["Resource"] == "arn:aws-cn:glue:*:111122223333:catalog"


def test_isolated_is_least_privilege_and_a_denial_of_passing_any_other_role_to_glue() -> None:
    *granted, denied = inline_policy("isolated")["Statement"]
    assert granted == inline_policy("least-privilege")["Statement"]
    assert denied == {
        "Sid": "PassNoOtherRoleToGlue",
        "Effect": "Deny",
        "Action": "iam:PassRole",
        "NotResource": ROLE_ARN,
        # not IfExists: roles can still be passed where a service sends no such key
        "Condition": {"StringEquals": {"iam:PassedToService": "glue.amazonaws.com"}},
    }


def test_least_privilege_has_a_sid_for_each_statement_and_no_wildcard_action_or_resource() -> None:
    statements = inline_policy("least-privilege")["Statement"]
    sids = [statement["Sid"] for statement in statements]
    assert len({*sids}) == len(statements)
    assert all(sid.isalnum() for sid in sids)
    for statement in statements:
        assert statement["Resource"] != "*"
        assert "*" not in json.dumps(statement["Action"])


KEPT: list[dict[str, Any]] = [
    {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"},
    {"Effect": "Deny", "NotPrincipal": {"AWS": "111122223333"}, "Action": ["sts:TagSession"]},
]


@pytest.mark.parametrize(
    ("kept", "statements"),
    [
        ({"Version": "2012-10-17", "Statement": KEPT}, KEPT),
        ({"Version": "2008-10-17", "Id": "policy", "Statement": KEPT[0]}, KEPT[:1]),
        ({"Statement": KEPT[:1]}, KEPT[:1]),
    ],
    ids=["a list", "a single statement of 2008", "no version"],
)
def test_kept_statements_stay_word_for_word_before_glues_own(
    kept: dict[str, Any], statements: list[dict[str, Any]]
) -> None:
    before = json.dumps(kept)
    made = recipe.trust_policy_keeping(kept)
    assert made["Statement"] == [*statements, recipe.glue_statement()]
    assert {key: made[key] for key in made if key != "Statement"} == {
        key: kept[key] for key in kept if key != "Statement"
    }
    assert json.dumps(kept) == before


def test_glues_own_statement_trusts_glue_and_nobody_else() -> None:
    statement = recipe.glue_statement()
    assert statement["Sid"] == recipe.GLUE_STATEMENT_SID
    document = {"Version": "2012-10-17", "Statement": [statement]}
    assert trust.parse_trust_policy(json.dumps(document)) == document
    assert policy_document.trusts(document, "glue.amazonaws.com")
    assert not policy_document.trusts(document, "sagemaker.amazonaws.com")
