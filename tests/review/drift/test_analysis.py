"""The analysis of a plan: drift, who is affected, what apply would do, leave alone, or has not applied yet.

One file, because its cases share one way of making a plan.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from iam.documents.grants import ACCESS_POLICY, GLUE_TRUST, LIVE_ROLE_ADDRESS, SETUP_POLICY, policy_grants
from iam.documents.recipe import GLUE_STATEMENT_SID
from plans import plan as plans
from plans.plan import PlanError
from review import plan_files
from review.drift.analysis import analyze
from review.drift.renderers import sections
from review.drift.report import Reading
from tests.plan_builder import (
    ACCOUNT,
    FULL_ACCESS,
    GLUE,
    GLUE_SESSIONS,
    SAGEMAKER,
    allow,
    change,
    document,
    plan,
    role,
    role_policy,
    trust,
)
from tests.repository import ROOT

RECIPE = document(allow(["iam:GetRole", "iam:PassRole", "sts:GetCallerIdentity"]))
NARROWER = document(allow(["iam:GetRole", "sts:GetCallerIdentity"]))
EVERYTHING = document(allow("*"))
TRUSTED = trust(SAGEMAKER, GLUE)
WITHOUT_GLUE = trust(SAGEMAKER)
LAMBDA = "lambda.amazonaws.com"
POLICY = (
    "managed policy arn:aws:iam::aws:policy/service-role/AwsGlueSessionUserRestrictedServiceRole (v3 of 2024-08-05)"
)
INLINE = "inline policy glue-sessions"
GIVES = "(iam:GetRole, iam:PassRole, sts:GetCallerIdentity on *)"


@dataclass
class Lines:
    """An analysis in words."""

    drifted: list[str] = field(default_factory=list)
    affected: list[str] = field(default_factory=list)
    apply: list[str] = field(default_factory=list)
    left_alone: list[str] = field(default_factory=list)
    not_applied: list[str] = field(default_factory=list)
    staying: list[str] = field(default_factory=list)


def in_words(of: plans.Plan) -> Lines:
    found = sections(Reading("dev", "dev", "exec", analyze(of, region="eu-west-1")))
    assert found.pop("faults") == []
    return Lines(**found)


def analyzed(*changes: Mapping[str, Any], drift: tuple[Mapping[str, Any], ...] = (), **more: Any) -> Lines:
    return in_words(plans.parse(plan(*changes, resource_drift=list(drift), **more), "dev"))


def attached(before: bool, after: bool) -> dict[str, Any]:
    """Return the change of the managed policy's attachment."""
    values = {"role": "exec", "policy_arn": GLUE_SESSIONS}
    return change("aws_iam_role_policy_attachment.g", *(values if there else None for there in (before, after)))


def inline(before: str | None, after: str | None) -> dict[str, Any]:
    return role_policy(before, after, name="glue-sessions")


def own(before: str, after: str, **held: Any) -> dict[str, Any]:
    """Return the change of the role, whose own attributes list all its policies, the grants included."""
    policies = {"inline": {"glue-sessions": RECIPE}, "managed": [GLUE_SESSIONS, FULL_ACCESS]} | held
    return role(
        before,
        after,
        inline=(policies["inline"], policies["inline"]),
        managed=(policies["managed"], policies["managed"]),
    )


STANDS = (own(TRUSTED, TRUSTED), attached(True, True), inline(RECIPE, RECIPE))


def test_a_role_as_it_was_applied_has_no_entries() -> None:
    assert analyzed(*STANDS) == Lines()


def test_the_grants_themselves_are_no_drift_of_the_role_that_lists_them() -> None:
    as_adopted = role(TRUSTED, TRUSTED, inline=({}, {"glue-sessions": RECIPE}), managed=([], [GLUE_SESSIONS]))
    assert analyzed(*STANDS, drift=(as_adopted,)) == Lines()


def test_trust_that_was_removed() -> None:
    found = analyzed(own(WITHOUT_GLUE, TRUSTED), *STANDS[1:], drift=(own(TRUSTED, WITHOUT_GLUE),))
    assert found == Lines(
        drifted=["lost: glue.amazonaws.com may sts:AssumeRole"],
        affected=["Glue sessions will be refused: trust lost"],
        apply=["gained: glue.amazonaws.com may sts:AssumeRole"],
    )


def test_trust_of_sagemaker_that_was_removed() -> None:
    found = analyzed(own(trust(GLUE), TRUSTED), *STANDS[1:], drift=(own(TRUSTED, trust(GLUE)),))
    assert found.affected == ["SageMaker cannot run notebooks as the role: trust lost"]


def test_trust_that_was_given_a_condition() -> None:
    sid = {"Sid": GLUE_STATEMENT_SID, "Effect": "Allow", "Principal": {"Service": GLUE}, "Action": "sts:AssumeRole"}
    condition = {"Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}}}
    ours, on_condition = document(sid), document({**sid, **condition})
    found = analyzed(own(on_condition, ours), *STANDS[1:], drift=(own(ours, on_condition),))
    assert found.drifted[0].startswith("narrowed: glue.amazonaws.com may sts:AssumeRole → ")
    assert found.affected == ["Glue sessions may be refused: trust now depends on a condition"]


def test_an_inline_policy_that_was_deleted() -> None:
    live = own(TRUSTED, TRUSTED, inline={})
    found = analyzed(live, attached(True, True), inline(None, RECIPE), drift=(inline(RECIPE, None),))
    assert found == Lines(
        drifted=[f"lost: {INLINE} {GIVES}"],
        affected=["Glue sessions cannot start or run: iam:GetRole, iam:PassRole lost"],
        apply=[f"gained: {INLINE} {GIVES}"],
    )


def test_an_inline_policy_that_was_narrowed() -> None:
    live = own(TRUSTED, TRUSTED, inline={"glue-sessions": NARROWER}, managed=[GLUE_SESSIONS])
    found = analyzed(live, attached(True, True), inline(NARROWER, RECIPE), drift=(inline(RECIPE, NARROWER),))
    assert found == Lines(
        drifted=[f"{INLINE}: lost: iam:PassRole on *"],
        affected=["Glue sessions cannot start or run: iam:PassRole lost"],
        apply=[f"{INLINE}: gained: iam:PassRole on *"],
    )


def test_an_inline_policy_that_was_widened_affects_no_session() -> None:
    live = own(TRUSTED, TRUSTED, inline={"glue-sessions": EVERYTHING})
    found = analyzed(live, attached(True, True), inline(EVERYTHING, RECIPE), drift=(inline(RECIPE, EVERYTHING),))
    assert [line.split(": ")[:2] for line in found.drifted + found.apply] == [[INLINE, "widened"], [INLINE, "narrowed"]]
    assert found.affected == []


def test_a_managed_policy_that_was_detached() -> None:
    live = own(TRUSTED, TRUSTED, managed=[])
    found = analyzed(live, attached(False, True), inline(RECIPE, RECIPE), drift=(attached(True, False),))
    assert found == Lines(
        drifted=[f"lost: {POLICY}"],
        affected=[
            "Glue sessions cannot start or run: glue:CreateSession, glue:TagResource, glue:GetSession and 5 more lost",
        ],
        apply=[f"gained: {POLICY}"],
    )


CUSTOMERS = f"arn:aws:iam::{ACCOUNT}:policy/service-role/AmazonSageMaker-ExecutionPolicy-1"
"""A policy like the one of each role that the console creates: its document is in no plan of the role."""


def test_a_managed_policy_that_was_detached_beside_one_that_is_not_read() -> None:
    live = own(TRUSTED, TRUSTED, managed=[CUSTOMERS])
    found = analyzed(live, attached(False, True), inline(RECIPE, RECIPE), drift=(attached(True, False),))
    assert found.affected == [
        "Glue sessions may not be able to start or run:"
        " glue:CreateSession, glue:TagResource, glue:GetSession and 5 more lost",
    ]


def test_apply_restores_what_was_undecided_before_a_policy_that_is_not_read_was_detached_too() -> None:
    held = role(TRUSTED, TRUSTED, inline=({"glue-sessions": RECIPE},) * 2, managed=([CUSTOMERS], []))
    found = analyzed(
        own(TRUSTED, TRUSTED, managed=[]),
        attached(False, True),
        inline(RECIPE, RECIPE),
        drift=(attached(True, False), held),
    )
    assert found.affected[0].endswith("5 more lost")


def test_what_others_added_is_for_information() -> None:
    live = own(trust(SAGEMAKER, GLUE, LAMBDA), trust(SAGEMAKER, GLUE, LAMBDA), managed=[GLUE_SESSIONS])
    happened = role(
        TRUSTED,
        trust(SAGEMAKER, GLUE, LAMBDA),
        inline=({}, {"theirs": EVERYTHING, "glue-sessions": RECIPE}),
        managed=([GLUE_SESSIONS], [GLUE_SESSIONS, FULL_ACCESS]),
        boundary=("", "arn:aws:iam::aws:policy/PowerUserAccess"),
    )
    found = analyzed(live, *STANDS[1:], drift=(happened,))
    assert found == Lines(
        left_alone=[
            "gained: lambda.amazonaws.com may sts:AssumeRole",
            "gained: inline policy theirs (every action on *)",
            f"gained: managed policy {FULL_ACCESS} ({_full_access()})",
            "boundary none → arn:aws:iam::aws:policy/PowerUserAccess",
        ]
    )


def _full_access() -> str:
    from plans import datasets

    known = datasets.managed_policy(FULL_ACCESS)
    assert known
    return f"{known.version} of {known.updated}"


def test_what_others_added_is_distinguished_from_what_they_removed() -> None:
    live, after = trust(SAGEMAKER, LAMBDA), trust(SAGEMAKER, LAMBDA, GLUE)
    found = analyzed(own(live, after), *STANDS[1:], drift=(own(TRUSTED, live),))
    assert found.drifted == ["lost: glue.amazonaws.com may sts:AssumeRole"]
    assert found.left_alone == ["gained: lambda.amazonaws.com may sts:AssumeRole"]
    assert found.apply == ["gained: glue.amazonaws.com may sts:AssumeRole"]
    assert found.not_applied == []


def test_what_others_added_to_a_trust_policy_that_is_ours_is_drift() -> None:
    live = trust(SAGEMAKER, GLUE, LAMBDA)
    found = analyzed(own(live, TRUSTED), *STANDS[1:], drift=(own(TRUSTED, live),))
    assert found.drifted == ["gained: lambda.amazonaws.com may sts:AssumeRole"]
    assert found.apply == ["lost: lambda.amazonaws.com may sts:AssumeRole"]
    assert found.affected == found.left_alone == []


def test_what_is_denied_by_others_stays_denied_after_apply() -> None:
    denies = {"theirs": document({**allow("glue:CreateSession"), "Effect": "Deny"}), "glue-sessions": RECIPE}
    found = analyzed(
        own(TRUSTED, TRUSTED, inline=denies),
        *STANDS[1:],
        drift=(role(TRUSTED, TRUSTED, inline=({}, denies), managed=([GLUE_SESSIONS], [GLUE_SESSIONS])),),
    )
    assert found == Lines(
        affected=["Glue sessions cannot start or run: glue:CreateSession lost, and apply does not restore it"],
        left_alone=["gained: inline policy theirs (denies glue:CreateSession on *)"],
    )


def stale(before: str, *policies: str, inline: Mapping[str, str] = {}) -> dict[str, Any]:
    """Return the role as this project's stack adopts it, with the policies that its own attributes list."""
    listed = {
        "managed_policy_arns": list(policies),
        "inline_policy": [{"name": n, "policy": p} for n, p in inline.items()],
    }
    return {"name": "exec", "arn": f"arn:aws:iam::{ACCOUNT}:role/exec", "assume_role_policy": before, **listed}


GRANTED = stale(WITHOUT_GLUE, FULL_ACCESS, GLUE_SESSIONS, inline={SETUP_POLICY.policy_name: RECIPE})
FREED = stale(WITHOUT_GLUE, FULL_ACCESS)
BLOCKS = {
    "resources": [{"address": grant.address, "expressions": {}} for grant in policy_grants() if not grant.is_optional]
}


def released(now: dict[str, Any], *, last_written: dict[str, Any]) -> Lines:
    """Return the analysis of the plan of a released role, which in the state is as it was last written."""
    drift = [change(GLUE_TRUST.address, last_written, now)] if now != last_written else []
    own = change(GLUE_TRUST.address, now, now)
    return analyzed(own, drift=tuple(drift), configuration={"root_module": BLOCKS})


def test_a_release_is_not_what_others_changed() -> None:
    assert released(FREED, last_written=GRANTED) == Lines()


def test_what_others_detach_from_a_released_role_is_still_reported() -> None:
    found = released(stale(WITHOUT_GLUE), last_written=GRANTED)
    assert [line.partition(" (")[0] for line in found.left_alone] == [f"lost: managed policy {FULL_ACCESS}"]
    assert found.drifted == []


@pytest.mark.parametrize("last_written", [GRANTED, FREED], ids=["listed in the state", "not listed"])
def test_grants_that_a_released_role_has_again_or_still_are_reported(last_written: dict[str, Any]) -> None:
    found = released(GRANTED, last_written=last_written)
    assert [line.partition(":")[0] for line in found.staying] == [
        "AwsGlueSessionUserRestrictedServiceRole",
        SETUP_POLICY.policy_name,
    ]
    assert found.drifted == found.affected == found.not_applied == []


def test_a_grant_that_the_configuration_no_longer_has_is_reported_of_any_role() -> None:
    own = stale(TRUSTED, inline={ACCESS_POLICY.policy_name: RECIPE})
    found = analyzed(change(GLUE_TRUST.address, own, own), configuration={"root_module": BLOCKS})
    assert [line.partition(":")[0] for line in found.staying] == [ACCESS_POLICY.policy_name]


def test_of_a_released_role_that_another_stack_owns_it_is_undecided() -> None:
    live = [{"address": LIVE_ROLE_ADDRESS, "mode": "data", "expressions": {}}]
    found = analyzed(configuration={"root_module": {"resources": live}})
    assert len(found.left_alone) == 2
    assert all("is undecided" in line for line in found.left_alone)
    assert found.staying == []
    forgotten = change(GLUE_TRUST.address, GRANTED, GRANTED, actions=["forget"])
    assert len(analyzed(forgotten, configuration={"root_module": {"resources": live}}).staying) == 2


def test_a_role_that_is_not_adopted_yet_has_not_drifted() -> None:
    adopted = role(WITHOUT_GLUE, TRUSTED, importing={"id": "exec"})
    found = analyzed(adopted, attached(False, True), inline(None, RECIPE))
    assert found == Lines(
        not_applied=[
            "gained: glue.amazonaws.com may sts:AssumeRole",
            f"gained: {INLINE} {GIVES}",
            f"gained: {POLICY}",
            "adopted (imported): aws_iam_role.exec",
        ]
    )


def test_a_changed_configuration_has_not_drifted() -> None:
    live = own(TRUSTED, TRUSTED, managed=[GLUE_SESSIONS])
    found = analyzed(live, attached(True, True), inline(RECIPE, NARROWER))
    assert found == Lines(not_applied=[f"{INLINE}: lost: iam:PassRole on *"])


def test_a_changed_configuration_is_distinguished_from_drift_of_the_same_policy() -> None:
    wanted = document(allow(["iam:GetRole", "iam:PassRole", "sts:GetCallerIdentity", "glue:GetTags"]))
    live = own(TRUSTED, TRUSTED, inline={"glue-sessions": NARROWER}, managed=[GLUE_SESSIONS])
    found = analyzed(live, attached(True, True), inline(NARROWER, wanted), drift=(inline(RECIPE, NARROWER),))
    assert found.drifted == [f"{INLINE}: lost: iam:PassRole on *"]
    assert found.apply == [f"{INLINE}: gained: glue:GetTags, iam:PassRole on *"]
    assert found.not_applied == [f"{INLINE}: gained: glue:GetTags on *"]


def test_a_change_by_hand_that_the_configuration_followed_is_no_drift() -> None:
    live = own(TRUSTED, TRUSTED, inline={"glue-sessions": NARROWER})
    found = analyzed(live, attached(True, True), inline(NARROWER, NARROWER), drift=(inline(RECIPE, NARROWER),))
    assert (found.drifted, found.apply) == ([], [])
    assert found.left_alone == [f"{INLINE}: lost: iam:PassRole on *"]


def test_changes_that_differ_beyond_the_names_that_a_sentence_lists_are_drift() -> None:
    by_others = [f"s3:A{number:02}" for number in range(1, 14)]
    configured = [*by_others[:12], "s3:A20"]
    live, wanted = document(allow(by_others)), document(allow(configured))
    found = analyzed(
        own(TRUSTED, TRUSTED, inline={"glue-sessions": live}),
        attached(True, True),
        inline(live, wanted),
        drift=(inline(document(allow("s3:B")), live),),
    )
    assert found.drifted == [f"{INLINE}: gained: s3:A13 on *"]
    assert found.apply == [f"{INLINE}: gained: s3:A20 on *", f"{INLINE}: lost: s3:A13 on *"]
    assert found.not_applied == [f"{INLINE}: gained: s3:A20 on *"]
    assert found.left_alone == [
        f"{INLINE}: gained: {', '.join(by_others[:12])} on *",
        f"{INLINE}: lost: s3:B on *",
    ]


def test_a_new_policy_that_differs_beyond_the_names_that_a_sentence_lists_is_drift() -> None:
    by_others = [f"s3:A{number:02}" for number in range(1, 14)]
    live, wanted = document(allow(by_others)), document(allow([*by_others[:12], "s3:A20"]))
    found = analyzed(
        own(TRUSTED, TRUSTED, inline={"glue-sessions": live}),
        attached(True, True),
        inline(live, wanted),
        drift=(inline(None, live),),
    )
    assert len(found.drifted) == 1
    assert found.apply == [f"{INLINE}: gained: s3:A20 on *", f"{INLINE}: lost: s3:A13 on *"]


def test_a_role_that_is_only_forgotten_has_not_drifted() -> None:
    found = analyzed(role(TRUSTED, TRUSTED, actions=["forget"]), *STANDS[1:])
    assert found == Lines(not_applied=["forgotten, not deleted: aws_iam_role.exec"])


def test_what_is_not_known_of_a_plan_is_no_answer_about_drift() -> None:
    with pytest.raises(PlanError, match=r"does not know: aws_iam_role\.exec: actions replace$"):
        analyzed(role(TRUSTED, TRUSTED, actions=["replace"]))


def test_a_change_without_a_meaning_in_iam_is_reported_too() -> None:
    tagged = change("aws_iam_policy.p", {"name": "p", "tags": {}}, {"name": "p", "tags": {"a": "b"}})
    assert analyzed(*STANDS, tagged).not_applied == ["updated in place: aws_iam_policy.p"]
    untagged = change("aws_iam_policy.p", {"name": "p", "tags": {"a": "b"}}, {"name": "p", "tags": {}})
    found = analyzed(*STANDS, tagged, drift=(untagged,))
    assert found.drifted == ["changed without a change of access: aws_iam_policy.p"]
    assert found.apply == ["updated in place: aws_iam_policy.p"]


FAILED: dict[str, Any] = {
    "checks": [
        {
            "address": {"to_display": "check.glue_is_trusted"},
            "instances": [
                {
                    "address": {"to_display": "check.glue_is_trusted"},
                    "status": "fail",
                    "problems": [{"message": "The trust policy does not let Glue in: see above."}],
                }
            ],
        }
    ]
}


def test_a_role_of_another_stack_that_does_not_trust_glue_is_drift_that_apply_cannot_fix() -> None:
    assert analyzed(*STANDS[1:], **FAILED) == Lines(
        drifted=["The trust policy does not let Glue in: see above."],
        affected=["Glue sessions will be refused: trust missing"],
        apply=["nothing about the trust policy, which another stack owns"],
    )


@pytest.mark.parametrize(
    ("changes", "drift", "where"),
    [
        ((own(trust(SAGEMAKER, GLUE, LAMBDA), TRUSTED),), (own(TRUSTED, trust(SAGEMAKER, GLUE, LAMBDA)),), "apply"),
        ((role(trust(SAGEMAKER, LAMBDA), TRUSTED, importing={"id": "exec"}),), (), "not_applied"),
    ],
)
def test_what_an_apply_removes_is_reported_in_the_words_of_its_check(changes: Any, drift: Any, where: str) -> None:
    found = analyzed(*changes, *STANDS[1:], drift=drift, **FAILED)
    assert getattr(found, where)[-1] == "The trust policy does not let Glue in: see above."


def test_who_is_affected_by_a_role_of_another_stack_is_uncertain() -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:role/exec"
    read = {
        "type": "aws_iam_role",
        "mode": "data",
        "address": "data.aws_iam_role.live",
        "values": {"name": "exec", "arn": arn, "unique_id": "AROA", "assume_role_policy": TRUSTED},
    }
    prior = {"prior_state": {"values": {"root_module": {"resources": [read]}}}}
    found = analyzed(attached(True, True), inline(None, RECIPE), drift=(inline(RECIPE, None),), **prior)
    assert found.affected == [
        "Glue sessions may not be able to start or run: iam:GetRole, iam:PassRole lost",
    ]


PLANS = ROOT / "tests/review/plans"


def of_file(name: str) -> Lines:
    return in_words(plan_files.read(str(PLANS / name)))


def test_a_real_plan_of_a_drifted_role() -> None:
    assert of_file("drift-additive.json") == Lines(
        drifted=["lost: glue.amazonaws.com may sts:AssumeRole", f"lost: {POLICY}"],
        affected=["Glue sessions will be refused: trust lost"],  # all else is allowed by the backdoor
        apply=["gained: glue.amazonaws.com may sts:AssumeRole", f"gained: {POLICY}"],
        left_alone=["gained: inline policy backdoor (every action on *)"],
    )


def test_a_real_plan_that_forgets_the_role_which_then_is_another_stacks() -> None:
    found = of_file("forget.json")
    assert found.not_applied == ["forgotten, not deleted: aws_iam_role.execution_role"]
    assert found.drifted[0] == f"lost: {POLICY}"
    assert found.drifted[1].endswith(" does not trust glue")
    assert found.apply == [f"gained: {POLICY}", "nothing about the trust policy, which another stack owns"]


def test_a_role_that_would_be_deleted_is_reported() -> None:
    assert "deleted: aws_iam_role.execution_role" in of_file("block-left.json").not_applied


@pytest.mark.parametrize("file", sorted(PLANS.rglob("*.json")), ids=lambda file: file.stem)
def test_every_change_of_a_plan_is_reported(file: Path) -> None:
    plan = plan_files.read(str(file))
    if plan.unknown_operations:
        with pytest.raises(PlanError, match="does not know"):
            in_words(plan)
        return
    found = in_words(plan)
    assert bool(found.apply or found.not_applied) == any(change.changes for change in plan.changes)
