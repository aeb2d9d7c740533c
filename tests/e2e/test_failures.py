"""What cannot work fails with words that say why, before anything is changed."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.e2e.conftest import MakeRole
from tests.e2e.execution_role import ACCOUNT, CONSOLE_TRUST, GLUE_STATEMENT, ExecutionRole, statement, trust
from tests.e2e.shop import Shop
from tests.e2e.terraform import Run


def assert_it_failed(run: Run, *words: str) -> None:
    assert run.status == 1
    for said in words:
        assert any(said in error for error in run.errors), run.errors


def test_a_wrong_role_name(shop: Shop, unique_name: str) -> None:
    attempt = shop.stack(unique_name).try_to_apply()
    assert (attempt.status, attempt.changes) == (1, {})
    assert attempt.errors == [f"reading IAM Role ({unique_name}): couldn't find resource:"]


def test_an_arn_with_another_path(shop: Shop, role: ExecutionRole) -> None:
    wrong = role.arn.replace("/service-role/", "/")
    assert_it_failed(
        shop.stack(wrong).try_to_apply(),
        f"The configuration names {wrong}, and the role of that name in this account is {role.arn}."
        " Correct the ARN, or use credentials of the right account.",
    )
    assert role.read() == role.made


def test_another_account(shop: Shop, role: ExecutionRole) -> None:
    refused = f"AWS account ID not allowed: {ACCOUNT}"
    of_another_account = role.arn.replace(ACCOUNT, "111122223333")
    assert_it_failed(shop.stack(of_another_account).try_to_apply(), refused)
    assert_it_failed(shop.stack(role.name, environment={"account_id": "111122223333"}).try_to_apply(), refused)
    assert role.read() == role.made


def test_a_role_that_belongs_to_aws(shop: Shop, unique_name: str) -> None:
    """Named without its path, so that the configuration cannot know."""
    iam = shop.aws.client("iam")
    path = "/aws-service-role/sagemaker.amazonaws.com/"
    iam.create_role(RoleName=unique_name, Path=path, AssumeRolePolicyDocument=json.dumps(CONSOLE_TRUST))
    attempt = shop.stack(unique_name).try_to_apply()
    assert attempt.changes == {}
    assert_it_failed(
        attempt,
        f"Resource postcondition failed: The role arn:aws:iam::{ACCOUNT}:role{path}{unique_name} belongs to AWS, and"
        " nobody can change it. Configure the execution role of the SageMaker domain.",
    )


def test_an_endpoint_that_nobody_answers(shop: Shop, role: ExecutionRole) -> None:
    stack = shop.stack(role.name)
    nobody = "https://127.0.0.1:1"
    assert_it_failed(stack.plan(AWS_ENDPOINT_URL_S3=nobody), f'Unable to list objects in S3 bucket "{shop.bucket}"')
    assert_it_failed(stack.plan(AWS_ENDPOINT_URL_IAM=nobody), f"reading IAM Role ({role.name}): ", "connection refused")
    assert role.read() == role.made


def test_a_missing_state_bucket(shop: Shop, role: ExecutionRole) -> None:
    with pytest.raises(AssertionError, match='S3 bucket "no-such-bucket" does not exist'):
        replace(shop, bucket="no-such-bucket").stack(role.name)
    assert role.read() == role.made


def with_a_deleted_principal(role: ExecutionRole, make_role: MakeRole) -> str:
    colleague = make_role()
    role.trust = trust(*CONSOLE_TRUST["Statement"], statement(Principal={"AWS": colleague.arn}))
    colleague.delete()
    return f"names a deleted principal: {colleague.made.the_rest['RoleId']}."


def with_a_long_document(role: ExecutionRole, make_role: MakeRole) -> str:
    accounts = [f"{number:012}" for number in range(122)]
    long = statement("lambda.amazonaws.com", Condition={"StringEquals": {"aws:SourceAccount": accounts}})
    role.trust = trust(long)
    size = len(json.dumps(trust(long, GLUE_STATEMENT), separators=(",", ":")))
    return f"would be {size} characters long, and the quota is 2048."


def with_our_sid_on_a_foreign_statement(role: ExecutionRole, make_role: MakeRole) -> str:
    role.trust = trust(statement("sagemaker.amazonaws.com", Sid="GlueInteractiveSessions"))
    return "has a statement with Sid GlueInteractiveSessions that names principals other than Glue: "


LIVE: list[Callable[[ExecutionRole, MakeRole], str]] = [
    with_a_deleted_principal,
    with_a_long_document,
    with_our_sid_on_a_foreign_statement,
]


def test_a_trust_policy_that_aws_would_not_take_stops_at_the_plan(
    shop: Shop, role: ExecutionRole, make_role: MakeRole
) -> None:
    stack = shop.stack(role.name, trust={"ownership": "additive"})
    for make_it in LIVE:
        words = make_it(role, make_role)
        before = role.read()
        assert_it_failed(stack.try_to_apply(), f"Resource precondition failed: The trust policy of {role.arn} {words}")
        assert role.read() == before


def test_a_release_that_would_leave_no_statement_stops_at_the_plan(shop: Shop, role: ExecutionRole) -> None:
    role.trust = trust(GLUE_STATEMENT)
    before = role.read()
    assert_it_failed(
        shop.stack(role.name, released=True).try_to_apply(),
        f"Resource precondition failed: The trust policy of {role.arn} would have no statement left,",
    )
    assert role.read() == before
