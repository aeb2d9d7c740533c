"""What a plan does to a role, recognized by what happens at this project's addresses."""

import json
from typing import Any

import pytest

from iam.documents.recipe import glue_statement
from plans import plan as plans
from review.groups import groups
from review.intent import Intent, intents
from review.report import Review, review
from review.wording import happens
from tests.plan_builder import GLUE, SAGEMAKER, allow, document, plan, role, role_policy, trust
from tests.review.stack_plans import ADDITIVE, BEFORE, NAMES_SAGEMAKER, PARTNER, RECIPE, Stack

EXEC = Stack("exec")
NARROW = EXEC.document("least-privilege")
FOREIGN = document(PARTNER, NAMES_SAGEMAKER)


def drifted(*changes: dict[str, Any]) -> dict[str, Any]:
    """Return what changed outside of Terraform, for `more` of a plan."""
    return {"resource_drift": list(changes)}


def grants(inline: str = EXEC.inline) -> list[dict[str, Any]]:
    return [EXEC.policy(inline, inline), EXEC.attachment(True, True)]


CASES = {
    "a console-made role": (EXEC.adopted(), [Intent.ADOPTION]),
    "grants that exist already": (
        EXEC.plan(
            EXEC.role(BEFORE, RECIPE, importing={"id": "exec"}),
            EXEC.policy(EXEC.inline, EXEC.inline, importing={"id": "exec:setup"}),
            EXEC.attachment(True, True, importing={"id": "exec/arn"}),
        ),
        [Intent.ADOPTION],
    ),
    "external becomes authoritative": (
        EXEC.plan(EXEC.role(ADDITIVE, RECIPE, importing={"id": "exec"}), *grants()),
        [Intent.OWNERSHIP],
    ),
    "authoritative becomes external": (
        EXEC.plan(EXEC.role(RECIPE, RECIPE, actions=["forget"]), *grants()),
        [Intent.OWNERSHIP],
    ),
    "additive becomes authoritative": (EXEC.plan(EXEC.role(ADDITIVE, RECIPE), *grants()), [Intent.OWNERSHIP]),
    "another statement is kept": (
        EXEC.plan(
            EXEC.role(document(glue_statement(), PARTNER), document(glue_statement(), NAMES_SAGEMAKER)), *grants()
        ),
        [Intent.TRUST],
    ),
    "another level": (
        EXEC.plan(EXEC.role(RECIPE, RECIPE), EXEC.policy(EXEC.inline, NARROW), EXEC.attachment(True, True)),
        [Intent.PERMISSIONS],
    ),
    "another level and another owner": (
        EXEC.plan(EXEC.role(ADDITIVE, RECIPE), EXEC.policy(EXEC.inline, NARROW), EXEC.attachment(True, True)),
        [Intent.OWNERSHIP, Intent.PERMISSIONS],
    ),
    "a release": (EXEC.released(), [Intent.RELEASE]),
    "a release of an external role": (
        EXEC.plan(EXEC.policy(EXEC.inline, None), EXEC.attachment(True, False)),
        [Intent.RELEASE],
    ),
    "trust taken by others": (
        EXEC.plan(EXEC.role(BEFORE, RECIPE), *grants(), **drifted(EXEC.role(RECIPE, BEFORE))),
        [Intent.REPAIR],
    ),
    "a policy detached by others": (
        EXEC.plan(
            EXEC.role(RECIPE, RECIPE),
            EXEC.policy(EXEC.inline, EXEC.inline),
            EXEC.attachment(False, True),
            **drifted(EXEC.attachment(True, False)),
        ),
        [Intent.REPAIR],
    ),
    "a policy edited by others, and another level": (
        EXEC.plan(
            EXEC.role(RECIPE, RECIPE),
            EXEC.policy(document(allow("s3:*")), NARROW),
            EXEC.attachment(True, True),
            **drifted(EXEC.policy(EXEC.inline, document(allow("s3:*")))),
        ),
        [Intent.REPAIR, Intent.PERMISSIONS],
    ),
    "others add a statement, and a repair adds ours to it": (
        EXEC.plan(
            EXEC.role(FOREIGN, document(PARTNER, NAMES_SAGEMAKER, glue_statement())),
            *grants(),
            **drifted(EXEC.role(ADDITIVE, FOREIGN)),
        ),
        [Intent.REPAIR],
    ),
    "an adoption with a policy that is not this project's": (
        EXEC.plan(
            EXEC.role(BEFORE, RECIPE, importing={"id": "exec"}),
            EXEC.policy(None, EXEC.inline),
            role_policy(None, document(allow("s3:*")), name="theirs"),
        ),
        [Intent.ADOPTION, Intent.OTHER],
    ),
    "a release with a policy that is not this project's": (
        EXEC.plan(
            EXEC.role(RECIPE, BEFORE),
            EXEC.policy(EXEC.inline, None),
            role_policy(None, document(allow("s3:*")), name="theirs"),
        ),
        [Intent.RELEASE, Intent.OTHER],
    ),
    "a role that is deleted": (
        EXEC.plan({**EXEC.role(RECIPE, RECIPE), "change": {"actions": ["delete"], "before": EXEC.attributes(RECIPE)}}),
        [Intent.OTHER],
    ),
    "an import that replaces the role": (
        EXEC.plan(
            EXEC.role(BEFORE, RECIPE, importing={"id": "exec"}, actions=["delete", "create"]),
            EXEC.policy(None, EXEC.inline),
            EXEC.attachment(False, True),
        ),
        [Intent.OTHER],
    ),
    "a trust policy that cannot be read": (
        EXEC.plan(EXEC.role(RECIPE, json.dumps({"Statement": [7]})), *grants()),
        [Intent.TRUST],
    ),
    "a role of another project": (
        plan(role(trust(SAGEMAKER), trust(SAGEMAKER, GLUE)), role_policy(None, document(allow("s3:*")))),
        [Intent.OTHER],
    ),
}


@pytest.mark.parametrize(("content", "expected"), CASES.values(), ids=CASES)
def test_what_happens_to_a_role(content: bytes, expected: list[Intent]) -> None:
    of = plans.parse(content, "dev")
    (role,) = review(of).roles
    assert list(intents(of, role)) == expected


ACCESS = document(allow("s3:GetObject", "arn:aws:s3:::data/*"))

WORDS = {
    "first adoption, `recipe`": EXEC.adopted(),
    "first adoption, `isolated`": Stack("exec", "isolated").adopted(),
    "first adoption, `recipe` and `access`": EXEC.adopted(more=[EXEC.access(None, ACCESS)]),
    "first adoption": EXEC.plan(
        EXEC.role(BEFORE, RECIPE, importing={"id": "exec"}), EXEC.policy(None, ACCESS), EXEC.attachment(False, True)
    ),
    "change of permissions to `least-privilege`": EXEC.plan(
        EXEC.role(RECIPE, RECIPE), EXEC.policy(EXEC.inline, NARROW), EXEC.attachment(True, True)
    ),
    "change of permissions: `access`": EXEC.plan(EXEC.role(RECIPE, RECIPE), *grants(), EXEC.access(None, ACCESS)),
    "change of permissions: `access` and `least-privilege`": EXEC.plan(
        EXEC.role(RECIPE, RECIPE),
        EXEC.policy(EXEC.inline, NARROW),
        EXEC.attachment(True, True),
        EXEC.access(None, ACCESS),
    ),
    "change of ownership of the trust policy to `external`": CASES["authoritative becomes external"][0],
    "change of ownership of the trust policy from `external`": CASES["external becomes authoritative"][0],
    "repair of drift, change of permissions to `least-privilege`": CASES[
        "a policy edited by others, and another level"
    ][0],
    "release": EXEC.released(),
    "deleted": CASES["a role that is deleted"][0],
}


@pytest.mark.parametrize("words", WORDS)
def test_what_happens_in_words(words: str) -> None:
    (group,) = groups(Review((review(plans.parse(WORDS[words], "dev")),), "high"))
    assert happens(group) == words


def test_what_happens_where_no_role_changes() -> None:
    refreshed = EXEC.plan(EXEC.role(RECIPE, RECIPE), *grants(), **drifted(EXEC.role(BEFORE, RECIPE)))
    assert intents(plans.parse(refreshed, "dev"), None) == (Intent.REFRESH,)
    assert intents(plans.parse(plan(), "dev"), None) == (Intent.OTHER,)


def test_a_plan_names_its_regions() -> None:
    assert plans.parse(EXEC.adopted(), "dev").regions == ("eu-west-1",)
    assert plans.parse(plan(), "dev").regions == ()
