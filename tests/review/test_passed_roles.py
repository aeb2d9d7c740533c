"""Roles that a notebook can pass to Glue although its permission level does not grant it."""

import json
from typing import Any

import pytest

from iam.documents.recipe import Permissions, inline_policy
from plans import plan as plans
from review.report import review
from review.rules.rule import Finding
from tests.plan_builder import allow, document, role_policy
from tests.review.stack_plans import BEFORE, RECIPE, Stack

RULE = "other-roles-to-glue"
LEAST = Stack("exec", "least-privilege")
RECIPES = Stack("exec", "recipe").inline
UNREAD = "arn:aws:iam::123456789012:policy/unread"


def found(content: bytes) -> list[Finding]:
    return [each for each in review(plans.parse(content, "dev")).findings if each.rule == RULE]


def without_full_access(stack: Stack, *managed: str, **more: Any) -> dict[str, Any]:
    change = stack.role(BEFORE, RECIPE, importing={"id": stack.name})
    for snapshot in ("before", "after"):
        change["change"][snapshot] = {**change["change"][snapshot], "managed_policy_arns": list(managed), **more}
    return change


def test_full_access_beside_least_privilege_is_a_finding_that_names_the_roles() -> None:
    (finding,) = found(LEAST.adopted())
    assert finding.severity == "medium"
    assert finding.reason == (
        "a notebook can start Glue sessions as other roles: managed policy"
        " arn:aws:iam::aws:policy/AmazonSageMakerFullAccess allows it on arn:aws:iam::*:role/*AmazonSageMaker*"
    )
    assert finding.subject == (
        "iam:passrole on arn:aws:iam::*:role/*AmazonSageMaker* when stringlike iam:passedtoservice"
        " [glue.amazonaws.com, robomaker.amazonaws.com, states.amazonaws.com]",
    )


@pytest.mark.parametrize("level", ["recipe", "isolated"])
def test_the_recipe_grants_it_and_isolated_denies_it(level: Permissions) -> None:
    assert found(Stack("exec", level).adopted()) == []


def test_it_is_raised_where_it_begins_and_not_where_nothing_changes() -> None:
    kept = [LEAST.role(RECIPE, RECIPE), LEAST.attachment(True, True)]
    assert found(LEAST.plan(*kept, LEAST.policy(RECIPES, LEAST.inline)))
    assert not found(LEAST.plan(*kept, LEAST.policy(LEAST.inline, LEAST.inline)))
    assert not found(LEAST.plan(*kept, LEAST.policy(LEAST.inline, RECIPES)))
    assert not found(LEAST.plan(*kept, LEAST.policy(LEAST.inline, None)))


def test_another_policy_of_the_same_plan_counts() -> None:
    own = [without_full_access(LEAST), LEAST.policy(None, LEAST.inline), LEAST.attachment(False, True)]
    assert not found(LEAST.plan(*own))
    other = role_policy(None, document(allow("iam:PassRole", "arn:aws:iam::123456789012:role/etl-*")), name="jobs")
    assert found(LEAST.plan(*own, other))


def test_a_policy_that_the_plan_does_not_contain_leaves_it_undecided() -> None:
    own = [without_full_access(LEAST, UNREAD), LEAST.policy(None, LEAST.inline), LEAST.attachment(False, True)]
    (finding,) = found(LEAST.plan(*own))
    assert finding.reason.startswith("whether a notebook can start Glue sessions as other roles is undecided: ")
    assert f"managed policy {UNREAD} allows it is unknown" in finding.reason


def test_a_boundary_that_allows_no_role_to_be_passed_is_enough() -> None:
    power_user = {"permissions_boundary": "arn:aws:iam::aws:policy/PowerUserAccess"}
    own = [without_full_access(LEAST, UNREAD, **power_user), LEAST.policy(None, LEAST.inline)]
    assert not found(LEAST.plan(*own))


def test_of_a_role_that_another_stack_owns_it_is_undecided_unless_denied() -> None:
    (finding,) = found(LEAST.plan(LEAST.policy(None, LEAST.inline), LEAST.attachment(False, True)))
    assert finding.reason == (
        "whether a notebook can start Glue sessions as other roles is undecided: this plan does not read the role's"
        " other policies"
    )
    isolated = Stack("exec", "isolated")
    assert not found(isolated.plan(isolated.policy(None, isolated.inline), isolated.attachment(False, True)))


def test_the_same_policy_of_another_stack_is_not_this_projects() -> None:
    partition: dict[str, Any] = {"partition": "aws", "account_id": LEAST.account, "role_arn": LEAST.arn}
    theirs = json.dumps(inline_policy("least-privilege", **partition))
    assert not found(LEAST.plan(LEAST.role(RECIPE, RECIPE), role_policy(None, theirs, name="theirs")))
