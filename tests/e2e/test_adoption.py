"""Taking over roles as they are found: with some of the grants already, with trust policies of every kind."""

import json
from itertools import product

import pytest

from tests.e2e.conftest import MakeRole
from tests.e2e.execution_role import (
    GLUE_STATEMENT,
    RECIPE_INLINE_POLICY,
    RECIPE_TRUST,
    Document,
    ExecutionRole,
    Grants,
    statement,
    trust,
)
from tests.e2e.shop import ATTACHMENT, INLINE_POLICY, ROLE, Shop

SOMEBODY_ELSES = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}


def test_a_role_in_a_path_is_never_replaced(shop: Shop, role: ExecutionRole) -> None:
    stack = shop.stack(role.name)
    first = stack.plan()
    assert first.summary == "Plan: 1 to import, 2 to add, 1 to change, 0 to destroy."
    before, after = stack.planned()[ROLE]["before"], stack.planned()[ROLE]["after"]
    differing = {name for name in before if before[name] != after.get(name)}
    assert differing == {"assume_role_policy"}
    stack.apply()
    assert role.read().the_rest == role.made.the_rest
    assert role.made.the_rest["Path"] == "/service-role/"


def test_existing_grants_are_taken_over_and_the_plan_shows_their_true_difference(
    shop: Shop, role: ExecutionRole
) -> None:
    role.attach()
    role.put_inline_policy(SOMEBODY_ELSES)
    stack = shop.stack(role.name)
    first = stack.plan()
    assert first.summary == "Plan: 3 to import, 0 to add, 2 to change, 0 to destroy."
    assert first.imported == {ROLE, ATTACHMENT, INLINE_POLICY}
    change = stack.planned()[INLINE_POLICY]
    assert json.loads(change["before"]["policy"]) == SOMEBODY_ELSES
    assert json.loads(change["after"]["policy"]) == RECIPE_INLINE_POLICY
    stack.apply()
    assert role.grants == Grants(RECIPE_TRUST, attached=True, inline_policy=RECIPE_INLINE_POLICY)
    stack.assert_nothing_to_do()


def test_a_role_that_has_all_grants_is_adopted_without_a_write(shop: Shop, role: ExecutionRole) -> None:
    role.trust = RECIPE_TRUST
    role.attach()
    role.put_inline_policy(RECIPE_INLINE_POLICY)
    applied = shop.stack(role.name).apply()
    assert applied.summary == "Apply complete! Resources: 3 imported, 0 added, 0 changed, 0 destroyed."


SAGEMAKER = "sagemaker.amazonaws.com"
RICH = "source identity, several services, conditions, people, a denial"
TRUST_POLICIES: dict[str, Document] = {
    RICH: trust(
        statement(SAGEMAKER, "forecast.amazonaws.com", Action=["sts:AssumeRole", "sts:SetSourceIdentity"]),
        statement(
            SAGEMAKER,
            Sid="Studio",
            Condition={"ArnLike": {"aws:SourceArn": "arn:aws:sagemaker:us-west-2:123456789012:*"}},
        ),
        statement(
            "datazone.amazonaws.com",
            Action=["sts:AssumeRole", "sts:TagSession", "sts:SetContext"],
            Condition={
                "StringEquals": {"aws:SourceAccount": ["123456789012"]},
                "ForAllValues:StringLike": {"aws:TagKeys": ["datazone*"]},
            },
        ),
        {
            "Effect": "Allow",
            "Principal": {"AWS": ["arn:aws:iam::123456789012:role/ci", "444455556666"]},
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringLike": {"sts:RoleSessionName": "${aws:username}"},
                "NumericLessThan": {"aws:MultiFactorAuthAge": 3600},
            },
        },
        {"Effect": "Deny", "NotPrincipal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:TagSession"},
    ),
    "a single statement of 2008": {"Version": "2008-10-17", "Statement": statement(SAGEMAKER)},
    "Glue among several services": trust(statement("scheduler.amazonaws.com", SAGEMAKER, "glue.amazonaws.com")),
}


def as_list(document: Document) -> list[Document]:
    statements = document["Statement"]
    return statements if isinstance(statements, list) else [statements]


@pytest.mark.parametrize("name", TRUST_POLICIES)
def test_a_trust_policy_is_respected_by_every_ownership(shop: Shop, make_role: MakeRole, name: str) -> None:
    live = TRUST_POLICIES[name]
    role = make_role(trust=live)
    trusting = name == "Glue among several services"

    stack = shop.stack(role.name, trust={"ownership": "external"})
    applied = stack.apply()
    assert role.trust == live
    again = stack.plan()
    assert (again.status, again.changes) == (0, {})
    for said in (applied.warnings, again.warnings):
        assert len(said) == (0 if trusting else 1)
        assert all("glue.amazonaws.com call sts:AssumeRole" in each for each in said)

    stack = shop.stack(role.name, trust={"ownership": "additive"})
    stack.apply()
    with_glue = live if trusting else {**live, "Statement": [*as_list(live), GLUE_STATEMENT]}
    assert role.trust == with_glue
    stack.assert_nothing_to_do()

    if not any("glue.amazonaws.com" in str(each["Principal"]) for each in as_list(live) if "Principal" in each):
        # what additive made is what authoritative makes of the same statements, kept
        (shop.folder / "kept.json").write_text(json.dumps(live))
        shop.stack(role.name, trust={"keep": "kept.json"}).assert_nothing_to_do()

    applied = shop.stack(role.name).apply()
    assert role.trust == RECIPE_TRUST
    assert_it_names_what_is_lost(applied.warnings, LOST[name])
    stack.assert_nothing_to_do()


LOST = {
    RICH: [
        "Allow sts:AssumeRole to forecast.amazonaws.com;",
        "Allow sts:SetSourceIdentity to sagemaker.amazonaws.com;",
        'Allow sts:AssumeRole to sagemaker.amazonaws.com if {"ArnLike":{"aws:SourceArn":"arn:aws:sagemaker:us-west-2:',
        "Allow sts:TagSession to datazone.amazonaws.com if",
        "Allow sts:AssumeRole to AWS 444455556666 if",
        'Deny sts:TagSession to everybody but {"AWS":"arn:aws:iam::123456789012:root"}',
    ],
    "a single statement of 2008": [],
    "Glue among several services": ["Allow sts:AssumeRole to scheduler.amazonaws.com."],
}


def assert_it_names_what_is_lost(warnings: list[str], lost: list[str]) -> None:
    assert len(warnings) == (1 if lost else 0), warnings
    for said, each in product(warnings, lost):
        assert said.startswith("Check block assertion failed: This plan takes away from the trust policy of ")
        assert each in said
        assert "Allow sts:AssumeRole to sagemaker.amazonaws.com;" not in said  # the recipe has it
