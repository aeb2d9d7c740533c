"""Changes that others make to the grants: the plan shows them, the apply repairs them; other changes stay."""

from collections.abc import Callable

from tests.e2e.conftest import MakeRole
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
from tests.e2e.shop import ATTACHMENT, INLINE_POLICY, ROLE, Shop, together_changes

GRANTED = Grants(RECIPE_TRUST, attached=True, inline_policy=RECIPE_INLINE_POLICY)
WIDENED = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
S3_READ_ONLY = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
SCHEDULER = statement("scheduler.amazonaws.com", Sid="Scheduler")
CONDITIONED = {**GLUE_STATEMENT, "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}}}
ADDITIVE = {"trust": {"ownership": "additive"}}


def remove_all_grants(role: ExecutionRole) -> None:
    role.trust = CONSOLE_TRUST
    role.detach()
    role.delete_inline_policy()


DRIFTS: list[tuple[Callable[[ExecutionRole], None], dict[str, str]]] = [
    (lambda role: setattr(role, "trust", CONSOLE_TRUST), {ROLE: "update"}),
    (lambda role: role.detach(), {ATTACHMENT: "create"}),
    (lambda role: role.put_inline_policy(WIDENED), {INLINE_POLICY: "update"}),
    (lambda role: role.delete_inline_policy(), {INLINE_POLICY: "create"}),
    (remove_all_grants, {ROLE: "update", ATTACHMENT: "create", INLINE_POLICY: "create"}),
    (
        lambda role: setattr(role, "trust", trust(*RECIPE_TRUST["Statement"], statement("lambda.amazonaws.com"))),
        {ROLE: "update"},
    ),
]
"""Changes that others make, each with what the next plan does."""


def test_drift_of_each_grant_is_in_the_plan_and_repaired_by_the_apply(shop: Shop, make_role: MakeRole) -> None:
    """With authoritative ownership a statement that others add is drift as well, and the plan warns of its loss."""
    drifted = [(make_role(), *drift) for drift in DRIFTS]
    extended, altered = make_role(), make_role()
    entries = [{"role": role.name} for role, _, _ in drifted]
    stack = shop.together(dev={"roles": [*entries, *({"role": role.name, **ADDITIVE} for role in (extended, altered))]})
    stack.apply()
    for role, drift, _ in drifted:
        assert role.grants == GRANTED
        drift(role)
    # what others add to an adopted role is theirs
    theirs = trust(SCHEDULER, GLUE_STATEMENT, *CONSOLE_TRUST["Statement"])
    extended.attach(S3_READ_ONLY)
    extended.trust = theirs
    altered.trust = trust(SCHEDULER, CONDITIONED, *CONSOLE_TRUST["Statement"])

    seen = stack.plan()
    repairs = together_changes({**{role.name: repair for role, _, repair in drifted}, altered.name: {ROLE: "update"}})
    assert (seen.status, seen.changes) == (2, repairs)
    assert seen.drift.keys() >= repairs.keys()
    (warning,) = seen.warnings
    assert drifted[-1][0].arn in warning
    assert "Allow sts:AssumeRole to lambda.amazonaws.com" in warning

    assert stack.apply().changes == repairs
    for role, _, repair in drifted:
        assert role.grants == GRANTED, repair
    assert extended.trust == altered.trust == theirs
    extended.detach(S3_READ_ONLY)
    stack.assert_nothing_to_do()


def test_a_role_deleted_by_others_fails_the_plan_and_is_never_recreated(shop: Shop, make_role: MakeRole) -> None:
    """Neither an adopted role, nor one that is its owner's."""
    adopted, external = make_role(), make_role(RECIPE_TRUST)
    stack = shop.together(
        dev={"roles": [{"role": adopted.name}, {"role": external.name, "trust": {"ownership": "external"}}]}
    )
    stack.apply()
    adopted.delete()
    external.delete()
    for attempt in (stack.plan(), stack.try_to_apply()):
        assert (attempt.status, attempt.changes) == (1, {})
        assert sorted(attempt.errors) == sorted(
            f"reading IAM Role ({role.name}): couldn't find resource:" for role in (adopted, external)
        )
    assert not adopted.exists
    assert not external.exists
