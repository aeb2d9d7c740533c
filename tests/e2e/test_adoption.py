"""Adopting roles that have none, some or all of the grants; trust policies: test_every_trust_policy.py."""

import json
from dataclasses import replace

from tests.e2e.conftest import MakeRole
from tests.e2e.execution_role import CONSOLE_TRUST, RECIPE_INLINE_POLICY, RECIPE_TRUST, Grants
from tests.e2e.shop import ATTACHMENT, INLINE_POLICY, ROLE, Shop, together_address, together_changes

OTHER_POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
GRANTED = Grants(RECIPE_TRUST, attached=True, inline_policy=RECIPE_INLINE_POLICY)


def test_existing_grants_are_imported_and_the_plan_shows_their_difference(shop: Shop, make_role: MakeRole) -> None:
    bare, partly, fully = make_role(), make_role(), make_role()
    partly.attach()
    partly.put_inline_policy(OTHER_POLICY)
    fully.trust = RECIPE_TRUST
    fully.attach()
    fully.put_inline_policy(RECIPE_INLINE_POLICY)
    roles = (bare, partly, fully)

    stack = shop.together(dev={"roles": [{"role": role.name} for role in roles]})
    first = stack.plan()
    # one role and two grants in turn: imported, added; imported with a difference; imported as they are
    assert first.summary == "Plan: 7 to import, 2 to add, 3 to change, 0 to destroy."
    assert first.imported == {
        *(together_address(ROLE, role.name) for role in roles),
        *(together_address(address, role.name) for address in (ATTACHMENT, INLINE_POLICY) for role in (partly, fully)),
    }
    planned = stack.planned()
    change = planned[together_address(INLINE_POLICY, partly.name)]
    assert json.loads(change["before"]["policy"]) == OTHER_POLICY
    assert json.loads(change["after"]["policy"]) == RECIPE_INLINE_POLICY
    change = planned[together_address(ROLE, bare.name)]
    before, after = change["before"], change["after"]
    assert {name for name in before if before[name] != after.get(name)} == {"assume_role_policy"}

    applied = stack.apply()
    assert applied.summary == "Apply complete! Resources: 7 imported, 2 added, 3 changed, 0 destroyed."
    for role in roles:
        # a role in a path is not replaced
        assert role.made.the_rest["Path"] == "/service-role/"
        assert role.read() == replace(role.made, grants=GRANTED)
    stack.assert_nothing_to_do()

    # from adoption on, grants that existed before are the stack's as well
    shop.together(dev={"roles": [{"role": role.name, "released": True} for role in roles]})
    released = stack.apply()
    gone = {ROLE: "update", ATTACHMENT: "delete", INLINE_POLICY: "delete"}
    assert released.changes == together_changes({role.name: gone for role in roles})
    for role in roles:
        assert role.grants == Grants(CONSOLE_TRUST, attached=False, inline_policy=None)
