"""What `permissions: recipe` means is named as such only where no other policy that the plan writes is part of it."""

import json
from typing import Any

import pytest

from iam.arn import RoleArn
from iam.documents.access import access_policy
from plans import plan as plans
from review.report import Review, review
from tests.iam.documents.test_access import WHOLE
from tests.plan_builder import allow, attachment, change, document, role_policy
from tests.review.stack_plans import BEFORE, RECIPE, Stack

STACK = Stack("exec")
ACCESS = json.dumps(access_policy(WHOLE, partition="aws", account_id=RoleArn.parse(STACK.arn).account_id))
ADOPTION = (STACK.role(BEFORE, RECIPE), STACK.policy(None, STACK.inline), STACK.attachment(False, True))
LAMBDA = document(allow(["lambda:CreateFunction", "lambda:InvokeFunction"]))
MORE = json.dumps({**json.loads(ACCESS), "Statement": [*json.loads(ACCESS)["Statement"], allow("lambda:*")]})
OTHER_MANAGED = change(
    "aws_iam_role_policy_attachment.glue_sessions",
    None,
    {"role": "exec", "policy_arn": "arn:aws:iam::aws:policy/AmazonEC2FullAccess"},
)


def is_the_recipe_alone(*changes: dict[str, Any]) -> bool:
    found = Review((review(plans.parse(STACK.plan(*changes), "glue-sessions-dev-exec")),), "high")
    assert found.failing
    assert found.verdict.startswith("do not apply as is: ") is not found.fails_for_the_recipe_alone
    return found.fails_for_the_recipe_alone


@pytest.mark.parametrize(
    "more",
    [
        (),
        (STACK.access(None, ACCESS),),
        (role_policy(LAMBDA, LAMBDA),),
        (role_policy(LAMBDA, None),),
        (role_policy(None, LAMBDA, of="another"),),
    ],
    ids=["alone", "with access", "a policy that stays", "a policy that goes", "a policy of another role"],
)
def test_it_is_where_nothing_else_is_written(more: tuple[dict[str, Any], ...]) -> None:
    assert is_the_recipe_alone(*ADOPTION, *more)


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize(
    "more",
    [
        role_policy(None, LAMBDA),
        role_policy(document(allow("s3:GetObject")), LAMBDA),
        role_policy(None, document(allow("iam:PassRole"))),
        attachment("arn:aws:iam::aws:policy/AmazonEC2FullAccess"),
        STACK.access(None, LAMBDA),
        STACK.access(None, MORE),
        STACK.access(ACCESS, MORE),
        {**STACK.policy(None, LAMBDA), "address": "aws_iam_role_policy.same_name"},
    ],
    ids=[
        "completes a path",
        "completes a path by a change",
        "passes roles itself",
        "a managed policy",
        "at the address of access",
        "more than access",
        "a change to more than access",
        "by the same name",
    ],
)
def test_it_is_not_where_another_policy_is_written(more: dict[str, Any], is_first: bool) -> None:
    assert not is_the_recipe_alone(*([more, *ADOPTION] if is_first else [*ADOPTION, more]))


@pytest.mark.parametrize(
    "changes",
    [
        (STACK.policy(STACK.inline, STACK.inline), STACK.attachment(False, True)),
        (STACK.policy(None, STACK.inline), STACK.attachment(True, True)),
        (STACK.policy(LAMBDA, STACK.inline), STACK.attachment(True, True)),
        (STACK.policy(LAMBDA, STACK.inline), STACK.attachment(False, True)),
    ],
    ids=["attached again", "written again", "changed back", "both"],
)
def test_it_is_where_a_repair_restores_it(changes: tuple[dict[str, Any], ...]) -> None:
    repaired = (STACK.role(RECIPE, RECIPE), *changes)
    assert is_the_recipe_alone(*repaired)
    assert is_the_recipe_alone(*repaired, role_policy(LAMBDA, LAMBDA))
    assert not is_the_recipe_alone(*repaired, role_policy(None, LAMBDA))


def test_it_is_not_where_another_level_is_repaired() -> None:
    narrow = Stack("exec", "least-privilege")
    passes = document(allow("iam:PassRole"))
    kept = role_policy(passes, passes)
    restored = (STACK.role(RECIPE, RECIPE), STACK.policy(narrow.inline, narrow.inline), STACK.attachment(False, True))
    assert not is_the_recipe_alone(*restored, kept)


def test_it_is_not_with_another_managed_policy_at_its_address() -> None:
    assert not is_the_recipe_alone(*ADOPTION[:2], OTHER_MANAGED)
