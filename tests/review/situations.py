"""Situations that a pull-request comment has to make clear in ten seconds: the plans of each, by stack."""

import json
from collections.abc import Callable

from iam.documents.recipe import Permissions
from tests.plan_builder import SAGEMAKER, allow, document, plan, role, role_policy, trust
from tests.review.stack_plans import ADDITIVE, BEFORE, NAMES_SAGEMAKER, PARTNER, RECIPE, Stack

LOST = "This plan removes from the trust policy: account 444455556666 may sts:AssumeRole."
PARTNERED = document(PARTNER, NAMES_SAGEMAKER)

Plans = dict[str, bytes]


def of_stack(name: str, content: bytes, environment: str = "dev") -> Plans:
    return {f"glue-sessions-{environment}-{name}": content}


def fleet(number: int, permissions: Permissions = "recipe") -> Plans:
    """Return the first plans of many roles that are alike."""
    return {
        name: content
        for each in range(number)
        for name, content in of_stack(f"team-{each:02}", Stack(f"team-{each:02}", permissions).adopted()).items()
    }


def partner_lost() -> Plans:
    return of_stack("partnered", Stack("partnered").adopted(PARTNERED, checks=[LOST]))


def narrowed() -> Plans:
    """Return the plans of roles that go from the recipe to least-privilege, and of one that already lost its trust."""
    plans: Plans = {}
    for name in ("team-a", "team-b", "team-c", "team-d"):
        stack = Stack(name)
        policy = stack.policy(stack.inline, stack.document("least-privilege"))
        plans |= of_stack(name, stack.plan(stack.role(RECIPE, RECIPE), policy, stack.attachment(True, True)))
    return plans


def repaired() -> Plans:
    stack = Stack("team-b")
    edited = document(*json.loads(stack.inline)["Statement"], allow("s3:*"))
    return of_stack(
        "team-b",
        stack.plan(
            stack.role(BEFORE, RECIPE),
            stack.policy(edited, stack.inline),
            stack.attachment(False, True),
            resource_drift=[
                stack.role(RECIPE, BEFORE),
                stack.policy(stack.inline, edited),
                stack.attachment(True, False),
            ],
        ),
    )


def owned() -> Plans:
    """Return the plans of a role that another stack takes over, and of one that comes under authoritative ownership."""
    left, taken = Stack("team-a"), Stack("team-b", "least-privilege")
    return {
        **of_stack(
            "team-a",
            left.plan(
                left.role(RECIPE, RECIPE, actions=["forget"]),
                left.policy(left.inline, left.inline),
                left.attachment(True, True),
            ),
        ),
        **of_stack(
            "team-b",
            taken.plan(
                taken.role(ADDITIVE, RECIPE), taken.policy(taken.inline, taken.inline), taken.attachment(True, True)
            ),
            "prod",
        ),
    }


def refreshed() -> Plans:
    stack = Stack("team-b")
    unchanged = (stack.role(RECIPE, RECIPE), stack.policy(stack.inline, stack.inline), stack.attachment(True, True))
    return of_stack("team-b", stack.plan(*unchanged, resource_drift=[stack.role(BEFORE, RECIPE)]))


def of_others() -> Plans:
    """Return a plan that is not of this project, and that nobody should apply."""
    everyone = document({"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"})
    return {
        "platform": plan(
            role(trust(SAGEMAKER), everyone, name="shared"),
            role_policy(None, document(allow("*")), name="all", of="shared"),
            role(trust(SAGEMAKER), None, name="legacy"),
        )
    }


SITUATIONS: dict[str, Callable[[], Plans]] = {
    "one-role": lambda: fleet(1),
    "one-role-least-privilege": lambda: fleet(1, "least-privilege"),
    "partner-lost": partner_lost,
    "fleet-and-a-partner-lost": lambda: fleet(50) | partner_lost(),
    "fleet-least-privilege": lambda: fleet(50, "least-privilege"),
    "released": lambda: of_stack("team-b", Stack("team-b").released()),
    "narrowed": narrowed,
    "repaired": repaired,
    "owned": owned,
    "of-others": of_others,
}
"""By name; `refreshed` is not among them, because there is nothing to see."""
