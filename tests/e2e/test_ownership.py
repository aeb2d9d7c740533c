"""Every ownership with every permission level, and every change from one to another: many roles in each run.

Each stack with its own state: test_states.py and test_cdktf.py.
"""

import json
from typing import Any, NamedTuple

from tests.aws_proxy import AwsProxy
from tests.e2e.conftest import MakeRole, through
from tests.e2e.execution_role import (
    ACCOUNT,
    CONSOLE_TRUST,
    GLUE_STATEMENT,
    RECIPE_INLINE_POLICY,
    RECIPE_TRUST,
    Document,
    ExecutionRole,
    Grants,
    isolated_inline_policy,
    least_privilege_inline_policy,
    statement,
    trust,
)
from tests.e2e.faults import held
from tests.e2e.shop import ATTACHMENT, INLINE_POLICY, ROLE, Shop, together_address, together_changes
from tests.e2e.terraform import kill
from tests.waiting import wait_until

CONSOLE_STATEMENT = statement("sagemaker.amazonaws.com")
ADDITIVE_TRUST = trust(CONSOLE_STATEMENT, GLUE_STATEMENT)
SCHEDULER = statement("scheduler.amazonaws.com", Sid="Scheduler")

OWNERSHIPS: dict[str, tuple[Document, Document]] = {
    "authoritative": (CONSOLE_TRUST, RECIPE_TRUST),
    "additive": (CONSOLE_TRUST, ADDITIVE_TRUST),
    "external": (ADDITIVE_TRUST, ADDITIVE_TRUST),  # its owner trusts Glue already
}
"""The trust policy of a role before and after adoption, by ownership."""


def inline_policy(permissions: str, role: ExecutionRole) -> Document:
    documents = {
        "recipe": RECIPE_INLINE_POLICY,
        "least-privilege": least_privilege_inline_policy(role.arn),
        "isolated": isolated_inline_policy(role.arn),
    }
    return documents[permissions]


def settings(role: ExecutionRole, ownership: str, permissions: str = "recipe", **more: Any) -> dict[str, Any]:
    return {"role": role.arn, "permissions": permissions, "trust": {"ownership": ownership}, **more}


class Adopted(NamedTuple):
    """A role with its settings."""

    role: ExecutionRole
    ownership: str
    permissions: str

    def settings(self, **more: Any) -> dict[str, Any]:
        return settings(self.role, self.ownership, self.permissions, **more)

    @property
    def role_change(self) -> dict[str, str]:
        """The change of the role itself on adoption and on release."""
        return {} if self.ownership == "external" else {ROLE: "update"}


def test_grants_are_written_document_for_document_and_removed_on_release(shop: Shop, make_role: MakeRole) -> None:
    cases = [
        Adopted(make_role(trust=before), ownership, permissions)
        for ownership, (before, _) in OWNERSHIPS.items()
        for permissions in ("recipe", "least-privilege", "isolated")
    ]

    stack = shop.together(dev={"account_id": ACCOUNT, "roles": [case.settings() for case in cases]})
    applied = stack.apply()
    for role, ownership, permissions in cases:
        assert role.grants == (OWNERSHIPS[ownership][1], True, inline_policy(permissions, role)), ownership
    grants = {ATTACHMENT: "create", INLINE_POLICY: "create"}
    assert applied.changes == together_changes({case.role.name: {**grants, **case.role_change} for case in cases})
    assert applied.imported == {
        together_address(ROLE, role.name) for role, ownership, _ in cases if ownership != "external"
    }
    stack.assert_nothing_to_do()

    shop.together(dev={"account_id": ACCOUNT, "roles": [case.settings(released=True) for case in cases]})
    released = stack.apply()
    for role, ownership, _ in cases:
        assert role.grants == Grants(OWNERSHIPS[ownership][0], attached=False, inline_policy=None), ownership
    grants = {ATTACHMENT: "delete", INLINE_POLICY: "delete"}
    assert released.changes == together_changes({case.role.name: {**grants, **case.role_change} for case in cases})
    stack.assert_nothing_to_do()


class Change(NamedTuple):
    """A change of ownership and permissions, the plan's action on the role, and the trust policy after it."""

    before: tuple[str, str]
    after: tuple[str, str]
    action: str | None
    trust: Document


CHANGES = [
    Change(("authoritative", "recipe"), ("additive", "least-privilege"), None, RECIPE_TRUST),  # Glue is trusted already
    Change(("additive", "least-privilege"), ("external", "recipe"), "remove", ADDITIVE_TRUST),
    Change(("external", "recipe"), ("authoritative", "least-privilege"), "update", RECIPE_TRUST),
    Change(("authoritative", "least-privilege"), ("external", "least-privilege"), "remove", RECIPE_TRUST),
    Change(("external", "least-privilege"), ("additive", "isolated"), "import", ADDITIVE_TRUST),
    Change(("additive", "isolated"), ("authoritative", "recipe"), "update", RECIPE_TRUST),
]


def test_every_change_of_ownership_killed_midway_keeps_the_grants_and_is_completed_by_the_next_apply(
    shop: Shop, make_role: MakeRole, proxy: AwsProxy
) -> None:
    roles = [make_role(trust=OWNERSHIPS[change.before[0]][0]) for change in CHANGES]
    pairs = list(zip(CHANGES, roles, strict=True))
    stack = shop.together(dev={"roles": [settings(role, *change.before) for change, role in pairs]})
    stack.apply()
    for change, role in pairs:
        ownership, permissions = change.before
        assert role.grants == (OWNERSHIPS[ownership][1], True, inline_policy(permissions, role)), change

    shop.together(dev={"roles": [settings(role, *change.after) for change, role in pairs]})
    planned = stack.save_plan()
    for change, role in pairs:
        address = together_address(ROLE, role.name)
        assert planned.changes.get(address) == change.action, change
        assert (address in planned.imported) == (change.before[0] == "external"), change

    # killed after the trust policies are written and before an inline policy is
    with held(proxy, "PutRolePolicy") as asked:
        applying = stack.start("apply", "-input=false", "plan", **through(proxy))
        try:
            assert asked.wait(120)
            wait_until(lambda: all(role.trust == change.trust for change, role in pairs), "trust policies are written")
        finally:
            kill(applying)
    for change, role in pairs:
        assert role.grants == (change.trust, True, inline_policy(change.before[1], role)), change

    stack.unlock()
    stack.apply()
    for change, role in pairs:
        assert role.grants == (change.trust, True, inline_policy(change.after[1], role)), change
    stack.assert_nothing_to_do()


# text that is not to be taken for an expression, nor to end one
PATH = r"""/a"b\c${d}%{e}$${f}'/"""


def test_an_apply_refuses_before_it_writes_where_others_changed_the_trust_policy_since_the_plan(
    shop: Shop, make_role: MakeRole
) -> None:
    (shop.folder / "kept.json").write_text(json.dumps(CONSOLE_TRUST))
    ways: list[dict[str, Any]] = [
        {},
        {"trust": {"keep": "kept.json"}},
        {"trust": {"ownership": "additive"}},
        {"released": True},
    ]
    roles = [make_role(RECIPE_TRUST if "released" in way else CONSOLE_TRUST) for way in ways]
    already = make_role()
    odd = make_role(path=PATH)
    shop.variables["ODD"] = odd.arn
    entries = [{"role": role.arn, **way} for role, way in zip(roles, ways, strict=True)]
    entries += [{"role": already.arn}, {"role": "${ODD}", "permissions": "least-privilege"}]
    stack = shop.together(dev={"roles": entries})
    assert stack.save_plan().read_on_apply == {
        f"data.{together_address(ROLE, role.name)}-before_writing[0]" for role in [*roles, already, odd]
    }

    for role in roles:
        role.trust = trust(*role.trust["Statement"], SCHEDULER)
    already.trust = RECIPE_TRUST  # what Terraform would write
    before = [role.read() for role in roles]
    refused = stack.run("apply", "-json", "-input=false", "plan")
    assert sorted(refused.errors) == sorted(
        f"Resource precondition failed: The trust policy of {role.arn} has changed since the plan was made, and this"
        " apply would overwrite the change. Plan again."
        for role in roles
    )
    assert [role.read() for role in roles] == before
    assert already.grants == Grants(RECIPE_TRUST, attached=True, inline_policy=RECIPE_INLINE_POLICY)
    assert odd.grants == Grants(RECIPE_TRUST, attached=True, inline_policy=least_privilege_inline_policy(odd.arn))


def test_a_release_takes_glue_out_of_the_current_trust_policy_and_can_be_undone(
    shop: Shop, role: ExecutionRole
) -> None:
    stack = shop.stack(role.name)
    stack.apply()
    role.trust = trust(*RECIPE_TRUST["Statement"], SCHEDULER)
    shop.stack(role.name, released=True).apply()
    assert role.grants == Grants(trust(CONSOLE_STATEMENT, SCHEDULER), attached=False, inline_policy=None)
    shop.stack(role.name, trust={"ownership": "additive"}).apply()
    assert role.grants == Grants(
        trust(CONSOLE_STATEMENT, SCHEDULER, GLUE_STATEMENT), attached=True, inline_policy=RECIPE_INLINE_POLICY
    )
