"""A policy that several resources of a plan write or remove: Terraform does not order them, all count."""

from typing import Any

import pytest

from iam.engine.difference import Kind
from plans.roles import PolicyName
from tests.plan_builder import ACCOUNT, SAGEMAKER, allow, attachment, change, document, role, role_policy, trust
from tests.plans.test_assembly import ADMIN, EVERYTHING, assembled

TRUSTED = trust(SAGEMAKER)
SAFE = document(allow("s3:GetObject"))


def of_name_data(address: str, before: str | None, after: str | None, **more: Any) -> dict[str, Any]:
    return {**role_policy(before, after, name="data", **more), "address": f"aws_iam_role_policy.{address}"}


KNOWN_LATER = change(
    "aws_iam_role_policy.other",
    {"name": "data", "role": "exec", "policy": SAFE},
    {"name": "data", "role": "exec"},
    unknown={"policy": True},
)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(
    "others",
    [
        (role(TRUSTED, TRUSTED), of_name_data("other", None, SAFE)),
        (role(TRUSTED, TRUSTED), of_name_data("other", SAFE, SAFE)),
        (role(TRUSTED, TRUSTED), KNOWN_LATER),
        (role(TRUSTED, TRUSTED, inline=({}, {"data": SAFE})),),
        (role(None, TRUSTED, inline=({}, {"data": SAFE})),),
    ],
    ids=["created, too", "unchanged", "known after apply", "in the role's own list", "in a new role's own list"],
)
def test_a_policy_that_several_resources_write_holds_what_each_writes(
    others: tuple[dict[str, Any], ...], reverse: bool
) -> None:
    wide = of_name_data("wide", SAFE if others[0]["change"]["before"] else None, EVERYTHING)
    changes = [wide, *others] if reverse else [*others, wide]
    found = assembled(*changes)["exec"]
    assert EVERYTHING in [held.document for _, held in found.after.policies()]
    ((policy, addresses),) = found.writers.items()
    assert policy == PolicyName("inline", "data")
    assert set(addresses) == {"aws_iam_role_policy.wide", others[-1]["address"]}


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(
    "other",
    [
        of_name_data("other", SAFE, None, actions=["forget"]),
        role(TRUSTED, TRUSTED, inline=({"data": SAFE}, {"data": SAFE})),
        of_name_data("other", None, EVERYTHING),
        of_name_data("other", None, SAFE, of="another"),
    ],
    ids=["forgotten", "listed as it was", "the same document", "of another role"],
)
def test_what_writes_no_other_document_counts_for_nothing(other: dict[str, Any], reverse: bool) -> None:
    changes = [other, of_name_data("wide", None, EVERYTHING)]
    found = assembled(*(reversed(changes) if reverse else changes))["exec"]
    assert found.writers == {}
    assert [held.document for _, held in found.after.policies()] == [EVERYTHING]


def test_three_resources_that_write_a_policy_are_all_evaluated() -> None:
    texts = [document(allow(action)) for action in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject")]
    changes = [of_name_data(str(number), None, text) for number, text in enumerate(texts)]
    found = assembled(role(TRUSTED, TRUSTED), *changes)["exec"]
    assert len(list(found.after.policies())) == len(texts)
    assert [len(addresses) for addresses in found.writers.values()] == [len(texts)]


def exclusive(kind: str, before: list[str] | None, after: list[str] | None, **more: Any) -> dict[str, Any]:
    type_, names = {
        "inline": ("aws_iam_role_policies_exclusive", "policy_names"),
        "managed": ("aws_iam_role_policy_attachments_exclusive", "policy_arns"),
    }[kind]
    sides = [None if listed is None else {"role_name": "exec", names: listed} for listed in (before, after)]
    return change(f"{type_}.e", *sides, **more)


@pytest.mark.parametrize("before", [None, [], ["other"]])
@pytest.mark.parametrize("trusted", [TRUSTED, None])
@pytest.mark.parametrize("kind", ["inline", "managed"])
def test_what_a_role_itself_gets_is_held_whatever_an_exclusive_set_removes(
    kind: str, trusted: str | None, before: list[str] | None
) -> None:
    inline: Any = ({}, {"data": EVERYTHING}) if kind == "inline" else ({}, {})
    managed: Any = ([], [ADMIN]) if kind == "managed" else ([], [])
    found = assembled(role(trusted, TRUSTED, inline=inline, managed=managed), exclusive(kind, before, []))["exec"]
    assert len(list(found.after.policies())) == 1


def test_what_a_role_lists_as_before_goes_by_an_exclusive_set_unless_that_is_forgotten() -> None:
    listed = role(TRUSTED, TRUSTED, inline=({"data": SAFE}, {"data": SAFE}), managed=([ADMIN], [ADMIN]))
    for kind, left in (("inline", "managed"), ("managed", "inline")):
        found = assembled(listed, exclusive(kind, None, []))["exec"]
        assert [name.kind for name, _ in found.after.policies()] == [left]
        found = assembled(listed, exclusive(kind, [], None, actions=["forget"]))["exec"]
        assert len(list(found.after.policies())) == 2


def test_a_policy_that_a_resource_deletes_and_the_role_itself_writes_is_held() -> None:
    listed = role(TRUSTED, TRUSTED, inline=({"data": SAFE}, {"data": EVERYTHING}))
    found = assembled(listed, of_name_data("gone", SAFE, None))["exec"]
    assert [held.document for _, held in found.after.policies()] == [EVERYTHING]


OWN_POLICY = f"arn:aws:iam::{ACCOUNT}:policy/x"


def managed_policy(arn: str, before: str | None, after: str | None, **more: Any) -> dict[str, Any]:
    sides = [None if text is None else {"name": "x", "arn": arn, "policy": text} for text in (before, after)]
    return change("aws_iam_policy.x", *sides, **more)


@pytest.mark.parametrize(
    "gets",
    [
        lambda arn: [role(TRUSTED, TRUSTED), attachment(arn)],
        lambda arn: [role(TRUSTED, TRUSTED, managed=([], [arn]))],
        lambda arn: [role(TRUSTED, TRUSTED), exclusive("managed", [], [arn])],
    ],
    ids=["attachment", "list", "exclusive set"],
)
@pytest.mark.parametrize(
    "policy",
    [
        managed_policy(ADMIN, EVERYTHING, SAFE, importing={"id": ADMIN}),
        managed_policy(ADMIN, EVERYTHING, None),
        managed_policy(OWN_POLICY, EVERYTHING, None),
        managed_policy(OWN_POLICY, EVERYTHING, None, actions=["forget"]),
    ],
    ids=["AWS's policy written", "AWS's policy deleted", "deleted", "forgotten"],
)
def test_a_policy_that_a_role_gets_is_as_aws_has_it_though_the_plan_writes_or_deletes_it(
    gets: Any, policy: dict[str, Any]
) -> None:
    arn = policy["change"]["before"]["arn"]
    (statement,) = assembled(policy, *gets(arn))["exec"].allowed
    assert statement[1].action.patterns == ("*",)


def test_a_policy_that_a_role_had_is_lost_if_the_plan_deletes_it() -> None:
    listed = role(TRUSTED, TRUSTED, managed=([OWN_POLICY], [OWN_POLICY]))
    for more in ((), (attachment(OWN_POLICY, gone=True),)):
        found = assembled(managed_policy(OWN_POLICY, EVERYTHING, None), listed, *more)["exec"]
        assert [each.kind for each in found.permissions.changes] == [Kind.LOST]
