"""Resources other than roles that bear on access."""

from typing import Any

import pytest

from plans.plan import parse
from review.report import review
from tests.plan_builder import ACCOUNT, allow, change, document, plan

ROLE = f"arn:aws:iam::{ACCOUNT}:role/exec"
OPEN = document({**allow("sqs:*"), "Principal": "*"})


def hits(*changes: Any, **more: Any) -> list[tuple[str, str, str]]:
    found = review(parse(plan(*changes, **more), "dev")).findings
    return [(finding.rule, finding.address, finding.reason) for finding in found]


def configured(address: str, **expressions: Any) -> dict[str, Any]:
    return {"configuration": {"root_module": {"resources": [{"address": address, "expressions": expressions}]}}}


def test_a_resource_policy_counts_only_where_it_changes() -> None:
    queue = {"name": "q", "policy": OPEN}
    assert hits(change("aws_sqs_queue.q", queue, {**queue, "delay_seconds": 1})) == []
    found = hits(change("aws_sqs_queue.q", queue, {**queue, "policy": "{}"}))
    assert [rule for rule, *_ in found] == ["policy-unreadable"]


def test_an_unknown_resource_policy_counts_only_where_the_configuration_sets_it() -> None:
    new = change("aws_sqs_queue.q", None, {"name": "q"}, unknown={"policy": True})
    assert hits(new, **configured("aws_sqs_queue.q", name={})) == []
    expression = {"references": ["aws_sns_topic.t.arn"]}
    assert len(hits(new, **configured("aws_sqs_queue.q", policy=expression))) == 1


def test_a_role_in_a_nested_block_counts() -> None:
    block = {"default_user_settings": [{"execution_role": ROLE}]}
    assert hits(change("aws_sagemaker_domain.d", None, block)) == [
        ("service-role-changed", "aws_sagemaker_domain.d", f"aws_sagemaker_domain runs with {ROLE}")
    ]


def test_an_unknown_or_sensitive_role_is_not_shown() -> None:
    unknown = change("aws_glue_job.j", None, {}, unknown={"role_arn": True})
    hidden = change("aws_glue_job.k", None, {"role_arn": ROLE}, after_sensitive={"role_arn": True})
    assert [reason for *_, reason in hits(unknown, hidden)] == [
        "aws_glue_job runs with a role that is known after apply",
        "aws_glue_job runs with a role that is marked sensitive",
    ]


def test_a_resource_that_gives_up_its_role_is_no_finding() -> None:
    assert hits(change("aws_glue_job.j", {"role_arn": ROLE}, None)) == []


def test_resource_types_that_nobody_knows_are_one_finding() -> None:
    new = [change(f"aws_brand_new_{number:02}.x", None, {}) for number in range(15)]
    (hit,) = hits(*new, change("random_id.x", None, {}))
    assert hit[0] == "not-judged"
    assert hit[2].endswith("aws_brand_new_11 and 3 more")


def test_invoked_actions_are_named() -> None:
    invocation = {"address": "action.aws_lambda_invoke.x", "type": "aws_lambda_invoke"}
    assert hits(action_invocations=[invocation]) == [
        ("not-judged", "action.aws_lambda_invoke.x", "the apply invokes this action; not evaluated")
    ]


def test_a_waiver_of_an_action_is_bound_to_its_arguments_and_trigger() -> None:
    subjects = set()
    for payload, event in (("a", "AfterCreate"), ("b", "AfterCreate"), ("a", "AfterUpdate")):
        trigger = {"triggering_resource_address": "aws_iam_role.exec", "action_trigger_event": event}
        invocation = {"address": "action.aws_lambda_invoke.x", "config_values": {"payload": payload}}
        content = plan(action_invocations=[{**invocation, "lifecycle_action_trigger": trigger}])
        subjects |= {each.subject for each in review(parse(content, "dev")).findings}
    assert len(subjects) == 3


def test_a_waiver_of_a_program_is_bound_to_its_arguments() -> None:
    subjects = set()
    for text in ("a", "b"):
        block = {"address": "terraform_data.x", "provisioners": [{"type": "local-exec", "expressions": text}]}
        read = {**change("data.external.x", None, {"program": [text]}, actions=["read"]), "mode": "data"}
        of_plan = {"configuration": {"root_module": {"resources": [block]}}}
        content = plan({**read, "type": "external"}, change("terraform_data.x", None, {}), **of_plan)
        subjects |= {each.subject for each in review(parse(content, "dev")).findings}
    assert len(subjects) == 4


@pytest.mark.parametrize("type_", ["google_project_iam_member", "azurerm_x"])
def test_other_providers_are_judged_by_what_their_values_look_like(type_: str) -> None:
    found = hits(change(f"{type_}.x", None, {"text": OPEN}))
    assert [rule for rule, *_ in found] == ["not-judged"]
