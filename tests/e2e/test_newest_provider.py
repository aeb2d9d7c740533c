"""What stacks use of the AWS provider, against its newest schema at hand.

That schema is in the bindings of CDK Terrain: the provider itself, 6.69.1, is not run. `tests/e2e/test_validate.py`
runs 5.100. The bindings do not say what is deprecated, so `DEPRECATED` does.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from plans.refresh_schema import Attribute
from tests.e2e.provider_schema import INSTALLED, NEWEST, Schema
from tests.repository import ROOT

STACKS = [
    file
    for pattern in ("*.cdk.tf.json", "state-bucket.json", "pipeline-access.json")
    for file in sorted((ROOT / "tests/expected").glob(f"*/{pattern}"))
]

DEPRECATED: dict[str, frozenset[str]] = {
    "provider": frozenset(),
    "data.aws_caller_identity": frozenset(),
    "data.aws_iam_role": frozenset(),
    "data.aws_iam_role_policies": frozenset(),
    "data.aws_iam_role_policy_attachments": frozenset(),
    "aws_iam_openid_connect_provider": frozenset(),
    "aws_iam_role": frozenset({"inline_policy", "managed_policy_arns"}),
    "aws_iam_role_policy": frozenset(),
    "aws_iam_role_policy_attachment": frozenset(),
    "aws_s3_bucket": frozenset(
        {
            *("acceleration_status", "acl", "cors_rule", "grant", "lifecycle_rule", "logging"),
            *("object_lock_configuration", "policy", "replication_configuration", "request_payer"),
            *("server_side_encryption_configuration", "versioning", "website", "website_domain", "website_endpoint"),
        }
    ),
    "aws_s3_bucket_lifecycle_configuration": frozenset({"expected_bucket_owner", "id", "rule.prefix"}),
    "aws_s3_bucket_policy": frozenset(),
    "aws_s3_bucket_public_access_block": frozenset(),
    "aws_s3_bucket_server_side_encryption_configuration": frozenset({"expected_bucket_owner"}),
    "aws_s3_bucket_versioning": frozenset({"expected_bucket_owner"}),
}
"""The deprecated attributes of everything that stacks use.

Sources: the schema of provider 5.100 (`terraform providers schema -json`), and for provider 6 the notes and marks of
its documentation in pulumi-aws 7.51.1 (October 2026), which is generated from it.
"""

PROVIDER_6 = "provider-6"
"""The example whose `aws_provider` is 6.39 or newer."""

DEPRECATED_AND_USED = {
    ("aws_iam_role", "inline_policy"): "below 6.39 nothing else lists a role's inline policies",
    ("aws_iam_role", "managed_policy_arns"): "below 6.39 nothing else lists a role's managed policies",
}


class Use(NamedTuple):
    """An attribute that a stack sets or reads.

    Attributes:
        type: `provider`, a resource type, or `data.` and the type of a data source.
        path: its name, after the names of the blocks around it.
        value: what the stack sets it to; None if it is read.
    """

    type: str
    path: str
    value: Any = None


def uses(stack: Mapping[str, Any]) -> Iterator[Use]:
    """Yield what a stack uses of the provider."""
    for prefix, kind in (("", "resource"), ("data.", "data")):
        for type_, named in stack.get(kind, {}).items():
            for block in named.values():
                yield from _set(prefix + type_, block)
                yield from (Use(prefix + type_, name) for name in _own(json.dumps(block)))
                yield from (Use(type_, name) for name in block.get("lifecycle", {}).get("ignore_changes", ()))
    for block in stack["provider"]["aws"]:
        yield from _set("provider", block)
    yield from _read(json.dumps(stack).replace('\\"', '"'))


def used(stack: Path) -> set[tuple[str, str]]:
    """Return the type and the path of everything that a stack uses."""
    return {(use.type, use.path) for use in uses(json.loads(stack.read_text()))}


_META_ARGUMENTS = {"//", "count", "depends_on", "for_each", "lifecycle", "provider"}


def _set(type_: str, block: Mapping[str, Any], within: str = "") -> Iterator[Use]:
    for name, value in block.items():
        if within or name not in _META_ARGUMENTS:
            yield Use(type_, within + name, value)
            for inner in value if isinstance(value, list) else [value]:
                if isinstance(inner, dict):
                    yield from _set(type_, inner, f"{within}{name}.")


def _own(text: str) -> list[str]:
    return re.findall(r"\bself\.(\w+)", text)


_ADDRESS = r"(?<![\w.])(data\.)?(aws_\w+)\.\w+"
_VALUE = rf"{_ADDRESS}(?:\.(\w+))?"
_LOOKUP = rf'lookup\({_ADDRESS}, "(\w+)"\)'


def _read(text: str) -> Iterator[Use]:
    """Yield the attributes that expressions read, those of a `for` expression's variable included."""
    for prefix, type_, name in re.findall(rf"{_ADDRESS}\.(\w+)", text) + re.findall(_LOOKUP, text):
        yield Use(prefix + type_, name)
    for pattern in (_VALUE, _LOOKUP):
        for loop in re.finditer(rf"for (\w+) in {pattern} :([^}}]*)", text):
            variable, prefix, type_, name, body = loop.groups()
            for inner in re.findall(rf"\b{variable}\.(\w+)", body):
                yield Use((prefix or "") + type_, f"{name}.{inner}" if name else inner)


def faults(use: Use, newest: Schema, older: Schema) -> Iterator[str]:
    """Yield what is wrong with a use: in the newest schema, or compared with an older one."""
    attribute = newest.attribute(use.type, use.path)
    if attribute is None:
        yield "missing"
        return
    before = older.attribute(use.type, use.path)
    if before and before.type != attribute.type:
        yield f"was {before.type}, is {attribute.type}"
    if use.value is not None and not attribute.is_argument:
        yield "cannot be set"
    if use.value is not None and not fits(use.value, attribute.type):
        yield f"is {attribute.type}"
    if use.path in DEPRECATED.get(use.type, ()) and (use.type, use.path) not in DEPRECATED_AND_USED:
        yield "deprecated"


def fits(value: Any, type_: str) -> bool:
    """Return whether a value in Terraform JSON has a type; an expression has any but a block's."""
    match value:
        case str() if re.fullmatch(r"\$\{[^}]*\}", value):
            return not type_.endswith("blocks")
        case bool():
            return type_ == "boolean"
        case int():
            return type_ == "number"
        case str():
            return type_ == "string"
        case [dict(), *_]:
            return type_.endswith("of blocks")
        case [*each]:
            return type_.startswith(("list of ", "set of ")) and all(
                fits(one, type_.partition(" of ")[2]) for one in each
            )
        case dict():
            return type_.startswith("map of ") or "block" in type_
    return False


@pytest.fixture(scope="module")
def newest() -> Schema:
    return Schema(NEWEST)


@pytest.fixture(scope="module")
def installed() -> Schema:
    return Schema(INSTALLED)


def faults_of(stack: Mapping[str, Any], newest: Schema, installed: Schema) -> dict[str, list[str]]:
    """Return what is wrong with the attributes of a stack, by their names."""
    found = {f"{use.type}.{use.path}": list(faults(use, newest, installed)) for use in uses(stack)}
    return {name: each for name, each in found.items() if each}


@pytest.mark.parametrize("stack", STACKS, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_everything_that_a_stack_uses_is_in_the_newest_schema(stack: Path, newest: Schema, installed: Schema) -> None:
    document = json.loads(stack.read_text())

    assert faults_of(document, newest, installed) == {}
    if stack.parent.name == PROVIDER_6:
        assert not {each for each in used(stack) if each[1] in DEPRECATED[each[0]]}
    else:
        assert faults_of(document, installed, installed) == {}


def test_deprecations_are_known_of_everything_that_stacks_use(newest: Schema) -> None:
    every = {each for stack in STACKS for each in used(stack)}

    assert {type_ for type_, _ in every} == DEPRECATED.keys()
    assert {(type_, path) for type_, path in every if path in DEPRECATED[type_]} == DEPRECATED_AND_USED.keys()
    # of each kind of use that is looked for, one that is known
    assert {
        ("provider", "allowed_account_ids"),
        ("aws_iam_role", "tags_all"),
        ("aws_s3_bucket_lifecycle_configuration", "rule.filter.prefix"),
        ("aws_iam_role_policy", "policy"),
        ("data.aws_iam_role", "path"),
        ("data.aws_iam_role", "assume_role_policy"),
        ("aws_iam_role", "inline_policy.name"),
        ("data.aws_iam_role_policy_attachments", "attached_policies.policy_arn"),
    } <= every


@pytest.mark.parametrize(
    ("block", "fault"),
    [
        ({"no_such_argument": 1}, {"aws_iam_role.no_such_argument": ["missing"]}),
        ({"arn": "arn:aws:iam::111122223333:role/role"}, {"aws_iam_role.arn": ["cannot be set"]}),
        ({"max_session_duration": "3600"}, {"aws_iam_role.max_session_duration": ["is number"]}),
        ({"path": ["/"]}, {"aws_iam_role.path": ["is string"]}),
        ({"name": "${aws_s3_bucket.state.no_such}"}, {"aws_s3_bucket.no_such": ["missing"]}),
        ({"name": "${aws_s3_bucket.state.website_domain}"}, {"aws_s3_bucket.website_domain": ["deprecated"]}),
        ({"inline_policy": {"nmae": "setup"}}, {"aws_iam_role.inline_policy.nmae": ["missing"]}),
        ({"lifecycle": {"ignore_changes": ["tag"]}}, {"aws_iam_role.tag": ["missing"]}),
        ({"lifecycle": {"postcondition": [{"condition": "${self.anr}"}]}}, {"aws_iam_role.anr": ["missing"]}),
        (
            {"name": '${[for p in lookup(aws_iam_role.a, "inline_policy") : p.document]}'},
            {"aws_iam_role.inline_policy.document": ["missing"]},
        ),
        ({"name": "${[for r in data.aws_iam_role.a : r.trust]}"}, {"data.aws_iam_role.trust": ["missing"]}),
    ],
    ids=str,
)
def test_a_wrong_use_is_found(
    block: Mapping[str, Any], fault: Mapping[str, list[str]], newest: Schema, installed: Schema
) -> None:
    stack = {"provider": {"aws": []}, "resource": {"aws_iam_role": {"execution_role": block}}}

    assert faults_of(stack, newest, installed) == fault


def test_an_attribute_of_another_type_than_before_is_found(newest: Schema, installed: Schema) -> None:
    older = Schema.__new__(Schema)
    older.attribute = lambda type_, path: Attribute("set of string", True, {})  # type: ignore[method-assign]

    assert list(faults(Use("aws_iam_role", "name"), newest, older)) == ["was set of string, is string"]


def test_the_support_table_names_the_versions_that_were_checked(newest: Schema, installed: Schema) -> None:
    table = (ROOT / "docs/support.md").read_text(encoding="utf-8")
    for version in (newest.bindings.version, installed.bindings.version):
        assert version.startswith("6.")
        assert f"| AWS provider | {version.rpartition('.')[0]} | schema checked |" in table
