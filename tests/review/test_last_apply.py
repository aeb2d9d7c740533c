"""What the last apply itself granted or took away is not shown as a change outside of Terraform."""

import io
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from rich.console import Console

from iam.documents.grants import GLUE_TRUST, SESSION_USER_POLICY, SETUP_POLICY
from plans import plan as plans
from review.intent import Intent, intents
from review.markdown import markdown
from review.report import Review, review
from review.terminal import show
from tests.plan_builder import FULL_ACCESS, allow, change, document
from tests.review.stack_plans import ADDITIVE, BEFORE, RECIPE, Stack

EXEC = Stack("exec")
SESSION_USER = SESSION_USER_POLICY.arn("aws")
GRANTED = {SETUP_POLICY.policy_name: EXEC.inline}
BUCKETS = {"buckets": document(allow("s3:GetObject", "arn:aws:s3:::data/*"))}


def listing(
    managed: Iterable[str] = (FULL_ACCESS,), inline: Mapping[str, str] = BUCKETS, trust: str = BEFORE, **more: Any
) -> dict[str, Any]:
    """Return the attributes of the role, which list its policies."""
    listed = [{"name": name, "policy": policy} for name, policy in inline.items()]
    return EXEC.attributes(trust) | {"managed_policy_arns": list(managed), "inline_policy": listed} | more


STALE = listing([FULL_ACCESS, SESSION_USER], BUCKETS | GRANTED)
"""As the state has the role after a release."""
BARE = listing()


def drifted(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    return {"resource_drift": [change(GLUE_TRUST.address, before, after)]}


def unchanged(attributes: dict[str, Any]) -> dict[str, Any]:
    return change(GLUE_TRUST.address, attributes, attributes)


def pages(content: bytes) -> tuple[str, str]:
    """Return the review on a terminal and as a comment."""
    of = Review((review(plans.parse(content, "dev")),), "high")
    page = io.StringIO()
    show(of, Console(file=page, width=200))
    return page.getvalue(), markdown(of)


def test_after_a_release_nothing_is_shown() -> None:
    content = EXEC.plan(unchanged(BARE), **drifted(STALE, BARE))
    assert intents(plans.parse(content, "dev"), None) == (Intent.OTHER,)
    for page in pages(content):
        assert "no change in IAM" in page
        assert "utside of Terraform" not in page


def test_after_an_adoption_nothing_is_shown() -> None:
    grants = [EXEC.policy(EXEC.inline, EXEC.inline), EXEC.attachment(True, True)]
    content = EXEC.plan(unchanged(STALE), *grants, **drifted(BARE, STALE))
    assert intents(plans.parse(content, "dev"), None) == (Intent.OTHER,)
    assert all("utside of Terraform" not in page for page in pages(content))


def test_a_role_that_is_configured_again_after_a_release_has_no_such_change() -> None:
    configured = change(GLUE_TRUST.address, BARE, BARE | {"assume_role_policy": RECIPE})
    content = EXEC.plan(
        configured, EXEC.policy(None, EXEC.inline), EXEC.attachment(False, True), **drifted(STALE, BARE)
    )
    found = plans.parse(content, "dev")
    (role,) = review(found).roles
    assert intents(found, role) == (Intent.TRUST, Intent.PERMISSIONS)
    assert all("utside of Terraform" not in page for page in pages(content))


OUTSIDE = {
    "lost: inline policy buckets": (listing(inline={}), "- inline policy buckets"),
    "another managed policy": (listing([]), f"- managed policy {FULL_ACCESS}"),
    "trust": (listing(trust=ADDITIVE), "+ gained: glue.amazonaws.com may sts:AssumeRole"),
    "a boundary": (listing(permissions_boundary="arn:aws:iam::aws:policy/ReadOnlyAccess"), "boundary none → "),
    "a grant that is there again": (listing([FULL_ACCESS, SESSION_USER]), f"+ managed policy {SESSION_USER}"),
}


@pytest.mark.parametrize(("now", "shown"), OUTSIDE.values(), ids=OUTSIDE)
def test_a_change_by_others_beside_a_release_is_shown(now: dict[str, Any], shown: str) -> None:
    content = EXEC.plan(unchanged(now), **drifted(STALE, now))
    assert intents(plans.parse(content, "dev"), None) == (Intent.REFRESH,)
    page, comment = pages(content)
    assert "changed outside of Terraform since the last apply" in page
    assert "Changed outside of Terraform since the last apply" in comment
    assert shown in page
    assert f"lost: {SETUP_POLICY.policy_name}" not in page
    assert f"- inline policy {SETUP_POLICY.policy_name}" not in page


def test_a_change_by_others_that_is_not_about_access_is_a_refresh() -> None:
    now = BARE | {"tags": {"owner": "data"}}
    assert intents(plans.parse(EXEC.plan(unchanged(now), **drifted(STALE, now)), "dev"), None) == (Intent.REFRESH,)


def test_a_grant_that_others_removed_is_shown() -> None:
    """The state of the grant's own resource has it."""
    gone = EXEC.attachment(True, False)
    content = EXEC.plan(
        unchanged(listing(inline=GRANTED)),
        EXEC.policy(EXEC.inline, EXEC.inline),
        EXEC.attachment(False, True),
        resource_drift=[change(GLUE_TRUST.address, STALE, listing(inline=BUCKETS | GRANTED)), gone],
    )
    found = plans.parse(content, "dev")
    (role,) = review(found).roles
    assert intents(found, role) == (Intent.REPAIR,)
    assert f"- managed policy {SESSION_USER}" in pages(content)[0]


def test_another_spelling_after_grants_were_read_back_is_configured() -> None:
    """The provider reads the grants back: that does not make others the reason of the change."""
    trusted = STALE | {"assume_role_policy": ADDITIVE}
    grants = [EXEC.policy(EXEC.inline, EXEC.inline), EXEC.attachment(True, True)]
    spelled = trusted | {"assume_role_policy": ADDITIVE.replace('": ', '":')}
    content = EXEC.plan(
        change(GLUE_TRUST.address, trusted, spelled),
        *grants,
        **drifted(BARE | {"assume_role_policy": ADDITIVE}, trusted),
    )
    found = plans.parse(content, "dev")
    (role,) = review(found).roles
    assert intents(found, role) == (Intent.TRUST,)
