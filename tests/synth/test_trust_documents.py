"""What the stacks make of live trust policies, told by terraform itself."""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from iam import trust
from iam.recipe import glue_statement, trust_policy, trust_policy_keeping
from modules import trust_ownership
from modules.trust_ownership import OwnedTrust
from tests.synth.evaluation import ARN, Document, Evaluated, evaluate

GLUE = "glue.amazonaws.com"
SAGEMAKER = "sagemaker.amazonaws.com"
OURS = glue_statement()


def allow(*services: str, **more: Any) -> Document:
    principal = services[0] if len(services) == 1 else list(services)
    return {"Effect": "Allow", "Principal": {"Service": principal}, "Action": "sts:AssumeRole", **more}


def policy(*statements: Document, **more: Any) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements), **more}


SOURCE_ARN = {"ArnLike": {"aws:SourceArn": "arn:aws:sagemaker:us-west-2:111122223333:*"}}
PEOPLE = {
    "Sid": "People",
    "Effect": "Allow",
    "Principal": {"AWS": ["arn:aws:iam::111122223333:role/ci", "444455556666"]},
    "Action": ["sts:AssumeRole", "sts:TagSession"],
    "Condition": {"Bool": {"aws:MultiFactorAuthPresent": True}, "NumericLessThan": {"aws:MultiFactorAuthAge": 3600}},
}
DATAZONE = allow(
    "datazone.amazonaws.com",
    Action=["sts:AssumeRole", "sts:TagSession", "sts:SetContext"],
    Condition={
        "StringEquals": {"aws:SourceAccount": ["111122223333"]},
        "ForAllValues:StringLike": {"aws:TagKeys": ["datazone*"]},
    },
)

# Trust policies as AWS's documentation has them for SageMaker's features, and as people write them.
UNTRUSTING: dict[str, Document] = {
    "the console's": policy(allow(SAGEMAKER)),
    "Canvas": policy(allow(SAGEMAKER, "forecast.amazonaws.com")),
    "several services": policy(allow(SAGEMAKER, "events.amazonaws.com", "lambda.amazonaws.com")),
    "jobs": policy(allow(SAGEMAKER), allow("job.sagemaker.amazonaws.com")),
    "source identity": policy(allow(SAGEMAKER, Action=["sts:AssumeRole", "sts:SetSourceIdentity"])),
    "identity propagation": policy(allow(SAGEMAKER, Action=["sts:AssumeRole", "sts:SetContext"])),
    "confused deputy": policy(allow(SAGEMAKER, Condition=SOURCE_ARN)),
    "DataZone": policy(allow(SAGEMAKER), DATAZONE),
    "people": policy(allow(SAGEMAKER), PEOPLE),
    "a single statement": {"Version": "2012-10-17", "Statement": allow(SAGEMAKER)},
    "version 2008": {"Version": "2008-10-17", "Statement": [allow(SAGEMAKER)]},
    "no version": {"Statement": [allow(SAGEMAKER)]},
    "an id": policy(allow(SAGEMAKER), Id="policy"),
    "empty Sids": policy(allow(SAGEMAKER, Sid=""), allow("lambda.amazonaws.com", Sid="")),
    "everybody under a condition": policy(
        allow(SAGEMAKER),
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}},
        },
    ),
    "all but some, denied": policy(
        allow(SAGEMAKER),
        {"Effect": "Deny", "NotPrincipal": {"AWS": "111122223333"}, "NotAction": "sts:TagSession"},
    ),
    "Glue denied": policy(allow(SAGEMAKER), allow(GLUE, Effect="Deny")),
    "policy variables": policy(
        allow(SAGEMAKER), {**PEOPLE, "Condition": {"StringLike": {"sts:RoleSessionName": "${aws:username}%{x}"}}}
    ),
    "web identity": policy(
        allow(SAGEMAKER),
        {
            "Effect": "Allow",
            "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/ci.example.com"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {"ci.example.com:aud": "sts.amazonaws.com"}},
        },
    ),
    "Glue under a condition only": policy(allow(SAGEMAKER), allow(GLUE, Condition=SOURCE_ARN)),
    "Glue for another action": policy(allow(SAGEMAKER), allow(GLUE, Action="sts:TagSession")),
    "nobody but people": policy(PEOPLE),
}
TRUSTING: dict[str, Document] = {
    "the recipe's": trust_policy(),
    "Feature Processor": policy(allow("scheduler.amazonaws.com", SAGEMAKER, GLUE)),
    "Glue alone": policy(allow(SAGEMAKER), allow(GLUE)),
    "Glue in a list": policy(allow(SAGEMAKER), {**allow(), "Principal": {"Service": [GLUE]}}),
    "any case": policy(allow(SAGEMAKER), allow(GLUE, Action=["STS:ASSUMEROLE"])),
    "wildcards": policy(allow(SAGEMAKER), allow(GLUE, Action="sts:Assume*")),
    "any action": policy(allow(SAGEMAKER), allow(GLUE, Action="*")),
    "an empty condition": policy(allow(SAGEMAKER), allow(GLUE, Condition={})),
    "Glue alone in a single statement": {"Version": "2012-10-17", "Statement": allow(SAGEMAKER, GLUE)},
    "ours": policy(allow(SAGEMAKER), OURS),
    "ours first": policy(OURS, allow(SAGEMAKER)),
    "ours, and Glue plainly as well": policy(OURS, allow(SAGEMAKER, GLUE)),
}
# A statement under our Sid that is not as we write it.
ALTERED: dict[str, Document] = {
    "denied": {**OURS, "Effect": "Deny"},
    "under a condition": {**OURS, "Condition": SOURCE_ARN},
    "for another action": {**OURS, "Action": "sts:TagSession"},
    "in a list": {**OURS, "Principal": {"Service": [GLUE]}},
}
FOREIGN: dict[str, Document] = {
    "another service": {**OURS, "Principal": {"Service": SAGEMAKER}},
    "several services": {**OURS, "Principal": {"Service": [GLUE, SAGEMAKER]}},
    "people": {**OURS, "Principal": {"AWS": "111122223333"}},
    "Glue and people": {**OURS, "Principal": {"Service": GLUE, "AWS": "111122223333"}},
    "everybody": {**OURS, "Principal": "*"},
    "all but Glue": {
        "Sid": OURS["Sid"],
        "Effect": "Deny",
        "NotPrincipal": {"Service": GLUE},
        "Action": "sts:AssumeRole",
    },
}


def statements(document: Document) -> list[Document]:
    return trust.statements(document)


def random_policies(count: int) -> Iterator[Document]:
    random = Random(2048)
    pool = [
        *(statement for document in (UNTRUSTING | TRUSTING).values() for statement in statements(document)),
        *ALTERED.values(),
    ]
    for _ in range(count):
        chosen = random.sample(pool, random.randint(1, 4))
        without_ours = [each for each in chosen if each.get("Sid") != OURS["Sid"]]
        ours = [each for each in chosen if each.get("Sid") == OURS["Sid"]][:1]
        mixed = [*without_ours, *ours]
        random.shuffle(mixed)
        yield {"Version": random.choice(["2012-10-17", "2008-10-17"]), "Statement": mixed}


RANDOM = {f"random {number}": document for number, document in enumerate(random_policies(60))}
LIVE = UNTRUSTING | TRUSTING | RANDOM


def texts(documents: dict[str, Document]) -> dict[str, str]:
    return {name: json.dumps(document, indent=1) for name, document in documents.items()}


@pytest.fixture(scope="module")
def additive(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Evaluated]:
    return evaluate(trust_ownership.additive(quota=2048), texts(LIVE), tmp_path_factory.mktemp("additive"))


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Evaluated]:
    return evaluate(trust_ownership.released(quota=2048), texts(LIVE), tmp_path_factory.mktemp("released"))


@pytest.mark.parametrize("name", UNTRUSTING)
def test_additive_adds_one_statement_after_all_others(additive: dict[str, Evaluated], name: str) -> None:
    live = UNTRUSTING[name]
    assert additive[name].document == {**live, "Statement": [*statements(live), OURS]}
    assert additive[name].stopped == []


@pytest.mark.parametrize("name", TRUSTING)
def test_additive_leaves_a_trust_policy_as_it_stands_where_glue_is_trusted(
    additive: dict[str, Evaluated], name: str
) -> None:
    assert additive[name].text == texts(TRUSTING)[name]
    assert additive[name].stopped == []


def test_additive_keeps_every_statement_of_others_in_its_place_and_trusts_glue(additive: dict[str, Evaluated]) -> None:
    for name, live in LIVE.items():
        written = additive[name].statements
        assert [s for s in written if s != OURS] == [s for s in statements(live) if s.get("Sid") != OURS["Sid"]], name
        assert any(
            s["Effect"] == "Allow" and not s.get("Condition") and trust.trusts(policy(s), GLUE) for s in written
        ), name
        assert additive[name].document.get("Version") == live.get("Version"), name


def test_additive_changes_nothing_the_second_time(additive: dict[str, Evaluated], tmp_path: Path) -> None:
    written = {name: each.text for name, each in additive.items()}
    again = evaluate(trust_ownership.additive(quota=2048), written, tmp_path)
    assert {name: each.text for name, each in again.items()} == written


def test_additive_puts_its_own_statement_right_where_it_stands(tmp_path: Path) -> None:
    live = {name: policy(altered, allow(SAGEMAKER)) for name, altered in ALTERED.items()}
    for name, each in evaluate(trust_ownership.additive(quota=2048), texts(live), tmp_path).items():
        assert each.document == policy(OURS, allow(SAGEMAKER)), name
        assert each.stopped == [], name


def test_additive_stops_at_somebody_elses_statement_under_our_sid(tmp_path: Path) -> None:
    live = {name: policy(allow(SAGEMAKER), foreign) for name, foreign in FOREIGN.items()}
    for name, each in evaluate(trust_ownership.additive(quota=2048), texts(live), tmp_path).items():
        (message,) = each.stopped
        assert message.startswith(
            f"The trust policy of {ARN} has a statement with Sid GlueInteractiveSessions that names others than Glue: "
        ), name
        assert json.dumps(FOREIGN[name]["Effect"]) in message


def test_a_release_undoes_what_additive_did(additive: dict[str, Evaluated], tmp_path: Path) -> None:
    written = {name: additive[name].text for name in UNTRUSTING}
    for name, each in evaluate(trust_ownership.released(quota=2048), written, tmp_path).items():
        assert each.document == {**UNTRUSTING[name], "Statement": statements(UNTRUSTING[name])}
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
        recipes = trust_policy()["Statement"][0]
        swapped = {**recipes, "Principal": {"Service": [SAGEMAKER, GLUE]}}
        expected = [
            allow(SAGEMAKER) if s in (recipes, swapped) else s for s in statements(live) if s.get("Sid") != OURS["Sid"]
        ]
        assert released[name].statements == expected, name
        assert bool(released[name].stopped) == (expected == []), name


def test_a_release_stops_where_nobody_would_be_left(tmp_path: Path) -> None:
    (each,) = evaluate(trust_ownership.released(quota=2048), texts({"ours alone": policy(OURS)}), tmp_path).values()
    (message,) = each.stopped
    assert message.startswith(f"The trust policy of {ARN} would be left without a statement, which AWS does not accept")


def test_a_deleted_principal_and_a_long_document_stop_what_would_be_written_and_nothing_else(tmp_path: Path) -> None:
    deleted = {**PEOPLE, "Principal": {"AWS": ["AROAEXAMPLEEXAMPLE123", "AIDAEXAMPLEEXAMPLE456", "444455556666"]}}
    nearly_full = policy(allow(SAGEMAKER, Condition={"StringEquals": {"aws:SourceAccount": ["111122223333"] * 127}}))
    live = {
        "deleted": policy(allow(SAGEMAKER), deleted),
        "deleted, one principal": policy(allow(SAGEMAKER), {**PEOPLE, "Principal": {"AWS": "AROAEXAMPLEEXAMPLE123"}}),
        "deleted, denied": policy(
            allow(SAGEMAKER),
            {"Effect": "Deny", "NotPrincipal": {"AWS": "AROAEXAMPLEEXAMPLE123"}, "Action": "sts:AssumeRole"},
        ),
        "deleted, nothing to write": policy(allow(SAGEMAKER, GLUE), deleted),
        "long": nearly_full,
        "long, nothing to write": policy(*nearly_full["Statement"], OURS),
    }
    found = evaluate(trust_ownership.additive(quota=2048), texts(live), tmp_path)
    assert found["deleted"].stopped == [
        f"The trust policy of {ARN} names a deleted principal: AROAEXAMPLEEXAMPLE123, AIDAEXAMPLEEXAMPLE456."
        " AWS refuses to write it again. Remove it from the role's trust policy first."
    ]
    assert len(found["deleted, one principal"].stopped) == len(found["deleted, denied"].stopped) == 1
    size = trust.size(policy(*nearly_full["Statement"], OURS))
    assert found["long"].stopped == [
        f"The trust policy of {ARN} would be {size} characters long, and the quota is 2048. Shorten its statements, or"
        " have AWS raise the quota (IAM, role trust policy length) and set trust_policy_quota."
    ]
    assert found["deleted, nothing to write"].stopped == found["long, nothing to write"].stopped == []


def test_a_raised_quota_lets_a_longer_document_through(tmp_path: Path) -> None:
    document = policy(allow(SAGEMAKER, Condition={"StringEquals": {"aws:SourceAccount": ["111122223333"] * 150}}))
    (each,) = evaluate(trust_ownership.additive(quota=4096), texts({"long": document}), tmp_path).values()
    assert each.stopped == []


def lost(live: Document, owned: Document) -> set[tuple[str, str, str, str]]:
    return said(live) - said(owned)


def said(document: Document) -> set[tuple[str, str, str, str]]:
    """Effect, action, principal and condition of everything a trust policy says, each on its own."""
    found = set()
    for each in statements(document):
        if "Principal" not in each:
            principals = [f"not {json.dumps(each['NotPrincipal'])}"]
        elif isinstance(each["Principal"], str):
            principals = [each["Principal"]]
        else:
            principals = [
                f"{kind} {name}"
                for kind, names in each["Principal"].items()
                for name in ([names] if isinstance(names, str) else names)
            ]
        actions: Any = each.get("Action", each.get("NotAction"))
        for principal in principals:
            for action in [actions] if isinstance(actions, str) else actions:
                condition = json.dumps(each["Condition"], sort_keys=True) if each.get("Condition") else ""
                negated = "not " if "NotAction" in each else ""
                found.add((each["Effect"], negated + action.lower(), principal, condition))
    return found


@pytest.fixture(scope="module")
def authoritative(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Evaluated]:
    return evaluate(trust_ownership.authoritative(trust_policy()), texts(LIVE), tmp_path_factory.mktemp("auth"))


def test_authoritative_writes_the_recipes_trust_policy_whatever_is_there(authoritative: dict[str, Evaluated]) -> None:
    for name in LIVE:
        assert authoritative[name].document == trust_policy(), name
        assert authoritative[name].stopped == [], name


def test_authoritative_tells_exactly_when_something_is_lost(authoritative: dict[str, Evaluated]) -> None:
    for name, live in LIVE.items():
        assert bool(authoritative[name].told) == bool(lost(live, trust_policy())), name


@pytest.mark.parametrize(
    ("name", "told"),
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
            'Allow sts:AssumeRole to everybody ("*") if {"StringEquals":{"aws:PrincipalOrgID":"o-1"}}',
        ),
        ("all but some, denied", 'Deny all but sts:TagSession to everybody but {"AWS":"111122223333"}'),
        (
            "web identity",
            "Allow sts:AssumeRoleWithWebIdentity to Federated arn:aws:iam::111122223333:oidc-provider/ci.example.com if"
            ' {"StringEquals":{"ci.example.com:aud":"sts.amazonaws.com"}}',
        ),
    ],
)
def test_authoritative_names_what_is_lost(authoritative: dict[str, Evaluated], name: str, told: str | None) -> None:
    assert authoritative[name].told == (
        []
        if told is None
        else [
            f"This plan takes away from the trust policy of {ARN}: {told}. To keep a statement, save it in a file and"
            " name that under trust.keep, or set trust.ownership to additive."
        ]
    )


def test_kept_statements_are_written_word_for_word_and_nothing_is_told_to_be_lost(tmp_path: Path) -> None:
    for number, (name, live) in enumerate(UNTRUSTING.items()):
        if number % 4:  # each takes a run of its own
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
    for name in UNTRUSTING:
        (told,) = external[name].told
        assert told.startswith(f"The trust policy of {ARN} "), name
        assert told.endswith(
            "Its trust.ownership is external: whoever owns the role adds the statement"
            ' {"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":"glue.amazonaws.com"},'
            '"Sid":"GlueInteractiveSessions"}.'
        ), name
        assert ("does not let glue.amazonaws.com call sts:AssumeRole." in told) == (
            name != "Glue under a condition only"
        ), name
    for name in TRUSTING:
        assert external[name].told == [], name
