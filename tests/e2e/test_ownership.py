"""Every ownership with both permissions, and every change from one to another."""

import pytest

from tests.e2e.conftest import MakeRole
from tests.e2e.execution_role import (
    ACCOUNT,
    CONSOLE_TRUST,
    GLUE_STATEMENT,
    RECIPE_INLINE_POLICY,
    RECIPE_TRUST,
    Document,
    ExecutionRole,
    Grants,
    least_privilege_inline_policy,
    statement,
    trust,
)
from tests.e2e.shop import ATTACHMENT, INLINE_POLICY, ROLE, Shop

CONSOLE_STATEMENT = statement("sagemaker.amazonaws.com")
ADDITIVE_TRUST = trust(CONSOLE_STATEMENT, GLUE_STATEMENT)


def inline_policy(permissions: str, role: ExecutionRole) -> Document:
    return RECIPE_INLINE_POLICY if permissions == "recipe" else least_privilege_inline_policy(role.arn)


@pytest.mark.parametrize("permissions", ["recipe", "least-privilege"])
@pytest.mark.parametrize(
    ("ownership", "live_trust", "expected_trust"),
    [
        ("authoritative", CONSOLE_TRUST, RECIPE_TRUST),
        ("additive", CONSOLE_TRUST, ADDITIVE_TRUST),
        ("external", ADDITIVE_TRUST, ADDITIVE_TRUST),  # its owner has seen to it
    ],
    ids=["authoritative", "additive", "external"],
)
def test_grants_read_back_document_for_document_and_go_when_released(
    shop: Shop,
    make_role: MakeRole,
    ownership: str,
    permissions: str,
    live_trust: Document,
    expected_trust: Document,
) -> None:
    role = make_role(trust=live_trust)
    settings = {"permissions": permissions, "trust": {"ownership": ownership}}
    adopted = {ROLE} if ownership != "external" else set()
    stack = shop.stack(role.arn, environment={"account_id": ACCOUNT}, **settings)

    applied = stack.apply()
    assert role.grants == (expected_trust, True, inline_policy(permissions, role))
    assert applied.changes == {ATTACHMENT: "create", INLINE_POLICY: "create", **dict.fromkeys(adopted, "update")}
    assert applied.imported == adopted
    stack.assert_nothing_to_do()

    released = shop.stack(role.arn, environment={"account_id": ACCOUNT}, **settings, released=True).apply()
    assert role.grants == Grants(live_trust, attached=False, inline_policy=None)
    assert released.changes == {ATTACHMENT: "delete", INLINE_POLICY: "delete", **dict.fromkeys(adopted, "update")}
    stack.assert_nothing_to_do()


def test_every_change_of_ownership_keeps_the_grants_and_forgets_or_imports_the_role(
    shop: Shop, role: ExecutionRole
) -> None:
    # each ownership once with either permissions, and each change from one ownership to another once
    changes = [
        ("authoritative", "recipe", "update", RECIPE_TRUST),
        ("additive", "least-privilege", None, RECIPE_TRUST),  # Glue is trusted already
        ("external", "recipe", "remove", RECIPE_TRUST),
        ("authoritative", "least-privilege", "import", RECIPE_TRUST),
        ("external", "least-privilege", "remove", RECIPE_TRUST),
        ("additive", "recipe", "import", RECIPE_TRUST),
        ("authoritative", "recipe", None, RECIPE_TRUST),
    ]
    for ownership, permissions, change, expected_trust in changes:
        stack = shop.stack(role.name, permissions=permissions, trust={"ownership": ownership})
        applied = stack.apply()
        assert applied.changes.get(ROLE) == change, applied.summary
        assert role.grants == (expected_trust, True, inline_policy(permissions, role))
        stack.assert_nothing_to_do()

    # the state has been written again and again, and every one of them is kept
    assert len(shop.state_versions(f"glue-sessions/dev/{role.name}.tfstate")) >= len(changes)


def test_a_release_takes_glue_out_of_what_the_trust_policy_has_become_and_can_be_taken_back(
    shop: Shop, role: ExecutionRole
) -> None:
    shop.stack(role.name).apply()
    others = statement("scheduler.amazonaws.com", Sid="Scheduler")
    role.trust = trust(*RECIPE_TRUST["Statement"], others)
    shop.stack(role.name, released=True).apply()
    assert role.grants == Grants(trust(CONSOLE_STATEMENT, others), attached=False, inline_policy=None)
    shop.stack(role.name, trust={"ownership": "additive"}).apply()
    assert role.grants == Grants(
        trust(CONSOLE_STATEMENT, others, GLUE_STATEMENT), attached=True, inline_policy=RECIPE_INLINE_POLICY
    )
