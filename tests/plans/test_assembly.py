"""Roles put together from the resources of a plan."""

from pathlib import Path
from typing import Any

import pytest

from iam.engine.difference import Kind
from plans.assembly import roles
from plans.plan import parse
from plans.roles import Gap, PolicyName, Role
from plans.values import Hidden
from tests.plan_builder import (
    ACCOUNT,
    FULL_ACCESS,
    GLUE,
    SAGEMAKER,
    allow,
    attachment,
    change,
    document,
    plan,
    role,
    role_policy,
    trust,
)
from tests.repository import ROOT

CASES = ROOT / "tests" / "review" / "plans" / "cases"
TRUSTED = trust(SAGEMAKER)
EVERYTHING = document(allow("*"))
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"


def assembled(*changes: Any, **more: Any) -> dict[str, Role]:
    return of(plan(*changes, **more))


def of(content: bytes) -> dict[str, Role]:
    read = parse(content, "dev")
    return {each.name: each for each in roles(read, read.changes)}


def case(name: str) -> dict[str, Role]:
    return of(Path(CASES, f"{name}.json").read_bytes())


def shared(*names: str, before: bool = False) -> dict[str, Any]:
    values = {"name": "a", "roles": list(names), "policy_arn": ADMIN}
    return change("aws_iam_policy_attachment.a", values if before else None, values)


def configured(address: str, provider: str = "aws", **expressions: Any) -> dict[str, Any]:
    return {"address": address, "provider_config_key": provider, "expressions": expressions}


def configuration(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"configuration": {"root_module": {"resources": list(resources)}}}


def test_a_role_that_the_plan_creates_did_not_exist_before_a_shared_attachment() -> None:
    found = assembled(role(None, TRUSTED), shared("exec"))["exec"]
    assert (found.before.exists, found.after.exists) == (False, True)
    assert ADMIN in found.after.managed


def test_a_role_that_the_plan_deletes_existed_before_a_shared_attachment() -> None:
    found = assembled(role(TRUSTED, None), shared("exec", before=True))["exec"]
    assert (found.before.exists, found.after.exists) == (True, False)


def test_a_trust_policy_known_after_apply_neither_gains_nor_loses_anything() -> None:
    found = case("unknown-trust")["unk"]
    assert found.after.trust.gap is Gap.UNKNOWN
    assert found.trust.changes == ()


def test_a_policy_known_after_apply_neither_gains_nor_loses_anything() -> None:
    found = case("unknown-trust")["unk"]
    assert found.after.inline["p"].gap is Gap.UNKNOWN
    assert found.permissions.changes == ()


def test_policies_that_the_configuration_lists_are_those_it_refers_to() -> None:
    found = case("list-of-managed")["r"]
    assert list(found.after.managed) == ["aws_iam_policy.a_pass", "aws_iam_policy.b_jobs"]
    assert len(found.permissions.changes) == 2


def test_a_list_that_the_configuration_does_not_set_is_what_the_role_has() -> None:
    held = {"name": "exec", "assume_role_policy": TRUSTED, "managed_policy_arns": [FULL_ACCESS]}
    new = {"name": "exec", "assume_role_policy": trust(SAGEMAKER, GLUE)}
    entry = change("aws_iam_role.exec", held, new, unknown={"managed_policy_arns": True})
    unset = assembled(entry, **configuration(configured("aws_iam_role.exec")))["exec"]
    assert unset.after.managed.keys() == {FULL_ACCESS}
    expression = {"references": ["local.arns"]}
    set_ = assembled(entry, **configuration(configured("aws_iam_role.exec", managed_policy_arns=expression)))["exec"]
    assert [each.gap for each in set_.after.managed.values()] == [Gap.WHICH_UNKNOWN]


def test_attachments_over_several_references_each_attach_an_unknown_policy() -> None:
    found = case("map-of-policies")["r"]
    assert [held.gap for held in found.after.managed.values()] == [Gap.WHICH_UNKNOWN] * 2


def test_a_policy_attached_to_a_role_of_unknown_name_is_that_roles() -> None:
    found = case("shared-unknown-role")["aws_iam_role.p"]
    assert ADMIN in found.after.managed


def test_a_policy_attached_to_unknown_roles_is_somebodys() -> None:
    values = {"name": "a", "policy_arn": ADMIN}
    entry = change("aws_iam_policy_attachment.a", None, values, unknown={"roles": True})
    found = assembled(entry)["the roles of aws_iam_policy_attachment.a"]
    assert ADMIN in found.after.managed


def test_an_exclusive_set_with_a_new_policy_holds_an_unknown_policy() -> None:
    values = {"role_name": "exec", "policy_arns": [None]}
    address = "aws_iam_role_policy_attachments_exclusive.x"
    entry = change(address, None, values, unknown={"policy_arns": [True]})
    found = assembled(role(TRUSTED, TRUSTED), entry)["exec"]
    assert [held.gap for held in found.after.managed.values()] == [Gap.WHICH_UNKNOWN]


def test_a_policy_that_an_exclusive_set_takes_over_from_an_attachment_stays() -> None:
    exclusive = {"role_name": "exec", "policy_arns": [FULL_ACCESS]}
    found = assembled(
        role(TRUSTED, TRUSTED, managed=([FULL_ACCESS], [FULL_ACCESS])),
        attachment(FULL_ACCESS, gone=True),
        change("aws_iam_role_policy_attachments_exclusive.x", exclusive, exclusive),
    )["exec"]
    assert found.after.managed.keys() == {FULL_ACCESS}


def test_hidden_policies_are_held_and_compared() -> None:
    assert case("sensitive-managed")["r"].after.managed.keys() == {Hidden(ADMIN)}
    marks: dict[str, Any] = {
        "after_sensitive": {"assume_role_policy": True},
        "before_sensitive": {"assume_role_policy": True},
    }
    same, changed = (
        assembled(role(TRUSTED, after, actions=["update"], **marks))["exec"] for after in (TRUSTED, trust(GLUE))
    )
    assert same.before.trust == same.after.trust
    assert changed.before.trust != changed.after.trust


def test_a_role_of_sensitive_name_is_called_by_its_address_and_holds_its_policies() -> None:
    found = case("sensitive-nested")
    assert found.keys() == {"aws_iam_role.n", "r"}
    held = found["aws_iam_role.n"].after
    assert [str(name) for name, _ in held.policies()] == [
        "inline policy (sensitive)",
        "managed policy arn:aws:iam::aws:policy/ReadOnlyAccess",
    ]


@pytest.mark.parametrize("names", [("a_old", "z_new"), ("z_old", "a_new")])
def test_a_policy_under_another_address_is_held_as_created_whatever_the_order(names: tuple[str, str]) -> None:
    old, new = names
    deleted = role_policy(document(allow("s3:GetObject")), None, name="data")
    created = role_policy(None, EVERYTHING, name="data")
    changes = [
        {**deleted, "address": f"aws_iam_role_policy.{old}"},
        {**created, "address": f"aws_iam_role_policy.{new}"},
    ]
    found = assembled(role(TRUSTED, TRUSTED), *sorted(changes, key=lambda each: str(each["address"])))["exec"]
    assert [each.kind for each in found.permissions.changes] == [Kind.WIDENED]
    assert found.readdressed == {
        PolicyName("inline", "data"): (f"aws_iam_role_policy.{old}", f"aws_iam_role_policy.{new}")
    }


def test_a_policy_that_is_only_deleted_is_lost_from_a_role_that_still_lists_it() -> None:
    text = document(allow("s3:GetObject"))
    listed = role(TRUSTED, TRUSTED, inline=({"data": text}, {"data": text}), managed=([FULL_ACCESS], [FULL_ACCESS]))
    found = assembled(listed, role_policy(text, None, name="data"), attachment(FULL_ACCESS, gone=True))["exec"]
    assert list(found.after.policies()) == []
    assert found.readdressed == {}


def test_a_policy_that_moves_to_another_role_is_lost_from_the_first() -> None:
    text = document(allow("s3:GetObject"))
    listed = [role(TRUSTED, TRUSTED, name=name, inline=({"data": text}, {"data": text})) for name in ("a", "b")]
    values = [{"name": "data", "role": name, "policy": text} for name in ("a", "b")]
    moved = change("aws_iam_role_policy.data", *values, actions=["delete", "create"])
    found = assembled(*listed, moved)
    assert (list(found["a"].after.inline), list(found["b"].after.inline)) == ([], ["data"])


def test_a_policy_that_a_shared_attachment_no_longer_attaches_is_lost() -> None:
    values = [{"name": "a", "roles": roles, "policy_arn": ADMIN} for roles in (["exec"], [])]
    entry = change("aws_iam_policy_attachment.a", *values)
    found = assembled(role(TRUSTED, TRUSTED, managed=([ADMIN], [ADMIN])), entry)["exec"]
    assert found.after.managed == {}


def test_an_account_comes_from_the_same_provider_configuration_only() -> None:
    known = change(
        "aws_iam_role.a", *[{"name": "a", "arn": f"arn:aws:iam::{ACCOUNT}:role/a", "assume_role_policy": TRUSTED}] * 2
    )
    new = change("aws_iam_role.b", None, {"name": "b", "assume_role_policy": TRUSTED})
    for provider, account in (("aws", ACCOUNT), ("aws.spoke", "")):
        blocks = configuration(configured("aws_iam_role.a"), configured("aws_iam_role.b", provider))
        assert assembled(known, new, **blocks)["b"].account == account
    assert assembled(known, new)["b"].account == ""


def test_roles_of_one_name_under_several_providers_are_several_roles() -> None:
    both = [change(f"aws_iam_role.{key}", None, {"name": "exec", "assume_role_policy": TRUSTED}) for key in ("a", "b")]
    policy = role_policy(None, EVERYTHING)
    blocks = configuration(
        configured("aws_iam_role.a"),
        configured("aws_iam_role.b", "aws.spoke"),
        configured(policy["address"], "aws.spoke"),
    )
    read = parse(plan(*both, policy, **blocks), "dev")
    held = {each.address: list(each.after.inline) for each in roles(read, read.changes)}
    assert held == {"aws_iam_role.a": [], "aws_iam_role.b": ["inline"]}


def test_a_replacement_that_forgets_the_old_role_leaves_its_policies_with_it() -> None:
    old, new = ({"name": "exec", "path": path, "assume_role_policy": TRUSTED} for path in ("/", "/new/"))
    kept, moved = ({"role": "exec", "policy_arn": arn} for arn in (FULL_ACCESS, ADMIN))
    read = parse(
        plan(
            change("aws_iam_role.r", old, new, actions=["create", "forget"]),
            change("aws_iam_role_policy_attachment.kept", kept, kept, actions=["forget", "create"]),
            change("aws_iam_role_policy_attachment.moved", moved, moved, actions=["delete", "create"]),
            **configuration(configured("aws_iam_role.r")),
        ),
        "dev",
    )
    held = {each.address: [list(of.managed) for of in (each.before, each.after)] for each in roles(read, read.changes)}
    assert held["aws_iam_role.r (forgotten object)"] == [[FULL_ACCESS, ADMIN], [FULL_ACCESS]]
    assert held["aws_iam_role.r"] == [[], [FULL_ACCESS, ADMIN]]


def test_a_user_and_a_role_of_one_name_are_two() -> None:
    user = change("aws_iam_user_policy_attachment.u", None, {"user": "exec", "policy_arn": ADMIN})
    read = parse(plan(role(TRUSTED, TRUSTED), user), "dev")
    held = {each.title: list(each.after.managed) for each in roles(read, read.changes)}
    assert held == {"role exec": [], "user exec": [ADMIN]}


@pytest.mark.parametrize("kind", ["user", "group"])
def test_an_exclusive_set_removes_what_a_user_or_group_no_longer_lists(kind: str) -> None:
    held = {kind: "x", "policy_arn": FULL_ACCESS}
    values = {f"{kind}_name": "x", "policy_arns": []}
    found = assembled(
        change(f"aws_iam_{kind}.x", {"name": "x"}, {"name": "x"}),
        change(f"aws_iam_{kind}_policy_attachment.a", held, None),
        change(f"aws_iam_{kind}_policy_attachments_exclusive.s", values, values),
    )["x"]
    assert (list(found.before.managed), list(found.after.managed)) == ([FULL_ACCESS], [])


def test_a_policy_attached_to_a_user_by_reference_is_that_users() -> None:
    user = change("aws_iam_user.u", None, {}, unknown={"name": True})
    values = {"policy_arn": ADMIN}
    held = change("aws_iam_user_policy_attachment.a", None, values, unknown={"user": True})
    blocks = configuration(
        configured("aws_iam_user.u"),
        configured("aws_iam_user_policy_attachment.a", user={"references": ["aws_iam_user.u.name", "aws_iam_user.u"]}),
    )
    assert list(assembled(user, held, **blocks)["aws_iam_user.u"].after.managed) == [ADMIN]


@pytest.mark.parametrize("kind", ["role", "policy"])
def test_an_address_of_another_type_is_no_target(kind: str) -> None:
    attribute = {"role": "roles", "policy": "policy_arn"}[kind]
    values = {"name": "a", "roles": ["exec"], "policy_arn": ADMIN}
    values.pop(attribute)
    refers = {"references": [f"aws_iam_{kind}.x.name", f"aws_iam_{kind}.x"]}
    block = {"address": "aws_iam_policy_attachment.a", "expressions": {attribute: refers}}
    found = assembled(
        {**change(f"aws_iam_{kind}.x", None, {"name": "x"}), "type": "aws_s3_object"},
        change("aws_iam_policy_attachment.a", None, values, unknown={attribute: True}),
        configuration={"root_module": {"resources": [block]}},
    )
    name = {"role": "the roles of aws_iam_policy_attachment.a", "policy": "exec"}[kind]
    held = dict(found[name].after.policies())
    assert [each.gap for each in held.values()] == [{"role": None, "policy": Gap.WHICH_UNKNOWN}[kind]]
