"""A reviewed plan in which only what the plan does not write is forged: the reviewers saw something else."""

from typing import Any

import pytest

from applying.comparison import differences
from plans.plan import PlanError, parse
from tests.plan_builder import GLUE, SAGEMAKER, allow, attachment, change, document, plan, role, role_policy, trust

OWN, STAR = document(allow("s3:GetObject")), document(allow("*"))
CONSOLE, RECIPE = trust(SAGEMAKER), trust(GLUE, SAGEMAKER)
POLICY = "arn:aws:iam::111122223333:policy/theirs"


def found(reviewed: bytes, now: bytes) -> list[str]:
    return [str(each) for each in differences(parse(reviewed, "reviewed"), parse(now, "now"))]


def knows(type_: str, **values: str) -> dict[str, Any]:
    data = {"address": f"data.{type_}.known", "mode": "data", "type": type_, "values": values}
    return {"prior_state": {"values": {"root_module": {"resources": [data]}}}}


def region(name: str) -> dict[str, Any]:
    return {
        "configuration": {
            "provider_config": {"aws": {"name": "aws", "expressions": {"region": {"constant_value": name}}}}
        }
    }


def imported(**identity: str) -> dict[str, Any]:
    return change("aws_iam_user_policy.x", {"name": "x"}, {"name": "x"}, importing={"identity": identity})


@pytest.mark.parametrize(
    ("reviewed", "now", "line"),
    [
        (
            plan(role_policy(OWN, STAR, of="harmless")),
            plan(role_policy(OWN, STAR)),
            'aws_iam_role_policy.inline: role: reviewed "harmless", now "exec"',
        ),
        (
            plan({**role_policy(OWN, STAR), "type": "aws_s3_object"}),
            plan(role_policy(OWN, STAR)),
            'aws_iam_role_policy.inline: type: reviewed "aws_s3_object", now "aws_iam_role_policy"',
        ),
        (
            plan(
                {**role(CONSOLE, RECIPE, name="harmless"), "address": "aws_iam_role.exec"},
                **knows("aws_iam_role", name="exec", arn="arn:aws:iam::111122223333:role/exec"),
            ),
            plan(role(CONSOLE, RECIPE)),
            'aws_iam_role.exec: name: reviewed "harmless", now "exec"',
        ),
        (
            plan(imported(name="harmless")),
            plan(imported(name="admin")),
            'import: reviewed "by identity {"name": "harmless"}", now "by identity {"name": "admin"}"',
        ),
        (
            plan(attachment(POLICY), **knows("aws_iam_policy", arn=POLICY, policy=OWN)),
            plan(attachment(POLICY), **knows("aws_iam_policy", arn=POLICY, policy=STAR)),
            f"policy {POLICY}: policy: reviewed {OWN}, now {STAR}",
        ),
        (
            plan(attachment(POLICY), **knows("aws_iam_policy", arn=POLICY, policy=OWN)),
            plan(attachment(POLICY)),
            f"policy {POLICY}: policy: reviewed {OWN}, now none",
        ),
        (
            plan(attachment(POLICY), **knows("aws_caller_identity", account_id="222233334444")),
            plan(attachment(POLICY), **knows("aws_caller_identity", account_id="111122223333")),
            'data.aws_caller_identity.known: account_id: reviewed "222233334444", now "111122223333"',
        ),
        (
            plan(**region("eu-west-1")),
            plan(**region("us-east-1")),
            'the provider: region: reviewed ["eu-west-1"], now ["us-east-1"]',
        ),
    ],
)
def test_what_the_reviewers_saw_is_compared_too(reviewed: bytes, now: bytes, line: str) -> None:
    (difference,) = found(reviewed, now)
    assert line in difference
    assert found(now, now) == []


def test_a_check_that_fails_only_now_was_not_reviewed() -> None:
    def checked(status: str) -> bytes:
        problems = [{"message": "This plan takes away a statement."}] if status == "fail" else []
        instance = {"address": {"to_display": "check.kept"}, "status": status, "problems": problems}
        return plan(role(CONSOLE, RECIPE), checks=[{"status": status, "instances": [instance]}])

    assert found(checked("pass"), checked("fail")) == [
        'check.kept: failed check: reviewed none, now "This plan takes away a statement."'
    ]
    assert found(checked("fail"), checked("fail")) == found(checked("fail"), checked("pass")) == []


def test_a_policy_that_the_first_half_of_the_apply_has_written_is_no_difference() -> None:
    written = change("aws_iam_policy.theirs", {"arn": POLICY, "policy": OWN}, {"arn": POLICY, "policy": STAR})
    done = change("aws_iam_policy.theirs", written["change"]["after"], written["change"]["after"])
    before, after = (knows("aws_iam_policy", arn=POLICY, policy=each) for each in (OWN, STAR))
    assert found(plan(written, attachment(POLICY), **before), plan(done, attachment(POLICY), **after)) == []


def test_a_plan_has_each_address_once() -> None:
    twice = plan(role_policy(None, OWN), role_policy(None, STAR))
    with pytest.raises(PlanError, match=r"resource_changes has aws_iam_role_policy\.inline twice$"):
        parse(twice, "reviewed")
    deposed = {**role_policy(OWN, None), "deposed": "b10c"}
    assert len(parse(plan(role_policy(OWN, STAR), deposed), "reviewed").changes) == 2


@pytest.mark.parametrize(("reviewed", "now"), [(0, False), (1, True), ("true", True), ("3600", 3600), ([1], [True])])
def test_a_value_of_another_type_is_another_value(reviewed: Any, now: Any) -> None:
    def changed(value: Any, **more: Any) -> bytes:
        return plan(change("aws_s3_bucket_public_access_block.x", {"v": None}, {"v": value}, **more))

    assert len(found(changed(reviewed), changed(now))) == 1
    assert found(changed(now), changed(now)) == []
    hidden: Any = {"after_sensitive": {"v": True}}
    assert len(found(changed(reviewed, **hidden), changed(now, **hidden))) == 1
