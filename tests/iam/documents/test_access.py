"""The policy of the setting `access`: the least, checked against AWS's actions and the independent engine."""

import itertools
import json
import re
from typing import Any

import pytest

from iam import validation
from iam.documents.access import Access, access_calls, access_policy, granted_part
from iam.engine.decision import Request, Verdict, decide
from iam.engine.statements import permissions_policy
from iam.policy_document import Document, strings
from plans import datasets
from tests.iam.readiness.roles import AWS_MANAGED_POLICIES

GLUE = "arn:aws:glue:eu-west-1:111122223333"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
WHOLE = Access(
    "eu-west-1",
    read_buckets=("s3://acme-sales/curated/", "s3://acme-sales/raw", "s3://whole"),
    write_buckets=("s3://acme-out/team/",),
    read_databases=("sales", "mart_*"),
    write_databases=("scratch",),
    connections=("warehouse",),
    lake_formation=True,
    keys=(KEY,),
    only_in_vpcs=("vpc-0123456789abcdef0",),
)


def policy_of(access: Access) -> Document:
    document = access_policy(access, partition="aws", account_id="111122223333")
    assert document
    return document


def decided(access: Access, action: str, resource: str, **context: tuple[str, ...]) -> Verdict:
    """Decide with the managed policy beside it, which has all actions on every database, table and connection."""
    managed = AWS_MANAGED_POLICIES["AwsGlueSessionUserRestrictedServiceRole"]["Document"]
    policies = {"managed": permissions_policy(managed), "access": permissions_policy(policy_of(access))}
    keys = {key.replace("__", ":"): value for key, value in context.items()}
    return decide(Request(action, resource, keys), policies).verdict


def test_aws_accepts_it_and_knows_every_action() -> None:
    document = policy_of(WHOLE)
    assert validation.errors(json.dumps(document), validation.Kind.IDENTITY) == ()
    for statement in document["Statement"]:
        for action in strings(statement["Action"]):
            (known,) = datasets.actions(action.lower()) or [None]
            assert known, action
            resources = strings(statement.get("Resource", "*"))
            assert any(known.supports(each) for each in resources), (action, resources)


def test_it_is_none_where_nothing_is_asked_for() -> None:
    assert access_policy(Access("eu-west-1"), partition="aws", account_id="111122223333") is None


def test_every_call_that_it_stands_for_is_allowed() -> None:
    calls = [*access_calls(WHOLE, partition="aws", account_id="111122223333")]
    assert {call.setting for call in calls} == {
        f"access.{name}" for name in ("buckets", "databases", "connections", "lake_formation", "keys")
    }
    denied = [
        (call.action, call.resource)
        for call in calls
        if decide(
            Request(call.action, call.resource, call.context), {"access": permissions_policy(policy_of(WHOLE))}
        ).verdict
        is not Verdict.ALLOWED
    ]
    assert denied == []


S3 = "arn:aws:s3:::"
CASES: dict[str, tuple[str, str, dict[str, tuple[str, ...]], Verdict]] = {
    "an object": ("s3:GetObject", f"{S3}acme-sales/curated/a.csv", {}, Verdict.ALLOWED),
    "the prefix itself": ("s3:GetObject", f"{S3}acme-sales/raw", {}, Verdict.ALLOWED),
    "a neighbor of the prefix": ("s3:GetObject", f"{S3}acme-sales/curated-old/a.csv", {}, Verdict.DENIED),
    "another bucket": ("s3:GetObject", f"{S3}acme-other/a.csv", {}, Verdict.DENIED),
    "writing to what is read": ("s3:PutObject", f"{S3}acme-sales/curated/a.csv", {}, Verdict.DENIED),
    "reading what is written": ("s3:GetObject", f"{S3}acme-out/team/a.csv", {}, Verdict.ALLOWED),
    "deleting what is written": ("s3:DeleteObject", f"{S3}acme-out/team/a.csv", {}, Verdict.ALLOWED),
    "listing the prefix": ("s3:ListBucket", f"{S3}acme-sales", {"s3__prefix": ("curated/",)}, Verdict.ALLOWED),
    "listing the bucket": ("s3:ListBucket", f"{S3}acme-sales", {"s3__prefix": ("",)}, Verdict.DENIED),
    "listing a whole bucket": ("s3:ListBucket", f"{S3}whole", {"s3__prefix": ("",)}, Verdict.ALLOWED),
    "the catalog": ("glue:GetTable", f"{GLUE}:catalog", {}, Verdict.ALLOWED),
    "a table": ("glue:GetTable", f"{GLUE}:table/sales/orders", {}, Verdict.ALLOWED),
    "a table of a pattern": ("glue:GetPartitions", f"{GLUE}:table/mart_eu/orders", {}, Verdict.ALLOWED),
    "a table of another database": ("glue:GetTable", f"{GLUE}:table/hr/people", {}, Verdict.DENIED),
    "changing what is read": ("glue:UpdateTable", f"{GLUE}:table/sales/orders", {}, Verdict.DENIED),
    "changing what is written": ("glue:UpdateTable", f"{GLUE}:table/scratch/x", {}, Verdict.ALLOWED),
    "the default database": ("glue:GetDatabase", f"{GLUE}:database/default", {}, Verdict.ALLOWED),
    "a table of the default database": ("glue:GetTable", f"{GLUE}:table/default/x", {}, Verdict.DENIED),
    "Feature Store's, which others decide": ("glue:GetTable", f"{GLUE}:table/sagemaker_fs/x", {}, Verdict.ALLOWED),
    "a connection": ("glue:GetConnection", f"{GLUE}:connection/warehouse", {}, Verdict.ALLOWED),
    "another connection": ("glue:GetConnection", f"{GLUE}:connection/payroll", {}, Verdict.DENIED),
    "a key": ("kms:Decrypt", KEY, {}, Verdict.ALLOWED),
    "another key": ("kms:Decrypt", KEY.replace("key/1", "key/2"), {}, Verdict.DENIED),
}


@pytest.mark.parametrize(("action", "resource", "context", "verdict"), CASES.values(), ids=CASES)
def test_it_allows_what_is_named_and_refuses_one_step_beyond(
    action: str, resource: str, context: dict[str, Any], verdict: Verdict
) -> None:
    assert decided(WHOLE, action, resource, **context) is verdict


@pytest.mark.parametrize("other", ["AmazonSageMakerFullAccess", "AWSGlueServiceRole"])
@pytest.mark.parametrize("write", [(), ("scratch",)])
def test_nothing_that_other_policies_allow_opens_another_database(other: str, write: tuple[str, ...]) -> None:
    document = policy_of(Access("eu-west-1", read_databases=("sales",), write_databases=write))
    names = ("AwsGlueSessionUserRestrictedServiceRole", other)
    policies = {name: permissions_policy(AWS_MANAGED_POLICIES[name]["Document"]) for name in names}
    policies["access"] = permissions_policy(document)
    for action in (
        "CreateTable",
        "DeleteTable",
        "UpdateTable",
        "RenameTable",
        "DeleteDatabase",
        "CreateUserDefinedFunction",
    ):
        for resource in ("database/hr", "table/hr/sagemaker_tmp_1", "database/sales", "table/sales/sagemaker_tmp_1"):
            request = Request(f"glue:{action}", f"{GLUE}:{resource}")
            assert decide(request, policies).verdict is Verdict.DENIED, request
    for action in ("GetTable", "SearchTables", "GetTableVersion"):
        assert decide(Request(f"glue:{action}", f"{GLUE}:table/hr/people"), policies).verdict is Verdict.DENIED
    version = Request("glue:GetTableVersion", f"{GLUE}:tableVersion/sales/orders/1")
    assert decide(version, policies).verdict is Verdict.ALLOWED


LEFT_OPEN = re.compile(
    r"glue:(GetDatabases|\w*Integration\w*|GetTags|(Unt|T)agResource|(BatchGet|Get|List)TableOptimizer(Runs)?"
    r"|\w*ColumnStatisticsTask\w*)",
    re.IGNORECASE,
)
"""Names of databases, zero-ETL, tags, and Glue's own background work, which runs under roles of its own."""


def test_every_action_of_glue_on_databases_and_tables_is_refused_elsewhere() -> None:
    refused = {
        action.lower()
        for statement in policy_of(WHOLE)["Statement"]
        if statement["Effect"] == "Deny"
        for action in strings(statement["Action"])
    }
    concerned = {
        action.name
        for action in datasets.actions("glue:*") or ()
        if any(action.supports(f"{GLUE}:{each}") for each in ("database/x", "table/x/y", "userDefinedFunction/x/y"))
    }
    assert len(concerned) > 50
    assert {name for name in concerned if name.lower() not in refused and not LEFT_OPEN.fullmatch(name)} == set()


@pytest.mark.parametrize(
    ("vpcs", "verdict"),
    [
        (("vpc-0123456789abcdef0",), Verdict.ALLOWED),
        (("vpc-1",), Verdict.DENIED),
        (("vpc-0123456789abcdef0", "vpc-1"), Verdict.DENIED),
        ((), Verdict.DENIED),
    ],
)
def test_sessions_start_in_the_named_vpcs_only(vpcs: tuple[str, ...], verdict: Verdict) -> None:
    allowed = {"Statement": {"Effect": "Allow", "Action": "glue:CreateSession", "Resource": "*"}}
    policies = {"all": permissions_policy(allowed), "access": permissions_policy(policy_of(WHOLE))}
    request = Request("glue:CreateSession", f"{GLUE}:session/x", {"glue:vpcids": vpcs})
    assert decide(request, policies).verdict is verdict


def test_each_part_stands_alone_and_has_its_own_sids() -> None:
    parts = {
        "read_buckets": ("s3://a-bucket",),
        "write_buckets": ("s3://a-bucket/b",),
        "read_databases": ("a",),
        "write_databases": ("b",),
        "connections": ("c",),
        "lake_formation": True,
        "keys": (KEY,),
        "only_in_vpcs": ("vpc-0123456789abcdef0",),
    }
    for number in (1, 2):
        for names in itertools.combinations(parts, number):
            document = policy_of(Access("eu-west-1", **{name: parts[name] for name in names}))  # type: ignore[arg-type]
            sids = [statement["Sid"] for statement in document["Statement"]]
            assert len(sids) == len(set(sids))


PARTS: dict[str, Access] = {
    "whole": WHOLE,
    "no prefix, no region": Access("", read_buckets=("s3://one", "s3://two/a")),
    "the same place to read and write": Access("", read_buckets=("s3://one/a",), write_buckets=("s3://one/a/",)),
    "databases to read": Access("eu-west-1", read_databases=("*",)),
    "databases to write": Access("eu-west-1", write_databases=("a", "b_*")),
    "connections": Access("eu-west-1", connections=("a", "b/c")),
    "keys": Access("eu-west-1", keys=(KEY, KEY.replace("key/", "alias/"))),
    "Lake Formation": Access("eu-west-1", lake_formation=True),
    "VPCs": Access("eu-west-1", only_in_vpcs=("vpc-1", "vpc-2")),
}
ROLE = {"partition": "aws", "account_id": "111122223333"}


@pytest.mark.parametrize("access", PARTS.values(), ids=PARTS)
def test_it_is_recognized_without_the_setting(access: Access) -> None:
    document = json.loads(json.dumps(policy_of(access)))
    assert granted_part(document, **ROLE) == document
    theirs = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    document["Statement"] += [theirs, {**theirs, "Sid": "Theirs"}]
    assert granted_part(document, **ROLE) == policy_of(access)


def test_the_policy_of_a_role_in_another_account_is_not_recognized() -> None:
    assert granted_part(policy_of(WHOLE), partition="aws", account_id="444455556666") is None


@pytest.mark.parametrize("number", range(len(policy_of(WHOLE)["Statement"])))
def test_it_is_not_recognized_once_a_statement_was_changed(number: int) -> None:
    document = policy_of(WHOLE)
    document["Statement"][number]["Effect"] = "Other"
    assert granted_part(document, **ROLE) is None


@pytest.mark.parametrize("statement", [None, 1, [], [1], [{"Sid": []}], {"Sid": "UseKeys", "Resource": 1}, {}])
def test_nothing_is_recognized_in_another_document(statement: Any) -> None:
    assert granted_part({"Statement": statement}, **ROLE) is None
