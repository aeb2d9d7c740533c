"""What `review` knows and reads of resource types, against the schema that `test_newest_provider.py` uses."""

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from plans import assembly, resource_policies
from plans.plan import ResourceChange, Snapshot, parse
from plans.refresh_resource_types import entries, excepted, of_bindings
from plans.refresh_schema import RESOURCE
from plans.resource_types import DECISIONS, RESOURCE_TYPES, resource_type
from tests import plan_builder
from tests.e2e.provider_schema import NEWEST, Schema


@pytest.fixture(scope="module")
def newest() -> Schema:
    return Schema(NEWEST)


DECIDED: dict[str, Any] = tomllib.loads(DECISIONS.read_text(encoding="utf-8"))


def test_the_data_set_of_review_has_every_resource_type_of_the_newest_schema(newest: Schema) -> None:
    _, *lines = RESOURCE_TYPES.read_text(encoding="utf-8").splitlines()
    known = {entry["name"]: entry for entry in map(json.loads, lines)}
    now = {entry["name"]: entry for entry in entries({6: of_bindings(newest.bindings)}, DECIDED)}

    assert now.keys() == {name for name, entry in known.items() if 6 in entry["providers"]}
    different = {
        (name, key): sorted(set(known[name].get(key, ())) ^ set(entry.get(key, ())))
        for name, entry in now.items()
        for key in ("documents", "roles")
        if known[name].get(key, []) != entry.get(key, [])
    }
    assert different == {}


SUGGESTS_A_DOCUMENT = re.compile("polic|document|statement")


def undecided(newest: Schema, decisions: Mapping[str, Any]) -> Iterator[str]:
    """Yield the arguments whose name suggests a policy document, a role or a principal, and which nobody decided on."""
    for name, described in newest.bindings.of_kind(RESOURCE).items():
        known = resource_type(name)
        assert known
        if known.grants or name in assembly.EVALUATED:  # any change of it is reported
            continue
        for argument, type_ in described.arguments():
            is_text = type_ in ("string", "list of string", "set of string", "map of string", "any")
            if is_text and SUGGESTS_A_DOCUMENT.search(argument):
                decided = argument in known.documents or excepted(decisions["not_documents"], name, argument)
            elif is_text and "role" in argument:
                decided = argument in known.roles or excepted(decisions["not_roles"], name, argument)
            else:
                decided = "principal" not in argument or bool(
                    known.documents or known.roles or name in decisions["none"]
                )
            if not decided:
                yield f"{name}.{argument}"


def test_every_argument_whose_name_suggests_access_is_decided(newest: Schema) -> None:
    assert list(undecided(newest, DECIDED)) == []


@pytest.mark.parametrize(
    ("table", "argument"),
    [
        ("not_documents", "aws_lb_listener.ssl_policy"),
        ("not_roles", "aws_codebuild_webhook.approver_roles"),
        ("none", "aws_ecr_pull_time_update_exclusion.principal_arn"),
    ],
)
def test_an_argument_that_nobody_decided_on_is_found(table: str, argument: str, newest: Schema) -> None:
    assert argument in undecided(newest, {**DECIDED, table: {}})


ONLY_IN_5 = {"*.geographic_role", *(f"aws_quicksight_{each}.role" for each in ("analysis", "dashboard", "template"))}
"""Exceptions for arguments that the newest schema does not list: it leaves QuickSight's definitions untyped."""


def test_every_exception_is_about_an_argument_that_exists(newest: Schema) -> None:
    arguments = [
        (name, argument)
        for name, described in newest.bindings.of_kind(RESOURCE).items()
        for argument in {argument for argument, _ in described.arguments()}
    ]
    patterns = [*DECIDED["not_documents"], *DECIDED["not_roles"]]

    assert {each for each in patterns if not any(excepted([each], *argument) for argument in arguments)} == ONLY_IN_5


READ_IN_VAIN = {
    ("aws_iam_group", "permissions_boundary"),
    ("aws_kms_external_key", "key_id"),
    *((f"aws_{each}_policy", "arn") for each in ("ecr_repository", "glue_resource", "kms_key", "s3_bucket")),
    *((f"aws_{each}_policy", "arn") for each in ("secretsmanager_secret", "sqs_queue")),
    ("aws_lambda_permission", "arn"),
    ("aws_lambda_resource_policy", "arn"),
}
"""Attributes that are read of several types alike, and that these do not have."""


def test_every_attribute_that_review_reads_is_in_the_newest_schema(
    newest: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: set[tuple[str, str]] = set()

    def recording(of: Callable[[ResourceChange, Snapshot, str], Any]) -> Callable[..., Any]:
        def record(change: ResourceChange, snapshot: Snapshot, attribute: str) -> Any:
            read.update({(change.type, attribute)} if attribute else ())
            return of(change, snapshot, attribute)

        return record

    monkeypatch.setattr(ResourceChange, "get", recording(ResourceChange.get))
    monkeypatch.setattr(ResourceChange, "text", recording(ResourceChange.text))
    values = {"name": "one", "policy": plan_builder.document(plan_builder.allow("s3:GetObject"))}
    change = {"actions": ["no-op"], "before": values, "after": values, "after_unknown": {}}
    types = newest.bindings.of_kind(RESOURCE)
    changes = ({"address": f"{each}.one", "mode": "managed", "type": each, "change": change} for each in types)
    plan = parse(plan_builder.plan(*changes), "plan")

    assembly.described(plan, plan.changes)

    assert {type_ for type_, _ in read} > assembly.EVALUATED | resource_policies.EVALUATED
    assert {each for each in read if newest.attribute(*each) is None} == READ_IN_VAIN


@pytest.mark.parametrize(
    ("type_", "attribute"),
    [
        ("data.aws_caller_identity", "account_id"),
        ("data.aws_iam_policy", "arn"),
        ("data.aws_iam_policy", "policy"),
        ("data.aws_iam_role", "arn"),
        ("data.aws_iam_role", "name"),
        ("aws_iam_role", "inline_policy.name"),
        ("aws_iam_role", "inline_policy.policy"),
    ],
)
def test_what_review_reads_of_data_sources_and_blocks_is_in_the_newest_schema(
    type_: str, attribute: str, newest: Schema
) -> None:
    found = newest.attribute(type_, attribute)

    assert found
    assert found.type == "string"
