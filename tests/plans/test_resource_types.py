"""The data set of resource types, and the decisions behind it."""

import json
import re
import tomllib
from fnmatch import fnmatchcase
from typing import Any

import pytest

from plans.refresh_resource_types import entries, of_schema
from plans.resource_types import DECISIONS, RESOURCE_TYPES, ResourceType, resource_type

DECIDED: dict[str, Any] = tomllib.loads(DECISIONS.read_text(encoding="utf-8"))
_, *LINES = RESOURCE_TYPES.read_text(encoding="utf-8").splitlines()
TYPES = [kind for line in LINES if (kind := resource_type(json.loads(line)["name"]))]
ABOUT_ACCESS = re.compile(
    "permission|grant|principal|share|access_entry|delegat|invit|_member|accepter|trust|allowed|polic(y|ies)|admin_account"
)


def bears_on_access(kind: ResourceType) -> bool:
    return bool(kind.documents or kind.roles or kind.grants)


def test_the_data_set_has_the_types_of_both_major_versions() -> None:
    assert len(TYPES) > 1_700
    assert resource_type("aws_simpledb_domain")  # provider 5 only
    assert resource_type("aws_lambda_resource_policy")  # provider 6 only
    assert resource_type("aws_no_such_type") is None


def test_every_type_whose_name_suggests_access_is_decided() -> None:
    undecided = [
        kind.name
        for kind in TYPES
        if ABOUT_ACCESS.search(kind.name) and not bears_on_access(kind)
        if not any(fnmatchcase(kind.name, pattern) for pattern in DECIDED["none"])
    ]

    assert undecided == []


def test_every_decision_is_about_something_that_exists() -> None:
    names = {kind.name for kind in TYPES}
    exceptions = {name.partition(".")[0] for table in ("not_documents", "not_roles") for name in DECIDED[table]}

    assert DECIDED["grants"].keys() <= names
    for pattern in exceptions | DECIDED["none"].keys():
        assert any(fnmatchcase(name, pattern) for name in names), pattern


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("aws_s3_bucket_policy", ResourceType("aws_s3_bucket_policy", ("policy",), (), "")),
        ("aws_ecr_lifecycle_policy", ResourceType("aws_ecr_lifecycle_policy", (), (), "")),
        ("aws_glue_job", ResourceType("aws_glue_job", (), ("role_arn",), "")),
        ("aws_instance", ResourceType("aws_instance", (), ("iam_instance_profile",), "")),
        (
            "aws_lambda_permission",
            ResourceType("aws_lambda_permission", (), (), "lets a principal call a function"),
        ),
        ("aws_vpc", ResourceType("aws_vpc", (), (), "")),
        (
            "aws_odb_network",
            ResourceType(
                "aws_odb_network", ("kms_policy_document", "s3_policy_document", "sts_policy_document"), (), ""
            ),
        ),
        (
            "aws_quicksight_analysis",  # each column of it has a "role"
            ResourceType("aws_quicksight_analysis", (), (), "may be shared with users in QuickSight"),
        ),
    ],
)
def test_types_that_stand_for_their_kind(name: str, expected: ResourceType) -> None:
    assert resource_type(name) == expected


def test_arguments_of_nested_blocks_count_and_computed_attributes_do_not() -> None:
    block = {
        "attributes": {"arn": {"type": "string", "computed": True}, "policy": {"type": "string", "computed": True}},
        "block_types": {"settings": {"block": {"attributes": {"task_role_arn": {"type": "string", "required": True}}}}},
    }
    provider = {"resource_schemas": {"aws_example": {"block": block}}}
    schema = {"provider_schemas": {"registry.terraform.io/hashicorp/aws": provider}}

    assert list(entries({5: of_schema(schema)}, DECIDED)) == [
        {"name": "aws_example", "providers": [5], "roles": ["task_role_arn"]}
    ]
