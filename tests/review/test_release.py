"""A release: what this project granted is one low finding, and any other loss keeps its severity."""

import json
from typing import Any

import pytest

from iam.arn import RoleArn
from iam.documents.access import Access, access_policy
from iam.documents.recipe import PERMISSION_LEVELS, Permissions
from plans import plan as plans
from review.report import Review, review
from tests.iam.documents.test_access import KEY, WHOLE
from tests.plan_builder import FULL_ACCESS, allow, attachment, document, plan, role_policy, trust
from tests.review.stack_plans import ADDITIVE, BEFORE, PARTNER, RECIPE, Stack

EXEC = Stack("exec")


def raised(content: bytes) -> list[tuple[str, str]]:
    found = Review((review(plans.parse(content, "glue-sessions-dev-exec")),), "high")
    assert found.failing == [each for each in found.findings if each.severity in ("critical", "high")]
    return [(each.severity, each.rule) for each in found.findings]


ONE_LOW = [("low", "grants-released")]


@pytest.mark.parametrize("before", [RECIPE, ADDITIVE], ids=["authoritative", "additive"])
@pytest.mark.parametrize("level", PERMISSION_LEVELS)
def test_a_release_is_one_low_finding_at_every_level(level: Permissions, before: str) -> None:
    assert raised(Stack("exec", level).released(before)) == ONE_LOW


def test_it_names_what_is_lost() -> None:
    (finding,) = review(plans.parse(EXEC.released(), "dev")).findings
    assert finding.reason == (
        "takes back what this project granted: inline policy glue-sagemaker-interactive-sessions-setup, "
        "managed policy arn:aws:iam::aws:policy/service-role/AwsGlueSessionUserRestrictedServiceRole, Glue's trust"
    )


def test_a_release_after_the_trust_was_taken_by_hand_is_one_low_finding() -> None:
    assert raised(EXEC.released(BEFORE, BEFORE)) == ONE_LOW


def test_the_rest_of_a_release_that_stopped_halfway_is_one_low_finding() -> None:
    assert raised(EXEC.plan(EXEC.role(RECIPE, BEFORE))) == ONE_LOW


def test_a_plan_that_only_leaves_grants_is_no_plan_to_keep_from_being_applied() -> None:
    def verdict(content: bytes) -> str:
        return Review((review(plans.parse(content, "glue-sessions-dev-exec")),), "high").verdict

    left = verdict(EXEC.released_without_state())
    assert left.startswith("1 high: an apply of this plan leaves grants on the role; ")
    partner = document(PARTNER, *json.loads(RECIPE)["Statement"])
    assert verdict(EXEC.released_in_two_steps(partner)).startswith("do not apply as is: 1 high; ")


def test_the_first_of_two_steps_that_release_a_role_without_a_state_is_one_low_finding() -> None:
    content = EXEC.released_in_two_steps()
    assert raised(content) == ONE_LOW
    (found,) = review(plans.parse(content, "dev")).findings
    assert found.reason == "takes back what this project granted: Glue's trust"
    partner = document(PARTNER, *json.loads(RECIPE)["Statement"])
    assert raised(EXEC.released_in_two_steps(partner)) == [("high", "trust-lost"), *ONE_LOW]
    # the same imports by a plan that leaves the trust policy as it is: a role that is configured, not released
    assert raised(EXEC.released_in_two_steps(RECIPE, RECIPE)) == []


def test_a_role_of_another_project_at_the_same_address_is_not_released() -> None:
    assert raised(plan(EXEC.role(RECIPE, BEFORE))) == [("high", "trust-lost")]


@pytest.mark.parametrize("level", PERMISSION_LEVELS)
def test_the_release_of_a_role_that_another_stack_owns_is_one_low_finding(level: Permissions) -> None:
    stack = Stack("exec", level)
    assert raised(stack.plan(stack.policy(stack.inline, None), stack.attachment(True, False))) == ONE_LOW


def edited(**statement: Any) -> str:
    """Return the inline policy with one more statement, which others wrote into it."""
    body = json.loads(EXEC.inline)
    return json.dumps({**body, "Statement": [*body["Statement"], statement]})


def released_with_access(*more: Any, without: str = "", access: Access = WHOLE) -> bytes:
    """Return the release of a role with `access`, in whose policy others changed something."""
    body = access_policy(access, partition="aws", account_id=RoleArn.parse(EXEC.arn).account_id)
    assert body
    kept = [each for each in body["Statement"] if each["Sid"] != without]
    before = json.dumps({**body, "Statement": [*kept, *more]})
    taken = EXEC.policy(EXEC.inline, None), EXEC.attachment(True, False), EXEC.access(before, None)
    return EXEC.plan(EXEC.role(RECIPE, BEFORE), *taken)


@pytest.mark.parametrize("access", [WHOLE, Access("", read_buckets=("s3://one",)), Access("", lake_formation=True)])
def test_the_release_of_a_role_with_access_is_one_low_finding(access: Access) -> None:
    assert raised(released_with_access(access=access)) == ONE_LOW


OTHER_LOSSES = {
    "a statement that others wrote into the policy of access": (
        released_with_access(allow("s3:DeleteObject", "arn:aws:s3:::data/*")),
        [("medium", "permissions-lost"), *ONE_LOW],
    ),
    "a statement of access that others changed": (
        released_with_access(
            {"Sid": "UseKeys", **allow("kms:*", KEY)}, without="UseKeys", access=Access("eu-west-1", keys=(KEY,))
        ),
        [("medium", "permissions-lost"), *ONE_LOW],
    ),
    "a partner's trust": (
        EXEC.released(document(PARTNER, *json.loads(RECIPE)["Statement"])),
        [("high", "trust-lost"), *ONE_LOW],
    ),
    "a service's trust": (
        EXEC.released(trust("sagemaker.amazonaws.com", "glue.amazonaws.com", "forecast.amazonaws.com"), BEFORE),
        [("high", "trust-lost"), *ONE_LOW],
    ),
    "SageMaker's trust": (
        EXEC.released(RECIPE, document(PARTNER)),
        [("high", "trust-lost"), ("high", "trust-opened-to-account"), *ONE_LOW],
    ),
    "what others wrote into the policy": (
        EXEC.plan(
            EXEC.role(RECIPE, BEFORE),
            EXEC.policy(edited(**allow("s3:DeleteObject", "arn:aws:s3:::data/*")), None),
            EXEC.attachment(True, False),
        ),
        [("medium", "permissions-lost"), *ONE_LOW],
    ),
    "a Deny that others wrote into the policy": (
        EXEC.plan(
            EXEC.role(RECIPE, BEFORE),
            EXEC.policy(edited(**{**allow("s3:DeleteObject"), "Effect": "Deny"}), None),
            EXEC.attachment(True, False),
        ),
        [("medium", "denial-lost"), *ONE_LOW],
    ),
    "what is in the policy of access and no setting asks for": (
        EXEC.plan(
            EXEC.role(RECIPE, BEFORE),
            EXEC.policy(EXEC.inline, None),
            EXEC.attachment(True, False),
            EXEC.access(document(allow("s3:PutObject", "arn:aws:s3:::data/*")), None),
        ),
        [("medium", "permissions-lost"), *ONE_LOW],
    ),
    "another policy": (
        EXEC.plan(
            EXEC.role(RECIPE, BEFORE),
            EXEC.policy(EXEC.inline, None),
            EXEC.attachment(True, False),
            role_policy(document(allow("s3:*")), None, name="data"),
        ),
        [("medium", "permissions-lost"), *ONE_LOW],
    ),
    "all but the managed policy: no release": (
        EXEC.plan(EXEC.role(RECIPE, BEFORE), EXEC.policy(EXEC.inline, None), EXEC.attachment(True, True)),
        [("high", "trust-lost"), ("medium", "permissions-lost")],
    ),
    "the role: no release": (
        EXEC.plan(
            {**EXEC.role(RECIPE, RECIPE), "change": {"actions": ["delete"], "before": EXEC.attributes(RECIPE)}},
            EXEC.policy(EXEC.inline, None),
            EXEC.attachment(True, False),
        ),
        [("critical", "role-destroyed")],
    ),
}


@pytest.mark.parametrize(("content", "expected"), OTHER_LOSSES.values(), ids=OTHER_LOSSES)
def test_any_other_loss_keeps_its_severity(content: bytes, expected: list[tuple[str, str]]) -> None:
    assert raised(content) == expected


def test_the_same_grants_of_another_module_or_address_are_no_release() -> None:
    content = EXEC.released().replace(b".glue_sessions", b".theirs").replace(b".execution_role", b".theirs")
    assert ("high", "trust-lost") in raised(content)


def test_many_statements_of_one_policy_are_one_finding() -> None:
    detached = EXEC.plan(attachment(FULL_ACCESS, gone=True))
    (finding,) = review(plans.parse(detached, "dev")).findings
    assert finding.reason.count("lost: ") == 3
    assert finding.reason.endswith(f"more of managed policy {FULL_ACCESS}")
    assert len(finding.subject) > 100


def test_a_check_does_not_repeat_what_findings_say() -> None:
    lost = document(PARTNER, *json.loads(BEFORE)["Statement"])
    assert raised(EXEC.adopted(lost, checks=["This plan removes a statement"])) == [
        ("high", "trust-lost"),
        ("high", "pass-any-role"),
        ("high", "privilege-escalation"),
    ]
    assert ("medium", "check-failed") in raised(EXEC.adopted(checks=["This plan removes a statement"]))
