"""What the stacks derive from current trust policies.

One file, because one run of Terraform evaluates all of it.
"""

import json
from collections.abc import Callable, Iterator
from random import Random

import pytest

from iam import policy_document
from iam.documents.recipe import GLUE, GLUE_STATEMENT_SID, SAGEMAKER, trust_policy
from iam.engine.decision import Verdict, decide_trust
from iam.engine.statements import trust_policy as parsed
from iam.policy_document import Document, size, statements
from modules.trust_policy import EXPRESSIONS
from tests.stacks.conftest import synthesize_in
from tests.stacks.evaluation import ARN, Evaluated, Run
from tests.template import Template
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
    RECIPES,
    REFUSED,
    TRUSTING,
    UNTRUSTING,
    grants,
    statement,
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
ALONE = {"ours alone": trust(OURS)}
UNCHANGED = {
    f"{name}, with ours": trust(*statements(document), OURS) for name, document in (DELETED | OVER_QUOTA).items()
}

DENY: Document = {"Effect": "Deny", "Action": "sts:AssumeRole"}
DENYING_STATEMENTS: dict[str, Document] = {
    "Glue": {**DENY, "Principal": {"Service": GLUE}},
    "Glue among others": {**DENY, "Principal": {"Service": ["lambda.amazonaws.com", GLUE]}},
    "everybody": {**DENY, "Principal": "*"},
    "everybody as AWS": {**DENY, "Principal": {"AWS": "*"}},
    "everybody and Glue": {**DENY, "Principal": {"AWS": ["111122223333", "*"], "Service": GLUE}},
    "any action": {**DENY, "Principal": "*", "Action": ["sts:TagSession", "STS:A*"]},
    "all but another action": {"Effect": "Deny", "Principal": "*", "NotAction": "sts:TagSession"},
}
HARMLESS_STATEMENTS: dict[str, Document] = {
    "another service": {**DENY, "Principal": {"Service": "lambda.amazonaws.com"}},
    "another account": {**DENY, "Principal": {"AWS": "111122223333"}},
    "another action": {**DENY, "Principal": "*", "Action": "sts:TagSession"},
    "all but this action": {"Effect": "Deny", "Principal": "*", "NotAction": "sts:Assume*"},
    "an Allow": {**DENY, "Principal": {"Service": GLUE}, "Effect": "Allow"},
}
UNDECIDED_STATEMENTS: dict[str, Document] = {
    "under a condition": {
        **DENY,
        "Principal": "*",
        "Condition": {"StringNotEquals": {"aws:SourceAccount": "111122223333"}},
    },
    "everybody but some": {**DENY, "NotPrincipal": {"AWS": "111122223333"}},
}


def beside_the_recipe(added: dict[str, Document]) -> dict[str, Document]:
    return {f"denial: {name}": trust(*statements(trust_policy()), each) for name, each in added.items()}


DENYING = beside_the_recipe(DENYING_STATEMENTS) | {
    # a statement may stand alone
    "denial: everybody, alone": {**trust_policy(), "Statement": DENYING_STATEMENTS["everybody"]}
}
UNDECIDED = beside_the_recipe(UNDECIDED_STATEMENTS)
DENIALS = DENYING | UNDECIDED | beside_the_recipe(HARMLESS_STATEMENTS)

# what trust.keep accepts
KEPT = [
    document
    for document in UNTRUSTING.values()
    if policy_document.trusts(document, SAGEMAKER) and not policy_document.trusts(document, GLUE)
]
# the same trust in two forms, as people write it and as AWS returns it
FORMS = [
    trust(
        CONSOLES,
        *({"Effect": "Allow", "Principal": each, "Action": "sts:AssumeRole", **condition} for each in principals),
    )
    for condition in [{"Condition": {"StringEquals": {"sts:ExternalId": "x"}}}]
    for principals in (
        [{"AWS": "444455556666"}, "*"],
        [{"AWS": "arn:aws:iam::444455556666:root"}, {"AWS": "*"}],
    )
]

EVERY = LIVE | REFUSED | ALONE | UNCHANGED | DENIALS

# for each predicate of modules/expressions/trust_policy.hcl, what it is in Python
PREDICATES: dict[str, Callable[[Document], bool]] = {
    "has_our_sid": lambda each: each.get("Sid") == GLUE_STATEMENT_SID,
    "has_conditions": lambda each: bool(each.get("Condition")),
    "names_glue_alone": lambda each: each.get("Principal") in ({"Service": GLUE}, {"Service": [GLUE]}),
    "is_the_recipes": lambda each: each in RECIPES,
    "lets_glue_assume": lambda each: policy_document.trusts(trust(each), GLUE),
    "denies_glue": lambda each: decide_trust(parsed(trust(OURS, each)), GLUE).verdict is Verdict.DENIED,
}


def texts(documents: dict[str, Document]) -> dict[str, str]:
    return {name: json.dumps(document, indent=1) for name, document in documents.items()}


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Evaluated]]:
    folder = tmp_path_factory.mktemp("stacks")

    def stack(ownership: str, *, keep: Document | None = None, released: bool = False, quota: int = QUOTA) -> Template:
        kept = {}
        if keep:
            kept = {"keep": "kept.json"}
            (folder / "kept.json").write_text(json.dumps(keep))
        trust = {"ownership": ownership, **kept}
        return synthesize_in(folder, trust=trust, released=released, environment={"trust_policy_quota": quota})

    run = Run()
    run.add(
        "additive",
        stack("additive"),
        texts(EVERY),
        {"deleted_principals": "local.deleted_principals", "size": "length(local.trust_policy)"},
    )
    run.add("additive_again", stack("additive"), "additive")
    run.add("additive_with_a_raised_quota", stack("additive", quota=4096), texts(OVER_QUOTA))
    run.add("released", stack("additive", released=True), texts(EVERY))
    run.add("released_after_additive", stack("additive", released=True), "additive")
    run.add(
        "authoritative",
        stack("authoritative"),
        texts(EVERY),
        {"grants": "keys(local.live_grants)"},
    )
    run.add(
        "external",
        stack("external"),
        texts(EVERY),
        {name: f"[for s in local.live_statements : {EXPRESSIONS.expression(name)}]" for name in PREDICATES},
    )
    for number, document in enumerate(KEPT[::4]):
        keeping = stack("authoritative", keep=document)
        run.add(f"keeping_{number}", keeping, texts({"kept": document}))
    written = trust(*statements(FORMS[0]), OURS)
    run.add(
        "keeping_forms",
        stack("authoritative", keep=FORMS[0]),
        texts({"as written": written, "as AWS returns it": trust(*statements(FORMS[1]), OURS), "before": FORMS[1]}),
        {"trust_changes": "local.trust_changes"},
    )
    return run.evaluate(tmp_path_factory.mktemp("terraform"))


@pytest.fixture(scope="module")
def additive(evaluated: dict[str, dict[str, Evaluated]]) -> dict[str, Evaluated]:
    return evaluated["additive"]


@pytest.fixture(scope="module")
def released(evaluated: dict[str, dict[str, Evaluated]]) -> dict[str, Evaluated]:
    return evaluated["released"]


@pytest.fixture(scope="module")
def authoritative(evaluated: dict[str, dict[str, Evaluated]]) -> dict[str, Evaluated]:
    return evaluated["authoritative"]


@pytest.fixture(scope="module")
def external(evaluated: dict[str, dict[str, Evaluated]]) -> dict[str, Evaluated]:
    return evaluated["external"]


# ---- Predicates, in Terraform and in Python


@pytest.mark.parametrize("predicate", PREDICATES)
def test_terraform_and_python_agree_on_a_predicate(external: dict[str, Evaluated], predicate: str) -> None:
    in_python = {name: [PREDICATES[predicate](s) for s in statements(document)] for name, document in EVERY.items()}
    assert {name: each.expressions[predicate] for name, each in external.items()} == in_python
    assert {value for values in in_python.values() for value in values} == {True, False}


def test_terraform_and_python_agree_on_deleted_principals(additive: dict[str, Evaluated]) -> None:
    in_python = {
        name: [principal for _, principal in policy_document.deleted_principals(document)]
        for name, document in EVERY.items()
    }
    assert {name: each.expressions["deleted_principals"] for name, each in additive.items()} == in_python
    assert [DELETED_ROLE, DELETED_USER] in in_python.values()


def test_terraform_and_python_agree_on_the_size_of_a_document(additive: dict[str, Evaluated]) -> None:
    in_python = {name: size({**each.document, "Statement": each.statements}) for name, each in additive.items()}
    assert {name: each.expressions["size"] for name, each in additive.items()} == in_python


def test_terraform_and_python_agree_on_what_statements_grant(authoritative: dict[str, Evaluated]) -> None:
    in_python = {name: [*grants(document)] for name, document in EVERY.items()}
    assert {name: each.expressions["grants"] for name, each in authoritative.items()} == in_python


def test_verify_denies_and_leaves_undecided_what_the_plan_does() -> None:
    verdicts = {name: decide_trust(parsed(document), GLUE).verdict for name, document in DENIALS.items()}
    assert {name for name, verdict in verdicts.items() if verdict is Verdict.DENIED} == {*DENYING}
    assert {name for name, verdict in verdicts.items() if verdict is Verdict.UNDECIDED} == {*UNDECIDED}


# ---- Additive ownership


@pytest.mark.parametrize("name", UNTRUSTING | NEAR_QUOTA)
def test_additive_appends_one_statement(additive: dict[str, Evaluated], name: str) -> None:
    live = LIVE[name]
    assert additive[name].document == {**live, "Statement": [*statements(live), OURS]}
    assert additive[name].errors == []


@pytest.mark.parametrize("name", [*TRUSTING, "any action"])
def test_additive_leaves_a_trust_policy_alone_that_trusts_glue(additive: dict[str, Evaluated], name: str) -> None:
    assert additive[name].text == texts(LIVE)[name]
    assert additive[name].errors == []


def test_additive_keeps_every_other_statement_in_its_place_and_trusts_glue(additive: dict[str, Evaluated]) -> None:
    for name, live in LIVE.items():
        written = additive[name].statements
        assert [s for s in written if s.get("Sid") != OURS["Sid"]] == [
            s for s in statements(live) if s.get("Sid") != OURS["Sid"]
        ], name
        unconditioned = [s for s in written if not s.get("Condition")]
        assert policy_document.trusts(trust(*unconditioned), GLUE), name
        assert additive[name].document.get("Version") == live.get("Version"), name


def test_additive_changes_nothing_the_second_time(
    additive: dict[str, Evaluated], evaluated: dict[str, dict[str, Evaluated]]
) -> None:
    again = evaluated["additive_again"]
    assert {name: again[name].text for name in LIVE} == {name: additive[name].text for name in LIVE}


def test_additive_restores_its_own_statement_in_place(additive: dict[str, Evaluated]) -> None:
    for name in ALTERED:
        assert additive[name].document == trust(OURS, CONSOLES), name
        assert additive[name].errors == [], name


def test_additive_stops_at_a_foreign_statement_with_our_sid(additive: dict[str, Evaluated]) -> None:
    for name, live in FOREIGN.items():
        (message,) = additive[name].errors
        assert message.startswith(
            f"The trust policy of {ARN} has a statement with Sid GlueInteractiveSessions that names principals other"
            " than Glue: "
        ), name
        assert json.dumps(statements(live)[-1]["Effect"]) in message


def test_a_deleted_principal_and_a_long_document_stop_what_would_be_written(additive: dict[str, Evaluated]) -> None:
    assert additive["deleted"].errors == [
        f"The trust policy of {ARN} names a deleted principal: {DELETED_ROLE}, {DELETED_USER}."
        " AWS rejects a document that names one. Remove it from the role's trust policy first."
    ]
    assert {name: len(additive[name].errors) for name in DELETED} == dict.fromkeys(DELETED, 1)
    for name, live in OVER_QUOTA.items():
        assert additive[name].errors == [
            f"The trust policy of {ARN} would be {size(trust(*statements(live), OURS))} characters long, and the quota"
            " is 2048. Shorten its statements, or have AWS raise the quota (IAM, role trust policy length) and set"
            " trust_policy_quota."
        ]


def test_a_deleted_principal_and_a_long_document_stop_nothing_where_nothing_is_written(
    additive: dict[str, Evaluated],
) -> None:
    for name, text in texts(UNCHANGED).items():
        assert (additive[name].text, additive[name].errors) == (text, []), name


def test_a_raised_quota_accepts_a_longer_document(evaluated: dict[str, dict[str, Evaluated]]) -> None:
    assert [each.errors for each in evaluated["additive_with_a_raised_quota"].values()] == [[] for _ in OVER_QUOTA]


# ---- Release


def test_a_release_undoes_what_additive_did(evaluated: dict[str, dict[str, Evaluated]]) -> None:
    for name in UNTRUSTING | NEAR_QUOTA:
        each = evaluated["released_after_additive"][name]
        assert each.document == {**LIVE[name], "Statement": statements(LIVE[name])}
        assert each.errors == []


@pytest.mark.parametrize("name", UNTRUSTING)
def test_a_release_leaves_a_trust_policy_alone_that_has_nothing_of_ours(
    released: dict[str, Evaluated], name: str
) -> None:
    assert released[name].text == texts(UNTRUSTING)[name]
    assert released[name].errors == []


def test_a_release_removes_our_statement_and_returns_the_recipes_to_sagemaker(released: dict[str, Evaluated]) -> None:
    for name, live in LIVE.items():
        assert released[name].statements == statements_after_release(live), name
        assert bool(released[name].errors) == (statements_after_release(live) == []), name
    assert released["the recipe's"].document == trust(CONSOLES)


def test_a_release_stops_where_no_statement_would_remain(released: dict[str, Evaluated]) -> None:
    (message,) = released["ours alone"].errors
    assert message.startswith(f"The trust policy of {ARN} would have no statement left, which AWS does not accept")


# ---- Authoritative ownership


def test_authoritative_writes_the_recipes_trust_policy_over_any_other(authoritative: dict[str, Evaluated]) -> None:
    for name in EVERY:
        assert authoritative[name].document == trust_policy(), name
        assert authoritative[name].errors == [], name


def test_authoritative_names_every_lost_grant_and_no_other(authoritative: dict[str, Evaluated]) -> None:
    for name, live in EVERY.items():
        lost = [text for key, text in grants(live).items() if key not in grants(trust_policy())]
        assert authoritative[name].warnings == (lost_grants(*lost) if lost else {}), name


def lost_grants(*lost: str) -> dict[str, str]:
    return {
        "trust_statements_kept": (
            f"This plan removes from the trust policy of {ARN}: {'; '.join(lost)}. To keep a statement, save it in a"
            " file and name that file in trust.keep, or set trust.ownership to additive."
        )
    }


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
def test_authoritative_names_a_lost_grant(authoritative: dict[str, Evaluated], name: str, lost: str | None) -> None:
    assert authoritative[name].warnings == (lost_grants(lost) if lost else {})


def test_kept_statements_are_written_word_for_word_and_none_is_reported_as_lost(
    evaluated: dict[str, dict[str, Evaluated]],
) -> None:
    for number, live in enumerate(KEPT[::4]):
        each = evaluated[f"keeping_{number}"]["kept"]
        assert each.document == {**live, "Statement": [*statements(live), OURS]}
        assert each.warnings == {}


def test_the_form_of_a_principal_is_no_loss_and_no_change(evaluated: dict[str, dict[str, Evaluated]]) -> None:
    found = evaluated["keeping_forms"]
    assert [each.warnings for each in found.values()] == [{}, {}, {}]
    changes = {name: each.expressions["trust_changes"] for name, each in found.items()}
    assert changes == {"as written": False, "as AWS returns it": False, "before": True}


# ---- External ownership, and denials


def test_external_warns_exactly_where_glue_is_not_trusted(external: dict[str, Evaluated]) -> None:
    for name, live in UNTRUSTING.items():
        message = external[name].warnings["glue_is_trusted"]
        assert message.startswith(f"The trust policy of {ARN} "), name
        assert message.endswith(
            "Its trust.ownership is external: ask the owner of the role to add the statement"
            ' {"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":"glue.amazonaws.com"},'
            '"Sid":"GlueInteractiveSessions"}.'
        ), name
        conditioned = policy_document.trusts(live, GLUE)
        assert ("does not let glue.amazonaws.com call sts:AssumeRole." in message) == (not conditioned), name
        assert ("lets glue.amazonaws.com call sts:AssumeRole under conditions only: " in message) == conditioned, name
    for name in TRUSTING:
        assert "glue_is_trusted" not in external[name].warnings, name
    assert {each.text for each in external.values()} == {None}


@pytest.mark.parametrize("ownership", ["additive", "external"])
def test_a_plan_warns_exactly_where_glue_is_certainly_denied(
    evaluated: dict[str, dict[str, Evaluated]], ownership: str
) -> None:
    warned = {name for name in DENIALS if "glue_is_not_denied" in evaluated[ownership][name].warnings}
    assert warned == {*DENYING}


def test_the_warning_names_the_denying_statement(external: dict[str, Evaluated]) -> None:
    assert external["denial: everybody"].warnings["glue_is_not_denied"] == (
        f"The trust policy of {ARN} denies glue.amazonaws.com sts:AssumeRole, whatever else it allows:"
        ' {"Action":"sts:AssumeRole","Effect":"Deny","Principal":"*"}.'
        " Ask the owner of that statement to remove it, or to except Glue from it."
    )
