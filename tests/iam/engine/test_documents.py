"""What is no policy document is an error of one line, and never a traceback."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iam.engine.statements import permissions_policy, resource_policy, trust_policy

STATEMENT = '{"Effect": "Allow", "Action": "s3:*", "Resource": "*"'


def document(rest: str) -> str:
    return f'{{"Version": "2012-10-17", "Statement": {STATEMENT}{rest}}}}}'


def conditioned(values: str, operator: str = "NumericLessThan") -> str:
    return document(f', "Condition": {{"{operator}": {{"k": {values}}}}}')


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 100_000, "of fewer levels"),
        ('{"Statement":' * 50_000, "of fewer levels"),
        (conditioned("null"), "supply condition values as strings, numbers or true and false, got null"),
        (conditioned("[null]"), "got null"),
        (conditioned('{"a": 1}'), 'got {"a": "1"}'),
        (conditioned('"1"', "StringEqual"), "supply a condition operator that IAM has, like StringEquals, got "),
        (conditioned('"1"', "Null:StringEquals"), "supply a condition operator with an object of keys"),
        (conditioned("NaN"), "got NaN in it"),
        (conditioned("Infinity"), "got Infinity in it"),
        ('{"Version": ["2012-10-17"], "Statement": []}', "supply Version"),
        ('{"Version": null, "Statement": []}', "supply Version"),
        ('{"Version": {}, "Statement": []}', "supply Version"),
        ('{"Statement": [], "Statement": []}', 'supply each key of an object once, got "Statement" twice'),
        (document(', "Effect": "Deny"'), 'got "Effect" twice'),
        ('{"Statement": {"Effect": "Allow", "Action": 1, "Resource": "*"}}', "supply Action as a string"),
        ('{"Statement": {"Effect": ["Allow"], "Action": "a:b", "Resource": "*"}}', 'supply Effect "Allow" or "Deny"'),
        (document(', "a\\nb": 1'), 'got "a\\nb"'),
        ("", "supply a policy document in JSON"),
        ("\x00", "supply a policy document in JSON"),
        ("null", "supply a policy document with a Statement"),
        ("1" * 10_000, "supply a policy document with a Statement"),
    ],
)
def test_what_is_no_document_is_one_line(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=r"^supply ") as raised:
        permissions_policy(text)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("number", ["1" * 10_000, "1e999999999", "-0.0", "1.5E+3"])
def test_a_number_is_kept_as_written(number: str) -> None:
    (statement,) = permissions_policy(conditioned(number)).written
    assert {value for test in statement.condition for value in test.values} == {number}


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = ("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition")
texts = st.sampled_from(["Allow", "Deny", "*", "s3:*", "arn:aws:s3", "${a}", "${"])
statements = st.dictionaries(st.sampled_from(KEYS), values | texts | st.lists(texts, max_size=2), max_size=6)
blocks = st.dictionaries(
    st.sampled_from(["StringLike", "Null", "DateEquals", "IpAddress", "ForAnyValue:NumericEquals", "ArnLikeIfExists"]),
    st.dictionaries(st.text(max_size=3), values | texts, max_size=2),
    max_size=2,
)


@settings(deadline=None, max_examples=300)
@given(st.lists(statements, max_size=3), blocks, st.sampled_from([permissions_policy, trust_policy, resource_policy]))
def test_any_object_is_read_or_refused_in_one_line(found: list[Any], block: Any, read: Any) -> None:
    for statement in found:
        statement.setdefault("Condition", block)
    message = refusal(read, json.dumps({"Version": "2012-10-17", "Statement": found}))
    assert message is None or (message.startswith("supply ") and "\n" not in message)


def refusal(read: Any, text: str) -> str | None:
    try:
        read(text)
    except ValueError as error:
        return str(error)
    return None


def test_a_resource_policy_has_principals_and_may_have_resources() -> None:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "ecr:*"}
    (without,) = resource_policy({"Statement": statement}).written
    (given_one,) = resource_policy({"Statement": {**statement, "Resource": "a"}}).written
    assert without.resource.patterns == ("*",)
    assert given_one.resource.patterns == ("a",)
    with pytest.raises(ValueError, match="supply either Principal or NotPrincipal"):
        resource_policy({"Statement": {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}})


def test_a_statement_whose_conditions_contradict_each_other_has_no_meaning() -> None:
    condition = {"StringEquals": {"aws:PrincipalTag/a": "x"}, "StringLike": {"aws:PrincipalTag/a": "y*"}}
    statement = {"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": condition}
    assert permissions_policy({"Statement": statement}).written == ()
