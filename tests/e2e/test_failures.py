"""Roles, accounts and endpoints that cannot work: the plan fails with the reason, and nothing changes."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.e2e.conftest import MakeRole
from tests.e2e.execution_role import (
    ACCOUNT,
    CONSOLE_TRUST,
    GLUE_STATEMENT,
    RECIPE_INLINE_POLICY,
    ExecutionRole,
    statement,
    trust,
)
from tests.e2e.shop import ATTACHMENT, INLINE_POLICY, ROLE, Shop, together_changes
from tests.e2e.terraform import Run


def assert_it_failed(run: Run, *words: str) -> None:
    assert run.status == 1
    for each in words:
        assert any(each in error for error in run.errors), run.errors


def test_another_account(shop: Shop, role: ExecutionRole) -> None:
    refused = f"AWS account ID not allowed: {ACCOUNT}"
    of_another_account = role.arn.replace(ACCOUNT, "111122223333")
    assert_it_failed(shop.stack(of_another_account).try_to_apply(), refused)
    assert_it_failed(shop.stack(role.name, environment={"account_id": "111122223333"}).try_to_apply(), refused)
    assert role.read() == role.made


def test_an_unreachable_endpoint(shop: Shop, role: ExecutionRole) -> None:
    stack = shop.stack(role.name)
    nobody = "https://127.0.0.1:1"
    assert_it_failed(stack.plan(AWS_ENDPOINT_URL_S3=nobody), f'Unable to list objects in S3 bucket "{shop.bucket}"')
    assert_it_failed(stack.plan(AWS_ENDPOINT_URL_IAM=nobody), f"reading IAM Role ({role.name}): ", "connection refused")
    assert role.read() == role.made


def test_a_missing_state_bucket(shop: Shop, role: ExecutionRole) -> None:
    with pytest.raises(AssertionError, match='S3 bucket "no-such-bucket" does not exist'):
        replace(shop, bucket="no-such-bucket").stack(role.name)
    assert role.read() == role.made


Refused = tuple[dict[str, Any], str]
"""A role's entry in the configuration, and the error of a plan with it."""


def a_wrong_role_name(make_role: MakeRole, unique_name: str) -> Refused:
    name = f"{unique_name}-missing"
    return {"role": name}, f"reading IAM Role ({name}): couldn't find resource:"


def an_arn_with_another_path(make_role: MakeRole, unique_name: str) -> Refused:
    role = make_role()
    wrong = role.arn.replace("/service-role/", "/")
    return {"role": wrong}, (
        f"The configuration names {wrong}, and the role of that name in this account is {role.arn}."
        " Correct the ARN, or use credentials of the right account."
    )


def a_role_name_in_another_case(make_role: MakeRole, unique_name: str) -> Refused:
    role = make_role()
    wrong = role.name.upper()
    return {"role": wrong}, (
        f"Resource postcondition failed: The configuration names {wrong}, and in IAM the role is {role.arn}."
        " Write its name as IAM does, in upper and lower case."
    )


def an_arn_in_another_case(make_role: MakeRole, unique_name: str) -> Refused:
    role = make_role()
    wrong = role.arn.replace(role.name, role.name.upper())
    return {"role": wrong}, f"The configuration names {wrong}, and the role of that name in this account is {role.arn}."


def a_role_that_belongs_to_aws(make_role: MakeRole, unique_name: str) -> Refused:
    """Named without its path, so that the configuration cannot know."""
    role = make_role(path="/aws-service-role/sagemaker.amazonaws.com/")
    return {"role": role.name}, (
        f"Resource postcondition failed: The role {role.arn} belongs to AWS, and"
        " nobody can change it. Configure the execution role of the SageMaker domain."
    )


def a_deleted_principal(make_role: MakeRole, unique_name: str) -> Refused:
    colleague = make_role()
    role = make_role(trust(*CONSOLE_TRUST["Statement"], statement(Principal={"AWS": colleague.arn})))
    colleague.delete()
    return additive(role), f"names a deleted principal: {colleague.made.the_rest['RoleId']}."


def a_document_over_the_quota(make_role: MakeRole, unique_name: str) -> Refused:
    accounts = [f"{number:012}" for number in range(122)]
    long = statement("lambda.amazonaws.com", Condition={"StringEquals": {"aws:SourceAccount": accounts}})
    size = len(json.dumps(trust(long, GLUE_STATEMENT), separators=(",", ":")))
    return additive(make_role(trust(long))), f"would be {size} characters long, and the quota is 2048."


def inline_policies_over_the_quota(make_role: MakeRole, unique_name: str) -> Refused:
    role = make_role()
    document = trust({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::" + 9_990 * "x"})
    role.put_inline_policy(document, name="long")
    ours = sum(len(json.dumps(each, separators=(",", ":"))) for each in (RECIPE_INLINE_POLICY, document))
    size = ours + sum(len(json.dumps(each, separators=(",", ":"))) for each in role.made.the_rest["inline"].values())
    role.made = role.read()
    return {"role": role.name}, (
        f"Resource postcondition failed: The inline policies of {role.name} would have {size} characters, and IAM"
        " allows 10240. Shorten one, or turn it into a managed policy."
    )


def a_foreign_statement_under_our_sid(make_role: MakeRole, unique_name: str) -> Refused:
    foreign = statement("sagemaker.amazonaws.com", Sid="GlueInteractiveSessions")
    return additive(make_role(trust(foreign))), (
        "has a statement with Sid GlueInteractiveSessions that names principals other than Glue: "
    )


def a_release_that_leaves_no_statement(make_role: MakeRole, unique_name: str) -> Refused:
    role = make_role(trust(GLUE_STATEMENT))
    return {"role": role.name, "released": True}, (
        f"Resource precondition failed: The trust policy of {role.arn} would have no statement left,"
    )


def additive(role: ExecutionRole) -> dict[str, Any]:
    return {"role": role.name, "trust": {"ownership": "additive"}}


CASES: list[Callable[[MakeRole, str], Refused]] = [
    a_wrong_role_name,
    an_arn_with_another_path,
    a_role_name_in_another_case,
    an_arn_in_another_case,
    a_role_that_belongs_to_aws,
    a_deleted_principal,
    a_document_over_the_quota,
    inline_policies_over_the_quota,
    a_foreign_statement_under_our_sid,
    a_release_that_leaves_no_statement,
]


def test_a_role_or_trust_policy_that_cannot_work_stops_at_the_plan(
    shop: Shop, make_role: MakeRole, unique_name: str
) -> None:
    """All in one plan, with one error each; the role that has no error is not changed either."""
    roles: list[ExecutionRole] = []

    def make(*arguments: Any, **options: Any) -> ExecutionRole:
        roles.append(make_role(*arguments, **options))
        return roles[-1]

    refused = [case(make, unique_name) for case in CASES]
    fine = make()
    before = {role.name: role.read() for role in roles if role.exists}
    entries = [entry for entry, _ in refused]
    attempt = shop.together(dev={"roles": [*entries, {"role": fine.name}]}).try_to_apply()
    assert attempt.status == 1
    assert len(attempt.errors) == len(refused)
    for entry, words in refused:
        name = entry["role"].rpartition("/")[2]
        (error,) = (each for each in attempt.errors if name in each and words in each)
        assert error.startswith(("Resource p", "reading IAM Role")), error
    # the size of inline policies is known once the policy is planned
    adopted = {ROLE: "update", ATTACHMENT: "create", INLINE_POLICY: "create"}
    over_quota, _ = refused[CASES.index(inline_policies_over_the_quota)]
    planned = [fine.name, over_quota["role"]]
    assert attempt.changes == together_changes(dict.fromkeys(planned, adopted))
    assert {role.name: role.read() for role in roles if role.exists} == before
