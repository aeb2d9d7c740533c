"""Every trust policy met in the wild, taken over and handed back by real terraform: many roles in few runs.

On the journey the provider tags everything by default, save in one plan: to an adopted role it must make no difference.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from iam.documents.recipe import GLUE
from iam.engine import statements as meaning
from iam.engine.difference import Change, difference
from iam.policy_document import Document, size, statements
from sandbox.launcher import Sandbox
from tests.e2e.execution_role import RECIPE_TRUST, ExecutionRole
from tests.e2e.shop import Shop
from tests.e2e.terraform import Run, Terraform
from tests.trust_policies import (
    ACCEPTED,
    ALTERED,
    CONSOLES,
    DELETED,
    DELETED_ROLE,
    DELETED_USER,
    FOREIGN,
    NEAR_QUOTA,
    OURS,
    OVER_QUOTA,
    QUOTA,
    REFUSED,
    TRUSTING,
    UNTRUSTING,
    grants,
    released,
    statement,
    trust,
)

TAGS = {"managed-by": "terraform"}
SINCE = statement("scheduler.amazonaws.com", Sid="Since")
CONDITIONED = {**OURS, "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}}}


@dataclass
class Case:
    """One role with one trust policy.

    Attributes:
        name: the trust policy's in the corpus.
        ownership: `additive`, `keep`, `authoritative` or `external`.
        live: the trust policy before adoption.
        trusts: the trust policy after each stage of the journey.
    """

    name: str
    ownership: str
    role: ExecutionRole
    live: Document
    trusts: dict[str, Document] = field(default_factory=dict)

    @property
    def adopted(self) -> Document:
        """The trust policy that adoption is to make."""
        if self.ownership == "authoritative":
            return RECIPE_TRUST
        if self.ownership == "external" or self.name in TRUSTING or self.name == "ours, in a list":
            return self.live  # the provider sees no difference between a name and a list of one
        if self.name in ALTERED:
            return trust(OURS, CONSOLES)
        return {**self.live, "Statement": [*statements(self.live), OURS]}

    @property
    def drifted(self) -> Document:
        """What somebody then makes of it: our statement removed or altered, and perhaps one added."""
        odd = len(self.name) % 2
        if self.ownership == "authoritative":
            return trust(*RECIPE_TRUST["Statement"], SINCE) if odd or self.name in TRUSTING else self.live
        if self.name in TRUSTING:
            return trust(CONSOLES, SINCE)
        others = [each for each in statements(self.adopted) if each.get("Sid") != OURS["Sid"]]
        if self.name in NEAR_QUOTA:
            return trust(*others)
        return {**self.adopted, "Statement": [*others, CONDITIONED] if odd else [*others, SINCE]}

    @property
    def repaired(self) -> Document:
        """What the next apply makes of that."""
        if self.ownership != "additive":
            return self.adopted
        others = [each for each in statements(self.drifted) if each != CONDITIONED]
        return {**self.drifted, "Statement": [*others, OURS]}

    @property
    def handed_back(self) -> Document:
        """The trust policy that the release is to leave."""
        return {**self.repaired, "Statement": released(self.repaired)}


def key(name: str) -> str:
    return re.sub("[^a-z0-9]+", "-", name.lower())


def settings(case: Case, *, ownership: str | None = None, **more: Any) -> dict[str, Any]:
    trusts: dict[str, Any] = {"ownership": ownership or case.ownership}
    if trusts["ownership"] == "keep":
        trusts = {"keep": f"{case.role.name}.json"}
    return {"role": case.role.name, "trust": trusts, **more}


def made(aws: Sandbox, ownership: str, documents: Iterable[tuple[str, Document]]) -> list[Case]:
    return [
        Case(name, ownership, ExecutionRole(aws, f"{ownership}-{key(name)}"[:64], document), document)
        for name, document in documents
    ]


def named_as_lost(case: Case, live: Document, owned: Document) -> list[str]:
    """The warning of a plan that changes a trust policy from one to another, if it is to warn."""
    lost = [text for key, text in grants(live).items() if key not in grants(owned)]
    if not lost:
        return []
    message = (
        f"Check block assertion failed: This plan removes from the trust policy of {case.role.arn}:"
        f" {'; '.join(lost)}. To keep a statement, save it in a file and name that file in trust.keep, or set"
        " trust.ownership to additive."
    )
    return [" ".join(message.split())]


def changes(before: Document, after: Document) -> list[Change]:
    return list(difference([meaning.trust_policy(before)], [meaning.trust_policy(after)]).changes)


def of_service(change: Change, service: str = GLUE) -> bool:
    return all(row.principal.patterns == (f"Service:{service}",) for row in (*change.before, *change.after))


@pytest.fixture(scope="module")
def many(aws: Sandbox, binary: str, environment: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Shop:
    aws.client("s3").create_bucket(Bucket="every-trust-policy")
    return Shop(aws, "every-trust-policy", tmp_path_factory.mktemp("many"), binary, environment)


@pytest.fixture(scope="module")
def additive_roles(aws: Sandbox) -> list[Case]:
    return made(aws, "additive", ACCEPTED.items())


@pytest.fixture(scope="module")
def refused_roles(aws: Sandbox) -> list[Case]:
    left = {
        text: ExecutionRole(aws, f"left-{number}", trust(CONSOLES))
        for number, text in enumerate([DELETED_ROLE, DELETED_USER])
    }
    documents = {}
    for name, document in REFUSED.items():
        written = json.dumps(document)
        for text, colleague in left.items():
            written = written.replace(text, colleague.arn)
        documents[name] = json.loads(written)
    cases = made(aws, "refused", documents.items())
    for colleague in left.values():
        colleague.delete()
    for case in cases:
        case.live = case.role.trust
        case.role.made = case.role.read()
    return cases


def test_authoritative_names_every_statement_it_would_take_away(
    many: Shop, additive_roles: list[Case], refused_roles: list[Case]
) -> None:
    cases = [*additive_roles, *refused_roles]
    stack = many.together(recipe={"roles": [settings(case, ownership="authoritative") for case in cases]})
    planned = stack.plan()
    expected = [line for case in cases for line in named_as_lost(case, case.live, RECIPE_TRUST)]
    assert sorted(planned.warnings) == sorted(expected)
    assert len(expected) > 60

    after = stack.planned()
    for case in cases:
        # what was not named is not lost
        unnamed = [each for each in singles(case.live) if grants(trust(each)).keys() <= grants(RECIPE_TRUST).keys()]
        assert not unnamed or not [c for c in changes(trust(*unnamed), RECIPE_TRUST) if c.restricts], case.name
        # and of the role nothing else is another
        change = after[f"aws_iam_role.glue-sessions-recipe-{case.role.name}"]
        differing = {name for name in change["before"] if change["before"][name] != change["after"].get(name)}
        assert differing <= {"assume_role_policy"}, case.name
        assert changes(json.loads(change["after"]["assume_role_policy"]), RECIPE_TRUST) == [], case.name


def singles(document: Document) -> list[Document]:
    """The statements of a trust policy, each with one action and one principal."""
    found = []
    for each in statements(document):
        for action in [each["Action"]] if isinstance(each.get("Action"), str) else each.get("Action", [None]):
            single = {**each, "Action": action} if action else each
            if not isinstance(each.get("Principal"), dict):
                found.append(single)
                continue
            for kind, names in each["Principal"].items():
                found += [
                    {**single, "Principal": {kind: name}} for name in ([names] if isinstance(names, str) else names)
                ]
    return found


def test_a_trust_policy_that_additive_cannot_extend_fails_the_plan_with_the_reason(
    many: Shop, refused_roles: list[Case]
) -> None:
    attempt = many.together(
        refused={"roles": [settings(c, ownership="additive") for c in refused_roles]}
    ).try_to_apply()
    assert attempt.status == 1
    for case in refused_roles:
        (error,) = [each for each in attempt.errors if f" {case.role.arn} " in each]
        begin, _, rest = error.partition(f"The trust policy of {case.role.arn} ")
        assert begin == "Resource precondition failed: "
        if case.name in FOREIGN:
            beginning = "has a statement with Sid GlueInteractiveSessions that names principals other than Glue: [{"
        elif case.name in DELETED:
            beginning = "names a deleted principal: AROA"
        else:
            assert case.name in OVER_QUOTA
            long = size(trust(*statements(case.live), OURS))
            assert long > QUOTA
            beginning = f"would be {long} characters long, and the quota is {QUOTA}."
        assert rest.startswith(beginning), rest
    assert len(attempt.errors) == len(refused_roles)
    for case in refused_roles:
        assert case.role.read() == case.role.made


@dataclass
class Journey:
    """All roles on their way from before adoption to after release, with the result of each run."""

    cases: list[Case]
    runs: dict[str, Run]

    def of(self, *ownerships: str) -> list[Case]:
        return [case for case in self.cases if case.ownership in ownerships]


@pytest.fixture(scope="module")
def journey(many: Shop, aws: Sandbox, additive_roles: list[Case]) -> Journey:
    kept = {name: document for name, document in UNTRUSTING.items() if name not in NOT_KEPT}
    cases = [
        *additive_roles,
        *made(aws, "keep", kept.items()),
        *made(aws, "authoritative", list(ACCEPTED.items())[::7]),
        *made(aws, "external", ((name, ACCEPTED[name]) for name in EXTERNAL)),
    ]
    for case in cases:
        (many.folder / f"{case.role.name}.json").write_text(json.dumps(case.live))
    runs = {}

    def together(*, tagged: bool = True, **more: Any) -> Terraform:
        roles = [settings(case, **more) for case in cases]
        return many.together(default_tags=TAGS if tagged else None, dev={"roles": roles})

    def after(stage: str, run: Run) -> None:
        assert run.status == 0, run.output
        runs[stage] = run
        for case in cases:
            case.trusts[stage] = case.role.trust

    after("adopted", together().try_to_apply())
    after("adopted, planned again", together(tagged=False).plan())
    for case in cases:
        if case.ownership != "external":
            case.role.trust = case.drifted
    after("repaired", together().try_to_apply())
    after("released", together(released=True).try_to_apply())
    after("released, planned again", together(released=True).plan())
    return Journey(cases, runs)


# kept statements may not trust Glue, and must trust SageMaker
NOT_KEPT = {
    "no SageMaker",
    "nobody but people",
    "a single statement of others",
    "Glue under a condition only",
    "Glue and SageMaker under a condition",
    "Lake Formation",
    "Glue denied",
}
EXTERNAL = ["people", "a single statement of 2008", "Feature Processor", "Glue under a condition only"]


def test_adoption_adds_glues_statement_and_leaves_every_other_unchanged(journey: Journey) -> None:
    for case in journey.of("additive", "keep", "external"):
        assert case.trusts["adopted"] == case.adopted, case.name
        gained = changes(case.live, case.trusts["adopted"])
        assert all(map(of_service, gained)), case.name
        assert case.name in ALTERED or not [each for each in gained if each.restricts], case.name
    for case in journey.of("authoritative"):
        assert changes(case.trusts["adopted"], RECIPE_TRUST) == [], case.name


def test_adoption_warns_of_statements_it_removes_and_where_glue_is_not_trusted_or_denied(journey: Journey) -> None:
    warnings = set(journey.runs["adopted"].warnings)
    lost = [line for c in journey.of("authoritative") for line in named_as_lost(c, c.live, RECIPE_TRUST)]
    assert {each for each in warnings if "This plan removes" in each} == set(lost)
    others = sorted(each for each in warnings if "This plan removes" not in each)
    assert [each.partition(" of ")[2].partition(" ")[0] for each in others] == sorted(
        case.role.arn for case in journey.cases if warned(case)
    )


def warned(case: Case) -> bool:
    """Return whether every plan warns that Glue is denied the role, whatever else is granted."""
    if case.ownership == "external":
        return case.name not in TRUSTING
    return case.ownership == "additive" and case.name in {"Glue denied", "ours, denied"}


def test_the_second_plan_is_clean_whether_the_provider_tags_by_default_or_not(journey: Journey) -> None:
    for stage in ("adopted, planned again", "released, planned again"):
        assert journey.runs[stage].changes == {}, stage
    warnings = sorted(journey.runs["adopted, planned again"].warnings)
    still = [case.role.arn for case in journey.cases if warned(case) and case.name not in ALTERED]
    assert [each.partition(" of ")[2].partition(" ")[0] for each in warnings] == sorted(still)
    assert journey.runs["released, planned again"].warnings == []


def test_the_loss_of_our_statement_is_seen_and_repaired(journey: Journey) -> None:
    repaired = journey.runs["repaired"]
    adopted = journey.of("additive", "keep", "authoritative")
    assert repaired.changes == {f"aws_iam_role.glue-sessions-dev-{case.role.name}": "update" for case in adopted}
    for case in adopted:
        assert case.trusts["repaired"] == case.repaired, case.name
    lost = [line for c in journey.of("keep", "authoritative") for line in named_as_lost(c, c.drifted, c.adopted)]
    assert {each for each in repaired.warnings if "This plan removes" in each} == set(lost)


def test_a_release_restores_the_earlier_trust_policy_with_what_others_added_since(journey: Journey) -> None:
    for case in journey.of("additive", "keep"):
        assert case.trusts["released"] == case.handed_back, case.name
        if case.name in UNTRUSTING:
            since = [SINCE] if case.ownership == "additive" and SINCE in statements(case.drifted) else []
            assert case.trusts["released"] == {**case.live, "Statement": [*statements(case.live), *since]}, case.name
            added = changes(case.live, case.trusts["released"])
            assert all(of_service(each, "scheduler.amazonaws.com") and each.broadens for each in added), case.name
    for case in journey.of("external"):
        assert case.trusts["released"] == case.live, case.name


def test_a_release_restores_all_but_what_the_adoption_plan_named_as_lost(journey: Journey) -> None:
    for case in journey.of("authoritative"):
        assert changes(case.trusts["released"], trust(CONSOLES)) == [], case.name
        unnamed = [each for each in singles(case.live) if grants(trust(each)).keys() <= grants(RECIPE_TRUST).keys()]
        if unnamed:
            # from adoption on, Glue's trust is this stack's
            lost = [each for each in changes(trust(*unnamed), trust(CONSOLES)) if each.restricts]
            assert all(map(of_service, lost)), case.name


def test_grants_are_added_and_removed_and_nothing_else_of_a_role_changes(journey: Journey) -> None:
    for stage, change in (("adopted", "create"), ("released", "delete")):
        grants = {a: c for a, c in journey.runs[stage].changes.items() if not a.startswith("aws_iam_role.")}
        assert len(grants) == 2 * len(journey.cases)
        assert set(grants.values()) == {change}
    for case in journey.cases:
        found = case.role.read()
        assert found.the_rest == case.role.made.the_rest, case.name
        assert (found.grants.attached, found.grants.inline_policy) == (False, None), case.name
