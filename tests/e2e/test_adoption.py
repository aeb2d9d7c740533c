"""Taking over roles as they are found, with some of the grants already; trust policies: test_every_trust_policy.py."""

import json

from tests.e2e.execution_role import CONSOLE_TRUST, RECIPE_INLINE_POLICY, RECIPE_TRUST, ExecutionRole, Grants
from tests.e2e.shop import ATTACHMENT, INLINE_POLICY, ROLE, Shop

SOMEBODY_ELSES = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}


def test_a_role_in_a_path_is_never_replaced(shop: Shop, role: ExecutionRole) -> None:
    stack = shop.stack(role.name)
    first = stack.plan()
    assert first.summary == "Plan: 1 to import, 2 to add, 1 to change, 0 to destroy."
    before, after = stack.planned()[ROLE]["before"], stack.planned()[ROLE]["after"]
    differing = {name for name in before if before[name] != after.get(name)}
    assert differing == {"assume_role_policy"}
    stack.apply()
    assert role.read().the_rest == role.made.the_rest
    assert role.made.the_rest["Path"] == "/service-role/"


def test_existing_grants_are_taken_over_and_the_plan_shows_their_true_difference(
    shop: Shop, role: ExecutionRole
) -> None:
    role.attach()
    role.put_inline_policy(SOMEBODY_ELSES)
    stack = shop.stack(role.name)
    first = stack.plan()
    assert first.summary == "Plan: 3 to import, 0 to add, 2 to change, 0 to destroy."
    assert first.imported == {ROLE, ATTACHMENT, INLINE_POLICY}
    change = stack.planned()[INLINE_POLICY]
    assert json.loads(change["before"]["policy"]) == SOMEBODY_ELSES
    assert json.loads(change["after"]["policy"]) == RECIPE_INLINE_POLICY
    stack.apply()
    assert role.grants == Grants(RECIPE_TRUST, attached=True, inline_policy=RECIPE_INLINE_POLICY)
    stack.assert_nothing_to_do()


def test_a_role_that_has_all_grants_is_adopted_without_a_write_and_from_then_on_they_are_its_stacks(
    shop: Shop, role: ExecutionRole
) -> None:
    role.trust = RECIPE_TRUST
    role.attach()
    role.put_inline_policy(RECIPE_INLINE_POLICY)
    applied = shop.stack(role.name).apply()
    assert applied.summary == "Apply complete! Resources: 3 imported, 0 added, 0 changed, 0 destroyed."
    shop.stack(role.name, released=True).apply()
    assert role.grants == Grants(CONSOLE_TRUST, attached=False, inline_policy=None)
