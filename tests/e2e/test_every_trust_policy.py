"""Every trust policy met in the wild, in every way of owning it: whole lives by real Terraform, many roles in each run.

A life is adoption, a second plan, release, and a plan after it. Before the second plan, somebody edits the trust policy
of some roles. The provider tags everything by default, save in one run: to an adopted role that makes no difference.
One file, because all lives are lived in the same runs.
"""

import itertools
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
from tests.e2e.execution_role import RECIPE_INLINE_POLICY, RECIPE_TRUST, ExecutionRole, Snapshot, read_roles
from tests.e2e.provider import Provider
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

# kept statements may not trust Glue or deny it, and must trust SageMaker
NOT_KEPT = {
    "no SageMaker",
    "nobody but people",
    "a single statement of others",
    "Glue denied",
    "Glue under a condition only",
    "Glue and SageMaker under a condition",
    "Lake Formation",
}
# somebody edits these between the first apply and the second
EDITED = [
    "the console's",
    "people",
    "a single statement of 2008",
    "policy variables",
    "Glue alone",
    "ours first",
    "ours, denied",
    "just room for ours",
]


@dataclass
class Life:
    """One role with one trust policy, owned in one way.

    Attributes:
        name: the trust policy's in the corpus.
        ownership: `additive`, `keep`, `authoritative` or `external`.
        live: the trust policy before adoption.
        is_edited: whether somebody edits the trust policy after adoption.
        after: the role after each step.
    """

    name: str
    ownership: str
    role: ExecutionRole
    live: Document
    is_edited: bool
    after: dict[str, Snapshot] = field(default_factory=dict)

    def trust(self, step: str) -> Document:
        """Return the trust policy after a step."""
        return self.after[step].grants.trust

    @property
    def adopted(self) -> Document:
        """The trust policy that adoption is to make."""
        if self.ownership == "authoritative":
            return RECIPE_TRUST
        if self.ownership == "external" or self.name in TRUSTING:
            return self.live
        if self.name in ALTERED:
            return trust(OURS, CONSOLES)
        return {**self.live, "Statement": [*statements(self.live), OURS]}

    @property
    def edited(self) -> Document:
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
        others = [each for each in statements(self.edited) if each != CONDITIONED]
        return {**self.edited, "Statement": [*others, OURS]}


@dataclass
class Lives:
    """All lives, and the result of each step.

    Attributes:
        all: the lives.
        refused: roles that additive ownership must not touch.
        runs: Terraform's run in each step.
    """

    all: list[Life]
    refused: list[Life]
    runs: dict[str, Run] = field(default_factory=dict)

    def of(self, *ownerships: str) -> list[Life]:
        return [life for life in self.all if life.ownership in ownerships]

    def __iter__(self) -> Any:
        return iter(self.all)


def key(name: str) -> str:
    return re.sub("[^a-z0-9]+", "-", name.lower())


def settings(life: Life, **more: Any) -> dict[str, Any]:
    keep = {"keep": f"{life.role.name}.json"}
    owned = keep if life.ownership == "keep" else {"ownership": life.ownership}
    return {"role": life.role.name, "trust": owned, **more}


def begun(
    aws: Sandbox, ownership: str, documents: Iterable[tuple[str, Document]], *, are_edited: bool = False
) -> list[Life]:
    prefix = f"edited-{ownership}" if are_edited else ownership

    def role(name: str, document: Document) -> ExecutionRole:
        return ExecutionRole(aws, f"{prefix}-{key(name)}"[:64], document, read=False)

    return [Life(name, ownership, role(name, document), document, are_edited) for name, document in documents]


def with_deleted_principals(aws: Sandbox) -> tuple[dict[str, Document], list[ExecutionRole]]:
    """Return the documents of `REFUSED`, and the roles in them that are to be deleted once these are written."""
    left = {
        text: ExecutionRole(aws, f"left-{number}", trust(CONSOLES))
        for number, text in enumerate([DELETED_ROLE, DELETED_USER])
    }
    text = json.dumps(REFUSED)
    for principal, colleague in left.items():
        text = text.replace(principal, colleague.arn)
    return json.loads(text), [*left.values()]


@pytest.fixture(scope="module")
def many(
    aws: Sandbox,
    binary: str,
    environment: Mapping[str, str],
    provider: Provider,
    tmp_path_factory: pytest.TempPathFactory,
) -> Shop:
    aws.client("s3").create_bucket(Bucket="every-trust-policy")
    own = {**environment, "GOMEMLIMIT": "1500MiB"}  # without a limit it would be several times that
    return Shop(aws, "every-trust-policy", tmp_path_factory.mktemp("many"), binary, own, provider)


@pytest.fixture(scope="module")
def lives(many: Shop, aws: Sandbox) -> Lives:
    refused, colleagues = with_deleted_principals(aws)
    documents = {**ACCEPTED, **refused}
    kept = {name: document for name, document in UNTRUSTING.items() if name not in NOT_KEPT}
    # nothing is written to an external role, and tests/stacks evaluates the warning over all documents
    external = dict(itertools.islice(documents.items(), 0, None, 3))
    by_ownership = {"authoritative": documents, "keep": kept, "additive": ACCEPTED, "external": external}
    all_ = [life for ownership, each in by_ownership.items() for life in begun(aws, ownership, each.items())]
    for ownership in ("authoritative", "keep", "additive"):
        edited = [(name, by_ownership[ownership][name]) for name in EDITED if name in by_ownership[ownership]]
        all_ += begun(aws, ownership, edited, are_edited=True)
    lives = Lives(all_, begun(aws, "additive", refused.items()))
    for colleague in colleagues:
        colleague.delete()
    made = read_roles(aws)
    for life in [*lives.all, *lives.refused]:
        life.role.made = made[life.role.name]
        life.live = life.role.made.grants.trust
        (many.folder / f"{life.role.name}.json").write_text(json.dumps(life.live))

    def together(*, tagged: bool = True, **more: Any) -> Terraform:
        roles = [settings(life, **more) for life in lives]
        return many.together(default_tags=TAGS if tagged else None, dev={"roles": roles})

    def step(name: str, run: Run) -> None:
        assert run.status == 0, run.errors
        lives.runs[name] = run
        roles = read_roles(aws)
        for life in lives:
            life.after[name] = roles[life.role.name]

    step("adopted", together().try_to_apply())
    for life in lives:
        if life.is_edited:
            life.role.trust = life.edited
    step("again", together(tagged=False).try_to_apply())
    step("released", together(released=True).try_to_apply())
    step("released, again", together(released=True).plan())
    return lives


def addresses(lives: Iterable[Life], kind: str = "aws_iam_role") -> set[str]:
    return {f"{kind}.glue-sessions-dev-{life.role.name}" for life in lives}


def named_as_lost(life: Life, live: Document, owned: Document) -> list[str]:
    """The warning of a plan that changes a trust policy from one to another, if it is to warn."""
    lost = [text for key, text in grants(live).items() if key not in grants(owned)]
    if not lost:
        return []
    message = (
        f"Check block assertion failed: This plan removes from the trust policy of {life.role.arn}:"
        f" {'; '.join(lost)}. To keep a statement, save it in a file and name that file in trust.keep, or set"
        " trust.ownership to additive."
    )
    return [" ".join(message.split())]


def changes(before: Document, after: Document) -> list[Change]:
    return list(difference([meaning.trust_policy(before)], [meaning.trust_policy(after)]).changes)


def of_service(change: Change, service: str = GLUE) -> bool:
    return all(row.principal.patterns == (f"Service:{service}",) for row in (*change.before, *change.after))


def unnamed(document: Document) -> list[Document]:
    """The parts of a trust policy, each with one action and one principal, that no plan with the recipe's names."""
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
    return [each for each in found if grants(trust(each)).keys() <= grants(RECIPE_TRUST).keys()]


def test_additive_ownership_stops_with_the_reason_where_it_cannot_extend_a_trust_policy(
    many: Shop, aws: Sandbox, lives: Lives
) -> None:
    attempt = many.together(refused={"roles": [settings(life) for life in lives.refused]}).try_to_apply()
    assert attempt.status == 1
    for life in lives.refused:
        (error,) = [each for each in attempt.errors if f" {life.role.arn} " in each]
        begin, _, rest = error.partition(f"The trust policy of {life.role.arn} ")
        assert begin == "Resource precondition failed: "
        if life.name in FOREIGN:
            beginning = "has a statement with Sid GlueInteractiveSessions that names principals other than Glue: [{"
        elif life.name in DELETED:
            beginning = "names a deleted principal: AROA"
        else:
            assert life.name in OVER_QUOTA
            long = size(trust(*statements(life.live), OURS))
            assert long > QUOTA
            beginning = f"would be {long} characters long, and the quota is {QUOTA}."
        assert rest.startswith(beginning), rest
    assert len(attempt.errors) == len(lives.refused)
    roles = read_roles(aws)
    for life in lives.refused:
        assert roles[life.role.name] == life.role.made


def test_adoption_changes_only_what_its_ownership_is_for(lives: Lives) -> None:
    for life in lives.of("additive", "keep", "external"):
        assert life.trust("adopted") == life.adopted, life.name
        gained = changes(life.live, life.trust("adopted"))
        assert all(map(of_service, gained)), life.name
        assert life.name in ALTERED or not [each for each in gained if each.restricts], life.name
    for life in lives.of("authoritative"):
        assert changes(life.trust("adopted"), RECIPE_TRUST) == [], life.name
        # what the plan does not name is not lost
        rest = unnamed(life.live)
        assert not rest or not [each for each in changes(trust(*rest), RECIPE_TRUST) if each.restricts], life.name
    for life in lives:
        granted = life.after["adopted"].grants
        assert (granted.attached, granted.inline_policy) == (True, RECIPE_INLINE_POLICY), life.name


def test_adoption_warns_of_statements_it_removes_and_where_glue_is_not_trusted_or_denied(lives: Lives) -> None:
    warnings = lives.runs["adopted"].warnings
    lost = [line for life in lives.of("authoritative") for line in named_as_lost(life, life.live, RECIPE_TRUST)]
    assert {each for each in warnings if "This plan removes" in each} == set(lost)
    assert len(lost) > 60
    others = [each for each in warnings if "This plan removes" not in each]
    assert roles_in(others) == {life.role.arn for life in lives if is_warned(life)}


def is_warned(life: Life) -> bool:
    """Return whether a plan warns that Glue is not trusted, or denied the role whatever else is granted."""
    if life.ownership == "external":
        return life.name not in TRUSTING and life.name not in OURS_IN_FORCE
    return life.ownership == "additive" and life.name in {"Glue denied", "ours, denied"}


# trust policies that additive ownership would change or refuse, and in which Glue is trusted already
OURS_IN_FORCE = {
    "ours, for one more action",
    "our Sid for several services",
    "our Sid for Glue and people",
}


def roles_in(warnings: Iterable[str]) -> set[str]:
    return {each.partition(" of ")[2].partition(" ")[0] for each in warnings}


def test_the_second_plan_changes_nothing_but_what_others_edited(lives: Lives) -> None:
    run = lives.runs["again"]
    edited = [life for life in lives if life.is_edited]
    assert run.changes == dict.fromkeys(addresses(edited), "update")
    # before a trust policy is written, and only then, it is compared with what the plan saw
    assert run.read_on_apply == {f"data.{address}-before_writing[0]" for address in addresses(edited)}
    for life in lives:
        if life.is_edited:
            assert life.trust("again") == life.repaired, life.name
        else:
            assert life.after["again"] == life.after["adopted"], life.name
    owned = [life for life in edited if life.ownership != "additive"]
    lost = {line for life in owned for line in named_as_lost(life, life.edited, life.adopted)}
    assert {each for each in run.warnings if "This plan removes" in each} == lost
    others = [each for each in run.warnings if "This plan removes" not in each]
    assert roles_in(others) == {
        life.role.arn
        for life in lives
        if is_warned(life) and (life.ownership, life.name) != ("additive", "ours, denied")
    }


def test_a_release_takes_glue_out_and_leaves_what_the_role_had_and_others_added(lives: Lives) -> None:
    for life in lives.of("additive", "keep", "authoritative"):
        before = life.trust("again")
        assert life.trust("released") == {**before, "Statement": released(before)}, life.name
    for life in lives.of("additive", "keep"):
        if life.name in UNTRUSTING:
            since = [SINCE] if life.ownership == "additive" and SINCE in statements(life.trust("again")) else []
            assert life.trust("released") == {**life.live, "Statement": [*statements(life.live), *since]}, life.name
    for life in lives.of("external"):
        assert life.trust("released") == life.live, life.name
    for life in lives.of("authoritative"):
        assert changes(life.trust("released"), trust(CONSOLES)) == [], life.name
        # from adoption on, Glue's trust is this stack's
        rest = unnamed(life.live)
        lost = [each for each in changes(trust(*rest), trust(CONSOLES)) if each.restricts] if rest else []
        assert all(map(of_service, lost)), life.name


def test_nothing_is_deleted_but_grants_and_nothing_else_of_a_role_changes(lives: Lives) -> None:
    policies = addresses(lives, "aws_iam_role_policy") | addresses(lives, "aws_iam_role_policy_attachment")
    for step, change in (("adopted", "create"), ("released", "delete")):
        found = {address: action for address, action in lives.runs[step].changes.items() if address in policies}
        assert found == dict.fromkeys(policies, change)
        assert {*lives.runs[step].changes} - policies <= addresses(lives.of("authoritative", "keep", "additive"))
    again = lives.runs["released, again"]
    assert (again.changes, again.read_on_apply, again.warnings) == ({}, set(), [])
    for life in lives:
        for step, found in life.after.items():
            assert found.the_rest == life.role.made.the_rest, (life.name, step)
        left = life.after["released"].grants
        assert (left.attached, left.inline_policy) == (False, None), life.name
        assert life.after["released, again"] == life.after["released"], life.name
