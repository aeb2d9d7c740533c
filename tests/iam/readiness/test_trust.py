"""A role's trust policy beside the recipe's."""

import pytest

from iam.documents.recipe import glue_statement, trust_policy
from iam.policy_document import Document
from iam.readiness.trust import exceeds_recipe, other_trusted_principals, trust_in_words, without_glue_statement

PLAIN = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}


def trust(*statements: Document) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}


@pytest.mark.parametrize("document", [trust(PLAIN), trust_policy(), trust(PLAIN, glue_statement())])
def test_a_trust_policy_within_the_recipe_loses_nothing(document: Document) -> None:
    assert not exceeds_recipe(document)


@pytest.mark.parametrize(
    "lost",
    [
        {**PLAIN, "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"]},
        {**PLAIN, "Principal": {"Service": ["sagemaker.amazonaws.com", "forecast.amazonaws.com"]}},
        {**PLAIN, "Condition": {"StringEquals": {"aws:SourceAccount": "1"}}},
        {**PLAIN, "Effect": "Deny", "Principal": "*"},
    ],
    ids=["an action", "a service", "a condition", "a Deny"],
)
def test_what_the_recipe_would_take_away_exceeds_it(lost: Document) -> None:
    assert exceeds_recipe(trust(PLAIN, lost))


def test_other_principals_are_those_besides_sagemaker_and_glue() -> None:
    assert other_trusted_principals(trust_policy()) == []
    other = {**PLAIN, "Principal": {"Service": "forecast.amazonaws.com", "AWS": "111122223333"}}
    assert other_trusted_principals(trust(PLAIN, other)) == ["account 111122223333", "forecast.amazonaws.com"]


def test_without_glues_statement_the_others_keep_their_wording() -> None:
    renamed = {**glue_statement(), "Sid": "Renamed", "Action": ["STS:AssumeRole"]}
    assert without_glue_statement(trust(PLAIN, glue_statement(), renamed)) == trust(PLAIN)


def test_a_trust_policy_reads_as_sentences() -> None:
    assert trust_in_words(trust_policy()) == ["glue.amazonaws.com, sagemaker.amazonaws.com may sts:AssumeRole"]
