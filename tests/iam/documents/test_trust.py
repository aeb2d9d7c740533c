import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iam.documents import recipe
from iam.documents.trust import TrustPolicyError, parse_trust_policy
from iam.policy_document import deleted_principals, size, statements, trusts

SAGEMAKER = "sagemaker.amazonaws.com"
GLUE = "glue.amazonaws.com"


def statement(**elements: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"Service": SAGEMAKER}, "Action": "sts:AssumeRole"} | elements


def policy(*found: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(found)}


# Trust policies as execution roles have them.
LIVE = {
    "made by the console": policy(statement()),
    "the recipe's": recipe.trust_policy(),
    "Canvas: several services": policy(statement(Principal={"Service": [SAGEMAKER, "forecast.amazonaws.com"]})),
    "Feature Processor: Glue among them": policy(
        statement(Principal={"Service": ["scheduler.amazonaws.com", SAGEMAKER, GLUE]})
    ),
    "source identity": policy(statement(Action=["sts:AssumeRole", "sts:SetSourceIdentity"])),
    "trusted identity propagation": policy(statement(Action=["sts:AssumeRole", "sts:SetContext"])),
    "confused deputy": policy(
        statement(Condition={"ArnLike": {"aws:SourceArn": "arn:aws:sagemaker:us-west-2:123456789012:*"}})
    ),
    "DataZone": policy(
        statement(
            Principal={"Service": [SAGEMAKER, "datazone.amazonaws.com"]},
            Action=["sts:AssumeRole", "sts:TagSession", "sts:SetContext"],
            Condition={
                "StringEquals": {"aws:SourceAccount": "${aws:PrincipalAccount}"},
                "ForAllValues:StringLike": {"aws:TagKeys": ["datazone*"]},
            },
        )
    ),
    "people, other accounts, federation": policy(
        statement(),
        statement(Sid="People", Principal={"AWS": ["arn:aws:iam::444455556666:root", "444455556666"]}),
        statement(Principal={"Federated": "cognito-identity.amazonaws.com"}, Action="sts:AssumeRoleWithWebIdentity"),
    ),
    "everybody, with multi-factor authentication": policy(
        statement(), statement(Principal="*", Condition={"Bool": {"aws:MultiFactorAuthPresent": True}})
    ),
    "a deny": policy(statement(), {
        "Effect": "Deny", "NotPrincipal": {"AWS": "arn:aws:iam::444455556666:root"}, "Action": "sts:AssumeRole"
    }),
    "all but one action": policy(statement(Action="sts:*"), {
        "Effect": "Deny", "Principal": {"AWS": "*"}, "NotAction": "sts:AssumeRole"
    }),
    "a single statement object": {"Version": "2012-10-17", "Statement": statement()},
    "no version": {"Statement": [statement()]},
    "the old version, with ids": {"Version": "2008-10-17", "Id": "trust", "Statement": [statement(Sid="")]},
    "numbers and keys in lower case": policy(
        statement(Condition={"NumericLessThan": {"aws:multifactorauthage": [3600, 0.5]}, "Null": {"aws:userid": True}})
    ),
}  # fmt: skip


@pytest.mark.parametrize("document", LIVE.values(), ids=LIVE.keys())
def test_documents_keep_their_wording(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    assert json.dumps(parse_trust_policy(text)) == text


@pytest.mark.parametrize("document", LIVE.values(), ids=LIVE.keys())
def test_all_of_these_documents_trust_sagemaker(document: dict[str, Any]) -> None:
    assert trusts(document, SAGEMAKER)


def test_documents_that_name_glue_trust_it() -> None:
    assert [name for name, document in LIVE.items() if trusts(document, GLUE)] == [
        "the recipe's",
        "Feature Processor: Glue among them",
    ]


@pytest.mark.parametrize(
    "action",
    ["sts:AssumeRole", "STS:assumerole", "sts:*", "*", "sts:Assume*", "sts:?ssumeRole", ["sts:TagSession", "sts:A*e"]],
)
def test_actions_count_in_any_case_and_with_wildcards(action: Any) -> None:
    assert trusts(policy(statement(Action=action)), SAGEMAKER)


@pytest.mark.parametrize(
    "elements",
    [
        {"Effect": "Deny"},
        {"Action": "sts:TagSession"},
        {"Action": "sts:AssumeRoleWith*"},
        {"Action": "sts:AssumeRol?e"},
        {"Action": ["sts:SetContext", "sts:[A]ssumeRole"]},
        {"Principal": "*"},
        {"Principal": {"AWS": "*"}},
        {"Principal": {"AWS": SAGEMAKER}},
        {"Principal": {"Service": "job.sagemaker.amazonaws.com"}},
        {"Principal": {"Service": ["lambda.amazonaws.com"]}},
    ],
)
def test_a_statement_for_others_does_not_trust_the_service(elements: dict[str, Any]) -> None:
    assert not trusts(policy(statement(**elements)), SAGEMAKER)


def test_not_action_allows_all_but_what_it_names() -> None:
    allowing = {"Effect": "Allow", "Principal": {"Service": SAGEMAKER}}
    assert trusts(policy(allowing | {"NotAction": "sts:TagSession"}), SAGEMAKER)
    assert not trusts(policy(allowing | {"NotAction": ["sts:Assume*"]}), SAGEMAKER)


def test_not_principal_does_not_trust_a_service() -> None:
    document = policy({"Effect": "Allow", "NotPrincipal": {"AWS": "444455556666"}, "Action": "sts:AssumeRole"})
    assert not trusts(document, SAGEMAKER)


def test_deleted_principals_are_listed_with_their_place() -> None:
    document = policy(
        statement(),
        statement(Principal={"AWS": ["arn:aws:iam::444455556666:root", "AROAEXAMPLEROLE12345Z"]}),
        statement(Effect="Deny", Principal="*"),
        {"Effect": "Deny", "NotPrincipal": {"AWS": "AIDAEXAMPLEUSER12345Z"}, "Action": "sts:*"},
    )
    assert list(deleted_principals(document)) == [
        ("Statement[1].Principal.AWS", "AROAEXAMPLEROLE12345Z"),
        ("Statement[3].NotPrincipal.AWS", "AIDAEXAMPLEUSER12345Z"),
    ]


def test_names_that_resemble_an_id_are_not_deleted_principals() -> None:
    names = ["arn:aws:iam::444455556666:role/AROAEXAMPLEROLE12345Z", "AROA", "444455556666", "*"]
    assert list(deleted_principals(policy(statement(Principal={"AWS": names})))) == []


def test_a_single_statement_counts_as_a_list_of_one() -> None:
    assert statements(LIVE["a single statement object"]) == statements(LIVE["made by the console"])


def test_size_ignores_white_space_between_the_parts() -> None:
    text = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:AssumeRole"}]}'  # noqa: E501
    assert size(json.loads(text)) == len(text)
    assert size(json.loads(json.dumps(json.loads(text), indent=4))) == len(text)


@pytest.mark.parametrize(("value", "characters"), [("a b", 3), ("a&b", 8), ("<>", 12), ("é", 1), ('"', 2), ("\n", 2)])
def test_size_counts_strings_as_terraform_writes_them(value: str, characters: int) -> None:
    assert size({"Sid": value}) - size({"Sid": ""}) == characters


def test_all_errors_of_a_document_are_reported_at_once() -> None:
    with pytest.raises(TrustPolicyError) as raised:
        parse_trust_policy(
            '{"Id": 1, "Statement": [{"Effect": "allow", "Principal": "*", "Action": "sts:AssumeRole"}]}'
        )
    assert raised.value.errors == (
        "Id: supply a string, got 1",
        'Statement[0].Effect: supply "Allow" or "Deny", got "allow"',
    )
    assert str(raised.value) == "\n".join(raised.value.errors)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
ELEMENTS = st.sampled_from(["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Condition", "x"])
VALUES = JSON | st.sampled_from(
    ["Allow", "Deny", "sts:AssumeRole", "*", {"Service": SAGEMAKER}, {"AWS": ["*"]}, {"StringEquals": {"a": "b"}}]
)


@given(
    st.dictionaries(
        st.sampled_from(["Version", "Id", "Statement", "x"]),
        JSON | st.lists(st.dictionaries(ELEMENTS, VALUES), max_size=3) | st.dictionaries(ELEMENTS, VALUES),
    ).map(json.dumps)
    | st.text()
)
def test_any_text_is_a_usable_trust_policy_or_has_a_line_for_each_error(text: str) -> None:
    errors = None
    try:
        document = parse_trust_policy(text)
    except TrustPolicyError as error:
        errors = error.errors
    if errors is None:
        trusts(document, GLUE)
        list(deleted_principals(document))
        size(recipe.trust_policy_keeping(document))
    else:
        assert errors
        assert all(error.isprintable() for error in errors)
