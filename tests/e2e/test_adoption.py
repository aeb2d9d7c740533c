"""Adopting roles that have none, some or all of the grants; trust policies: test_every_trust_policy.py."""

import json
from dataclasses import replace
from typing import Any

from stacks.glue_sessions import GlueSessionsStack
from tests.e2e.conftest import MakeRole
from tests.e2e.execution_role import CONSOLE_TRUST, RECIPE_INLINE_POLICY, RECIPE_TRUST, Grants
from tests.e2e.execution_role import INLINE_POLICY as SETUP
from tests.e2e.one_root import COMMON, write
from tests.e2e.shop import ATTACHMENT, INLINE_POLICY, ROLE, Shop, together_address, together_changes
from tests.e2e.terraform import Terraform
from tests.plan_builder import FULL_ACCESS
from tests.template import Template, app_in_memory

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


def for_provider_5(stack: Template, *, attached: list[str], inline: list[str]) -> dict[str, Any]:
    """Return a stack in which data sources of 5.100, which read the role too, hold what those of 6.39 would list."""
    listed = {"aws_iam_role_policy_attachments": attached, "aws_iam_role_policies": inline}
    text = json.dumps(stack.document)
    for type_ in listed:
        text = text.replace(f"data.{type_}.live", f"local.{type_}")
    document: dict[str, Any] = json.loads(text)
    del document["terraform"]["required_providers"]["aws"]["version"]
    document["data"]["aws_iam_policy_document"] = {
        type_: {"policy_id": document["data"].pop(type_)["live"]["role_name"], "statement": [{"actions": names}]}
        for type_, names in listed.items()
    }
    arns, names = (
        f"flatten([jsondecode(data.aws_iam_policy_document.{type_}.json).Statement[0].Action])" for type_ in listed
    )
    document["locals"] |= {
        "aws_iam_role_policy_attachments": f"${{{{attached_policies = [for arn in {arns} : {{policy_arn = arn}}]}}}}",
        "aws_iam_role_policies": f"${{{{policy_names = toset({names})}}}}",
    }
    return document


def test_grants_that_data_sources_list_are_imported(shop: Shop, make_role: MakeRole) -> None:
    """As far as provider 5.100 goes, which does not have them."""
    role = make_role()
    role.put_inline_policy(OTHER_POLICY)
    configuration = shop.configure(dev={"aws_provider": ">= 6.39", "roles": [{"role": role.name}]})
    (settings,) = configuration.role_stacks
    stack = GlueSessionsStack(app_in_memory(), settings=settings, state=configuration.state)
    document = for_provider_5(Template.from_stack(stack), attached=[FULL_ACCESS], inline=["other", SETUP])
    write(shop.folder, {COMMON: document})
    terraform = Terraform(shop.folder, shop.binary, shop.environment, shop.provider)
    assert terraform.init().status == 0

    plan = terraform.plan()

    assert plan.summary == "Plan: 2 to import, 1 to add, 2 to change, 0 to destroy."
    assert plan.imported == {ROLE, INLINE_POLICY}
    assert json.loads(terraform.planned()[INLINE_POLICY]["before"]["policy"]) == OTHER_POLICY
