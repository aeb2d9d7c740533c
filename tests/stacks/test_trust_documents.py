"""What the stacks make of live trust policies, told by terraform itself."""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from iam.documents import trust as trust_policies
from iam.documents.recipe import trust_policy, trust_policy_keeping
from modules import trust_ownership
from modules.trust_ownership import OwnedTrust
from tests.stacks.evaluation import ARN, Document, Evaluated, evaluate
from tests.trust_policies import (
    ACCEPTED,
    ALTERED,
    CONSOLES,
    DELETED,
    DELETED_ROLE,
    DELETED_USER,
    FOREIGN,
    GLUE,
    NEAR_QUOTA,
    OURS,
    OVER_QUOTA,
    QUOTA,
    REFUSED,
    TRUSTING,
    UNTRUSTING,
    said,
    size,
    statement,
    statements,
    trust,
)
from tests.trust_policies import released as statements_after_release


def random_policies(count: int) -> Iterator[Document]:
    random = Random(2048)
    pool = [each for document in ACCEPTED.values() for each in statements(document) if size(each) < 500]
    for _ in range(count):
        chosen = random.sample(pool, random.randint(1, 4))
        without_ours = [each for each in chosen if each.get("Sid") != OURS["Sid"]]
        ours = [each for each in chosen if each.get("Sid") == OURS["Sid"]][:1]
        mixed = [*without_ours, *ours]
        random.shuffle(mixed)
        yield {"Version": random.choice(["2012-10-17", "2008-10-17"]), "Statement": mixed}


RANDOM = {f"random {number}": document for number, document in enumerate(random_policies(25))}
# action "*" is in documents that people write, and not in any that IAM holds
LIVE = ACCEPTED | RANDOM | {"any action": trust(CONSOLES, statement(GLUE, Action="*"))}


def texts(documents: dict[str, Document]) -> dict[str, str]:
    return {name: json.dumps(document, indent=1) for name, document in documents.items()}


@pytest.fixture(scope="module")
def additive(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Evaluated]:
    live = texts(LIVE | REFUSED)
    return evaluate(trust_ownership.additive(quota=QUOTA), live, tmp_path_factory.mktemp("additive"))


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Evaluated]:
    return evaluate(trust_ownership.released(quota=QUOTA), texts(LIVE), tmp_path_factory.mktemp("released"))


@pytest.mark.parametrize("name", UNTRUSTING | NEAR_QUOTA)
def test_additive_adds_one_statement_after_all_others(additive: dict[str, Evaluated], name: str) -> None:
    live = LIVE[name]
    assert additive[name].document == {**live, "Statement": [*statements(live), OURS]}
    assert additive[name].stopped == []


@pytest.mark.parametrize("name", [*TRUSTING, "any action"])
def test_additive_leaves_a_trust_policy_as_it_stands_where_glue_is_trusted(
    additive: dict[str, Evaluated], name: str
) -> None:
    assert additive[name].text == texts(LIVE)[name]
    assert additive[name].stopped == []


def test_additive_keeps_every_statement_of_others_in_its_place_and_trusts_glue(additive: dict[str, Evaluated]) -> None:
    for name, live in LIVE.items():
        written = additive[name].statements
        assert [s for s in written if s != OURS] == [s for s in statements(live) if s.get("Sid") != OURS["Sid"]], name
        unconditioned = [s for s in written if not s.get("Condition")]
        assert trust_policies.trusts(trust(*unconditioned), GLUE), name
        assert additive[name].document.get("Version") == live.get("Version"), name


def test_additive_changes_nothing_the_second_time(additive: dict[str, Evaluated], tmp_path: Path) -> None:
    written = {name: additive[name].text for name in LIVE}
    again = evaluate(trust_ownership.additive(quota=QUOTA), written, tmp_path)
    assert {name: each.text for name, each in again.items()} == written


def test_additive_puts_its_own_statement_right_where_it_stands(additive: dict[str, Evaluated]) -> None:
    for name in ALTERED:
        assert additive[name].document == trust(OURS, CONSOLES), name
        assert additive[name].stopped == [], name


def test_additive_stops_at_somebody_elses_statement_under_our_sid(additive: dict[str, Evaluated]) -> None:
    for name, live in FOREIGN.items():
        (message,) = additive[name].stopped
        assert message.startswith(
            f"The trust policy of {ARN} has a statement with Sid GlueInteractiveSessions that names others than Glue: "
        ), name
        assert json.dumps(statements(live)[-1]["Effect"]) in message


def test_a_release_undoes_what_additive_did(additive: dict[str, Evaluated], tmp_path: Path) -> None:
    written = {name: additive[name].text for name in UNTRUSTING | NEAR_QUOTA}
    for name, each in evaluate(trust_ownership.released(quota=QUOTA), written, tmp_path).items():
        assert each.document == {**LIVE[name], "Statement": statements(LIVE[name])}
        assert each.stopped == []


@pytest.mark.parametrize("name", UNTRUSTING)
def test_a_release_leaves_a_trust_policy_as_it_stands_that_has_nothing_of_ours(
    released: dict[str, Evaluated], name: str
) -> None:
    assert released[name].text == texts(UNTRUSTING)[name]
    assert released[name].stopped == []


def test_a_release_takes_out_our_statement_and_gives_the_recipes_back_to_sagemaker(
    released: dict[str, Evaluated],
) -> None:
    for name, live in LIVE.items():
        assert released[name].statements == statements_after_release(live), name
        assert bool(released[name].stopped) == (statements_after_release(live) == []), name
    assert released["the recipe's"].document == trust(CONSOLES)


def test_a_release_stops_where_nobody_would_be_left(tmp_path: Path) -> None:
    (each,) = evaluate(trust_ownership.released(quota=QUOTA), texts({"ours alone": trust(OURS)}), tmp_path).values()
    (message,) = each.stopped
    assert message.startswith(f"The trust policy of {ARN} would be left without a statement, which AWS does not accept")


def test_a_deleted_principal_and_a_long_document_stop_what_would_be_written(additive: dict[str, Evaluated]) -> None:
    assert additive["deleted"].stopped == [
        f"The trust policy of {ARN} names a deleted principal: {DELETED_ROLE}, {DELETED_USER}."
        " AWS refuses to write it again. Remove it from the role's trust policy first."
    ]
    assert {name: len(additive[name].stopped) for name in DELETED} == dict.fromkeys(DELETED, 1)
    for name, live in OVER_QUOTA.items():
        assert additive[name].stopped == [
            f"The trust policy of {ARN} would be {size(trust(*statements(live), OURS))} characters long, and the quota"
            " is 2048. Shorten its statements, or have AWS raise the quota (IAM, role trust policy length) and set"
            " trust_policy_quota."
        ]


def test_a_deleted_principal_and_a_long_document_stop_nothing_where_nothing_is_written(tmp_path: Path) -> None:
    live = {name: trust(*statements(document), OURS) for name, document in (DELETED | OVER_QUOTA).items()}
    for name, each in evaluate(trust_ownership.additive(quota=QUOTA), texts(live), tmp_path).items():
        assert (each.text, each.stopped) == (texts(live)[name], []), name


def test_a_raised_quota_lets_a_longer_document_through(tmp_path: Path) -> None:
    for each in evaluate(trust_ownership.additive(quota=4096), texts(OVER_QUOTA), tmp_path).values():
        assert each.stopped == []


@pytest.fixture(scope="module")
def authoritative(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Evaluated]:
    live = texts(LIVE | REFUSED)
    return evaluate(trust_ownership.authoritative(trust_policy()), live, tmp_path_factory.mktemp("auth"))


def test_authoritative_writes_the_recipes_trust_policy_whatever_is_there(authoritative: dict[str, Evaluated]) -> None:
    for name in LIVE | REFUSED:
        assert authoritative[name].document == trust_policy(), name
        assert authoritative[name].stopped == [], name


def test_authoritative_names_everything_that_is_lost_and_nothing_else(authoritative: dict[str, Evaluated]) -> None:
    for name, live in (LIVE | REFUSED).items():
        lost = [text for key, text in said(live).items() if key not in said(trust_policy())]
        assert authoritative[name].told == (told(*lost) if lost else []), name


def told(*lost: str) -> list[str]:
    return [
        f"This plan takes away from the trust policy of {ARN}: {'; '.join(lost)}. To keep a statement, save it in a"
        " file and name that under trust.keep, or set trust.ownership to additive."
    ]


@pytest.mark.parametrize(
    ("name", "lost"),
    [
        ("the console's", None),
        ("ours", None),
        ("Canvas", "Allow sts:AssumeRole to forecast.amazonaws.com"),
        ("source identity", "Allow sts:SetSourceIdentity to sagemaker.amazonaws.com"),
        ("Glue denied", "Deny sts:AssumeRole to glue.amazonaws.com"),
        (
            "confused deputy",
            "Allow sts:AssumeRole to sagemaker.amazonaws.com if"
            ' {"ArnLike":{"aws:SourceArn":"arn:aws:sagemaker:us-west-2:111122223333:*"}}',
        ),
        (
            "everybody under a condition",
            'Allow sts:AssumeRole to everybody ("*") if {"StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}',
        ),
        ("all but some, denied", 'Deny all but sts:TagSession to everybody but {"AWS":"111122223333"}'),
        (
            "web identity",
            "Allow sts:AssumeRoleWithWebIdentity to Federated arn:aws:iam::111122223333:oidc-provider/ci.example.com if"
            ' {"StringEquals":{"ci.example.com:aud":"sts.amazonaws.com"}}',
        ),
    ],
)
def test_authoritative_names_what_is_lost(authoritative: dict[str, Evaluated], name: str, lost: str | None) -> None:
    assert authoritative[name].told == (told(lost) if lost else [])


def test_kept_statements_are_written_word_for_word_and_nothing_is_told_to_be_lost(tmp_path: Path) -> None:
    for number, (name, live) in enumerate(UNTRUSTING.items()):
        if number % 12:  # each takes a run of its own
            continue
        folder = tmp_path / str(number)
        folder.mkdir()
        owned = trust_ownership.authoritative(trust_policy_keeping(live))
        (each,) = evaluate(owned, texts({name: live}), folder).values()
        assert each.document == {**live, "Statement": [*statements(live), OURS]}
        assert each.told == []


@pytest.fixture(scope="module")
def external(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Evaluated]:
    locals_, checks = trust_ownership.external()
    owned = OwnedTrust(document="", locals=locals_, checks=checks)
    return evaluate(owned, texts(LIVE), tmp_path_factory.mktemp("external"))


def test_external_tells_exactly_when_glue_is_not_trusted(external: dict[str, Evaluated]) -> None:
    for name, live in UNTRUSTING.items():
        (told,) = external[name].told
        assert told.startswith(f"The trust policy of {ARN} "), name
        assert told.endswith(
            "Its trust.ownership is external: whoever owns the role adds the statement"
            ' {"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":"glue.amazonaws.com"},'
            '"Sid":"GlueInteractiveSessions"}.'
        ), name
        conditioned = trust_policies.trusts(live, GLUE)
        assert ("does not let glue.amazonaws.com call sts:AssumeRole." in told) == (not conditioned), name
        assert ("lets glue.amazonaws.com call sts:AssumeRole under conditions only: " in told) == conditioned, name
    for name in TRUSTING:
        assert external[name].told == [], name
