"""What others do to the grants: seen by the plan, repaired by the apply; what is theirs is left alone."""

from collections.abc import Callable

from tests.e2e.execution_role import (
    CONSOLE_TRUST,
    GLUE_STATEMENT,
    RECIPE_INLINE_POLICY,
    RECIPE_TRUST,
    ExecutionRole,
    Grants,
    statement,
    trust,
)
from tests.e2e.shop import ATTACHMENT, INLINE_POLICY, ROLE, Shop

GRANTED = Grants(RECIPE_TRUST, attached=True, inline_policy=RECIPE_INLINE_POLICY)
WIDENED = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}

DRIFTS: list[tuple[str, Callable[[ExecutionRole], None], dict[str, str]]] = [
    ("glue is no longer trusted", lambda role: setattr(role, "trust", CONSOLE_TRUST), {ROLE: "update"}),
    ("the managed policy is detached", lambda role: role.detach(), {ATTACHMENT: "create"}),
    ("the inline policy is another", lambda role: role.put_inline_policy(WIDENED), {INLINE_POLICY: "update"}),
    ("the inline policy is deleted", lambda role: role.delete_inline_policy(), {INLINE_POLICY: "create"}),
]


def test_drift_of_each_grant_is_seen_by_the_plan_and_repaired_by_the_apply(shop: Shop, role: ExecutionRole) -> None:
    stack = shop.stack(role.name)
    stack.apply()
    assert role.grants == GRANTED
    for what, drift, repair in DRIFTS:
        drift(role)
        repaired = stack.apply()
        assert repaired.changes == repair, what
        assert set(repaired.drift) >= set(repair), what
        assert role.grants == GRANTED, what

    for _, drift, _ in DRIFTS:
        drift(role)
    seen = stack.plan()
    assert (seen.status, seen.changes) == (2, {ROLE: "update", ATTACHMENT: "create", INLINE_POLICY: "create"})


def test_what_others_add_to_an_adopted_role_is_theirs(shop: Shop, role: ExecutionRole) -> None:
    stack = shop.stack(role.name, trust={"ownership": "additive"})
    stack.apply()
    others = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
    role.attach(others)
    foreign = statement("scheduler.amazonaws.com", Sid="Scheduler")
    role.trust = trust(foreign, GLUE_STATEMENT, *CONSOLE_TRUST["Statement"])
    stack.assert_nothing_to_do()

    role.trust = trust(
        foreign,
        {**GLUE_STATEMENT, "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}}},
        *CONSOLE_TRUST["Statement"],
    )
    seen = stack.plan()
    assert (seen.status, seen.changes) == (2, {ROLE: "update"})
    stack.apply()
    assert role.trust == trust(foreign, GLUE_STATEMENT, *CONSOLE_TRUST["Statement"])
    role.detach(others)


def test_a_foreign_statement_is_drift_where_the_whole_trust_policy_is_ours(shop: Shop, role: ExecutionRole) -> None:
    stack = shop.stack(role.name)
    stack.apply()
    role.trust = trust(*RECIPE_TRUST["Statement"], statement("lambda.amazonaws.com"))
    seen = stack.plan()
    assert (seen.status, seen.changes) == (2, {ROLE: "update"})
    assert "Allow sts:AssumeRole to lambda.amazonaws.com" in seen.warnings[0]


def test_a_role_deleted_outside_fails_the_plan_and_is_not_made_anew(shop: Shop, role: ExecutionRole) -> None:
    stack = shop.stack(role.name)
    stack.apply()
    role.delete()
    for attempt in (stack.plan(), stack.try_to_apply()):
        assert (attempt.status, attempt.changes) == (1, {})
        assert attempt.errors == [f"reading IAM Role ({role.name}): couldn't find resource:"]
    assert not role.exists


def test_without_adoption_a_role_deleted_outside_fails_the_plan_as_well(shop: Shop, role: ExecutionRole) -> None:
    stack = shop.stack(role.name, trust={"ownership": "external"})
    role.delete()
    attempt = stack.try_to_apply()
    assert (attempt.status, attempt.changes) == (1, {})
    assert attempt.errors == [f"reading IAM Role ({role.name}): couldn't find resource:"]
    assert not role.exists
