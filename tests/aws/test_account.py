from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest

from aws.account import Account, Calls, each
from sandbox.launcher import Sandbox


@pytest.fixture
def account(aws: Sandbox) -> Account:
    return Account(boto3.Session(), calls=Calls(), region="us-east-1")


def test_the_caller_is_read_once_also_for_another_region(account: Account) -> None:
    identity = account.identity
    other = account.in_region("eu-west-1")
    assert other.identity == identity
    assert (account.in_region("us-east-1"), other.region) == (account, "eu-west-1")
    assert account.calls.by_operation == {"GetCallerIdentity": 1}


def test_an_assumed_role_is_another_caller_and_its_calls_are_counted(account: Account, aws: Sandbox) -> None:
    assumed = account.assuming("arn:aws:iam::222222222222:role/deploy", session_name="test")
    assert assumed.identity.account_id == "222222222222"
    assert str(account.calls) == "2 API calls (AssumeRole 1, GetCallerIdentity 1)"


def test_pages_count_as_calls_and_clients_are_reused(account: Account) -> None:
    pages = sum(1 for _ in account.client("iam").get_paginator("list_roles").paginate())
    assert account.client("iam") is account.client("iam", "us-east-1")
    assert account.calls.by_operation == {"ListRoles": pages}


def test_work_in_parallel_returns_results_in_order_and_reports_each_item() -> None:
    done: list[None] = []
    with ThreadPoolExecutor(4) as pool:
        assert list(each(pool, str, range(20), lambda: done.append(None))) == [str(number) for number in range(20)]
        with pytest.raises(ValueError, match="invalid literal"):
            list(each(pool, int, ["1", "x"], lambda: done.append(None)))
    assert len(done) == 22
