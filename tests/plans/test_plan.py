"""Plans of every shape: read, or refused in one line."""

import json
from typing import Any

import pytest

from plans.plan import FailedCheck, PlanError, parse
from plans.values import UNKNOWN, Hidden
from tests.plan_builder import SAGEMAKER, change, plan, role, trust


def test_a_forgotten_resource_stays_as_it_is() -> None:
    (found,) = parse(plan(role(trust(SAGEMAKER), None, actions=["forget"])), "dev").changes
    assert found.snapshots == {"before", "after"}
    assert found.values["after"] == found.values["before"]


def test_unknown_and_sensitive_attributes_are_marked() -> None:
    entry = change("aws_iam_role.r", None, {"name": "secret"}, unknown={"arn": True}, after_sensitive={"name": True})
    (found,) = parse(plan(entry), "dev").changes
    assert found.get("after", "name") == Hidden("secret")
    assert found.get("after", "arn") is UNKNOWN
    assert found.text("after", "name") == ""


def test_sensitive_tags_are_sensitive_among_all_tags_too() -> None:
    tags = {"tags": {"Token": "t", "Team": "a"}, "tags_all": {"Token": "t", "Team": "a"}}
    entry = change("aws_iam_role.r", None, tags, after_sensitive={"tags": {"Token": True}, "tags_all": {}})
    (found,) = parse(plan(entry), "dev").changes
    assert found.get("after", "tags_all") == {"Token": Hidden("t"), "Team": "a"}


def test_failed_checks_are_read_with_their_messages() -> None:
    address = {"to_display": "check.trust"}
    checks = [
        {"instances": [{"address": address, "status": "fail", "problems": [{"message": "no: really"}]}]},
        {"instances": [{"address": address, "status": "error"}]},
        {"instances": [{"address": address, "status": "pass"}]},
    ]
    assert parse(plan(checks=checks), "dev").failed_checks == (
        FailedCheck("check.trust", "no: really"),
        FailedCheck("check.trust", "error"),
    )


def changed(**change: Any) -> dict[str, Any]:
    return {"address": "a", "type": "a", "change": change}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"resource_changes": {}}, "resource_changes is not a list"),
        ({"resource_changes": [{"type": "a"}]}, "resource_changes[0].address is not a string"),
        ({"resource_drift": [{"change": {}, "type": "a"}]}, "resource_drift[0].address is not a string"),
        ({"resource_changes": [{"address": "a", "type": "a", "change": 7}]}, "resource_changes[0].change is not an"),
        (
            {"resource_changes": [changed(after=[])]},
            "resource_changes[0].change.after is not an object",
        ),
        (
            {"resource_changes": [changed(actions=["update"], after={}, after_unknown=True)]},
            "resource_changes[0].change.after_unknown is not an object",
        ),
        ({"resource_changes": [changed(after={})]}, "resource_changes[0].change.actions is empty"),
        (
            {"resource_changes": [changed(actions=["create"], after_unknown=True)]},
            "resource_changes[0].change.after is null, although the actions are create",
        ),
        ({"checks": 7}, "checks is not a list"),
        ({"prior_state": []}, "prior_state is not an object"),
        ({"configuration": "x"}, "configuration is not an object"),
    ],
)
def test_a_part_of_another_type_is_named(more: dict[str, Any], message: str) -> None:
    content = json.dumps({"format_version": "1.2", "resource_changes": [], **more}).encode()
    with pytest.raises(PlanError) as error:
        parse(content, "dev", "dev.json")
    assert str(error.value).startswith(f"dev.json: is not a Terraform plan: {message}")


def test_what_a_plan_leaves_to_a_later_one_is_listed() -> None:
    found = parse(
        plan(
            complete=False,
            deferred_changes=[{"reason": "instance_count_unknown", "resource_change": {"address": "aws_iam_role.r"}}],
            deferred_action_invocations=[{"reason": "unknown", "action_invocation": {"address": "action.a.b"}}],
            action_invocations=[{"address": "action.a.c"}],
        ),
        "dev",
    )
    assert (found.complete, found.deferred, tuple(each.address for each in found.invocations)) == (
        False,
        ("aws_iam_role.r", "action.a.b"),
        ("action.a.c",),
    )
