"""The `Template` helper: it fails when it should, and its message shows the nearest miss."""

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


def test_what_matches_is_returned() -> None:
    role = TEMPLATE.has_resource("aws_iam_role", "one", {"lifecycle": {"prevent_destroy": True}, "tags": ABSENT})
    assert role["name"] == "a"
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
        "expected 1 of aws_iam_role, got 2: one, two",
    ),
    "a count of a missing type": (
        lambda: TEMPLATE.resource_count_is("aws_s3_bucket", 1),
        "expected 1 of aws_s3_bucket, got 0: none",
    ),
    "a type": (
        lambda: TEMPLATE.has_resource("aws_s3_bucket", None, {}),
        "no resource aws_s3_bucket, only aws_iam_role, aws_iam_role_policy",
    ),
    "a name": (
        lambda: TEMPLATE.has_resource("aws_iam_role", "three", {}),
        "no resource aws_iam_role.three, only aws_iam_role.one, aws_iam_role.two",
    ),
    "a data source that is a resource": (
        lambda: TEMPLATE.has_data_source("aws_iam_role_policy", "one", {}),
        "no data aws_iam_role_policy.one, only aws_iam_role",
    ),
    "a property of another resource": (
        lambda: TEMPLATE.has_resource("aws_iam_role", None, {"name": "b", "tags": {"team": "y"}, "path": ABSENT}),
        'none of 2 aws_iam_role matches, the nearest is aws_iam_role.two\n  tags.team: expected "y", got "x"',
    ),
    "a nested property": (
        lambda: TEMPLATE.has_resource("aws_iam_role", "one", {"lifecycle": {"prevent_destroy": False}}),
        "not as expected: aws_iam_role.one\n  lifecycle.prevent_destroy: expected false, got true",
    ),
    "part of a list": (
        lambda: TEMPLATE.has_resource("aws_iam_role", "one", {"lifecycle": {"ignore_changes": []}}),
        'not as expected: aws_iam_role.one\n  lifecycle.ignore_changes: expected [], got ["path"]',
    ),
    "a property that should be missing": (
        lambda: TEMPLATE.has_resource("aws_iam_role", "two", {"tags": ABSENT}),
        'not as expected: aws_iam_role.two\n  tags: expected no value, got {"team": "x"}',
    ),
    "null in place of a missing value": (
        lambda: TEMPLATE.has_resource("aws_iam_role", "two", {"path": None}),
        "not as expected: aws_iam_role.two\n  path: expected null, got only name, tags",
    ),
    "true in place of 1": (
        lambda: TEMPLATE.has_resource("aws_iam_role_policy", "one", {"count": True}),
        "not as expected: aws_iam_role_policy.one\n  count: expected true, got 1",
    ),
    "a block": (
        lambda: TEMPLATE.has_block("terraform.backend.gcs", {}),
        "no terraform.backend.gcs: terraform.backend has s3",
    ),
    "a block below a value": (
        lambda: TEMPLATE.has_block("terraform.backend.s3.key.x", {}),
        'no terraform.backend.s3.key.x: terraform.backend.s3.key has the value "a.tfstate"',
    ),
    "a block that differs": (
        lambda: TEMPLATE.has_block("terraform.backend.s3", {"encrypt": False}),
        "terraform.backend.s3 is not as expected:\n  encrypt: expected false, got true",
    ),
    "a block that should be missing": (
        lambda: TEMPLATE.has_no_block("check", "data"),
        'expected no data, got {"aws_iam_role": {"live": {"name": "a"}}}',
    ),
}


@pytest.mark.parametrize(("ask", "message"), MISSES.values(), ids=MISSES)
def test_a_mismatch_raises_an_error_with_the_nearest_miss(ask: Callable[[], Any], message: str) -> None:
    with pytest.raises(AssertionError, match=f"^{re.escape(message)}$"):
        ask()
