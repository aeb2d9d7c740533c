"""The `Template` helper: it must fail when it should, and say what is nearest."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.template import ABSENT, Template

TEMPLATE = Template(
    {
        "terraform": {"backend": {"s3": {"key": "a.tfstate", "encrypt": True}}},
        "data": {"aws_iam_role": {"live": {"name": "a"}}},
        "resource": {
            "aws_iam_role": {
                "one": {"name": "a", "lifecycle": {"prevent_destroy": True, "ignore_changes": ["path"]}},
                "two": {"name": "b", "tags": {"team": "x"}},
            },
            "aws_iam_role_policy": {"one": {"name": "p", "count": 1}},
        },
    }
)


def test_what_is_there_is_returned() -> None:
    found = TEMPLATE.has_resource("aws_iam_role", "one", {"lifecycle": {"prevent_destroy": True}, "tags": ABSENT})
    assert found["name"] == "a"
    assert TEMPLATE.has_resource("aws_iam_role", None, {"name": "b"})["tags"] == {"team": "x"}
    assert TEMPLATE.has_data_source("aws_iam_role", "live", {"name": "a"}) == {"name": "a"}
    assert TEMPLATE.has_block("terraform.backend.s3", {"encrypt": True})["key"] == "a.tfstate"
    assert TEMPLATE.addresses == ["aws_iam_role.one", "aws_iam_role.two", "aws_iam_role_policy.one"]
    TEMPLATE.resource_count_is("aws_iam_role", 2)
    TEMPLATE.resource_count_is("aws_s3_bucket", 0)
    TEMPLATE.has_no_block("check", "removed")


MISSES: dict[str, tuple[Callable[[], Any], str]] = {
    "a count": (
        lambda: TEMPLATE.resource_count_is("aws_iam_role", 1),
        "expected 1 of aws_iam_role, found 2: one, two",
    ),
    "a count of what is not there": (
        lambda: TEMPLATE.resource_count_is("aws_s3_bucket", 1),
        "expected 1 of aws_s3_bucket, found 0: none",
    ),
    "a type": (
        lambda: TEMPLATE.has_resource("aws_s3_bucket", None, {}),
        "no resource aws_s3_bucket, there is: aws_iam_role, aws_iam_role_policy",
    ),
    "a name": (
        lambda: TEMPLATE.has_resource("aws_iam_role", "three", {}),
        "no resource aws_iam_role.three, there is: aws_iam_role.one, aws_iam_role.two",
    ),
    "a data source that is a resource": (
        lambda: TEMPLATE.has_data_source("aws_iam_role_policy", "one", {}),
        "no data aws_iam_role_policy.one, there is: aws_iam_role",
    ),
    "a property of another resource": (
        lambda: TEMPLATE.has_resource("aws_iam_role", None, {"name": "b", "tags": {"team": "y"}, "path": ABSENT}),
        'none of 2 aws_iam_role matches, the nearest is aws_iam_role.two\n  tags.team: expected "y", found "x"',
    ),
    "a nested property": (
        lambda: TEMPLATE.has_resource("aws_iam_role", "one", {"lifecycle": {"prevent_destroy": False}}),
        "not as expected: aws_iam_role.one\n  lifecycle.prevent_destroy: expected false, found true",
    ),
    "part of a list": (
        lambda: TEMPLATE.has_resource("aws_iam_role", "one", {"lifecycle": {"ignore_changes": []}}),
        'not as expected: aws_iam_role.one\n  lifecycle.ignore_changes: expected [], found ["path"]',
    ),
    "a property that should not be there": (
        lambda: TEMPLATE.has_resource("aws_iam_role", "two", {"tags": ABSENT}),
        'not as expected: aws_iam_role.two\n  tags: expected nothing, found {"team": "x"}',
    ),
    "nothing in place of a value": (
        lambda: TEMPLATE.has_resource("aws_iam_role", "two", {"path": None}),
        "not as expected: aws_iam_role.two\n  path: expected null, there is name, tags",
    ),
    "true in place of one": (
        lambda: TEMPLATE.has_resource("aws_iam_role_policy", "one", {"count": True}),
        "not as expected: aws_iam_role_policy.one\n  count: expected true, found 1",
    ),
    "a block": (
        lambda: TEMPLATE.has_block("terraform.backend.gcs", {}),
        "no terraform.backend.gcs: terraform.backend has s3",
    ),
    "a block below a value": (
        lambda: TEMPLATE.has_block("terraform.backend.s3.key.x", {}),
        'no terraform.backend.s3.key.x: terraform.backend.s3.key has the value "a.tfstate"',
    ),
    "another block": (
        lambda: TEMPLATE.has_block("terraform.backend.s3", {"encrypt": False}),
        "terraform.backend.s3 is another:\n  encrypt: expected false, found true",
    ),
    "a block that should not be there": (
        lambda: TEMPLATE.has_no_block("check", "data"),
        'expected no data, found {"aws_iam_role": {"live": {"name": "a"}}}',
    ),
}


@pytest.mark.parametrize(("ask", "message"), MISSES.values(), ids=MISSES)
def test_what_is_not_there_raises_with_the_nearest_miss(ask: Callable[[], Any], message: str) -> None:
    with pytest.raises(AssertionError, match=f"^{re.escape(message)}$"):
        ask()
