"""Every ownership with both permissions, and every change from one to another."""

import pytest

from tests.e2e.execution_role import (
    GLUE_STATEMENT,
    RECIPE_INLINE_POLICY,
    RECIPE_TRUST,
    ExecutionRole,
    Grants,
    least_privilege_inline_policy,
    statement,
    trust,
)
from tests.e2e.shop import Shop

ROLE = "aws_iam_role.execution_role"
ATTACHMENT = "aws_iam_role_policy_attachment.glue_sessions"
INLINE_POLICY = "aws_iam_role_policy.glue_sessions"

SAGEMAKER = statement("sagemaker.amazonaws.com")
ADDITIVE_TRUST = trust(SAGEMAKER, GLUE_STATEMENT)


def inline_policy(permissions: str, role: ExecutionRole) -> object:
    return RECIPE_INLINE_POLICY if permissions == "recipe" else least_privilege_inline_policy(role.arn)


@pytest.mark.parametrize("permissions", ["recipe", "least-privilege"])
@pytest.mark.parametrize(
    ("ownership", "expected_trust"),
    [("authoritative", RECIPE_TRUST), ("additive", ADDITIVE_TRUST), ("external", trust(SAGEMAKER))],
)
def test_grants_read_back_document_for_document_and_go_when_released(
    shop: Shop, role: ExecutionRole, ownership: str, permissions: str, expected_trust: object
) -> None:
    settings = {"permissions": permissions, "trust": {"ownership": ownership}}
    stack = shop.stack(role.name, **settings)
    applied = stack.apply()
    assert role.grants == (expected_trust, True, inline_policy(permissions, role))
    assert applied.changes == {
        ATTACHMENT: "create",
        INLINE_POLICY: "create",
        **({ROLE: "update"} if ownership != "external" else {}),
    }
    assert applied.imported == ({ROLE} if ownership != "external" else set())
    again = stack.plan()
    assert (again.status, again.changes, again.errors) == (0, {}, [])

    released = shop.stack(role.name, **settings, released=True).apply()
    assert role.grants == Grants(trust(SAGEMAKER), attached=False, inline_policy=None)
    assert released.changes == {
        ATTACHMENT: "delete",
        INLINE_POLICY: "delete",
        **({ROLE: "update"} if ownership != "external" else {}),
    }
    again = stack.plan()
    assert (again.status, again.changes, again.warnings) == (0, {}, [])
