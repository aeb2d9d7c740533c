"""Policies of buckets, keys and the Data Catalog: `verify` considers them, and the sandbox serves and refuses alike."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from iam.documents.access import Access, access_policy
from iam.documents.grants import ACCESS_POLICY
from iam.policy_document import Document
from sandbox.launcher import Sandbox
from tests.aws_proxy import AwsProxy
from tests.commands.discover.conftest import ACCOUNT
from tests.commands.verify.conftest import Granted, Run

ROLE = f"arn:aws:iam::{ACCOUNT}:role/service-role/team"
BUCKET = "verify-data-"


def deny(principal: Any = "*", resource: str = "*", **condition: Any) -> dict[str, Any]:
    more = {"Condition": condition} if condition else {}
    actions = ["s3:GetObject", "s3:ListBucket"]
    return {"Effect": "Deny", "Principal": principal, "Action": actions, "Resource": resource, **more}


OBJECTS = f"arn:aws:s3:::{BUCKET}"
POLICIES: dict[str, tuple[dict[str, Any] | None, str, list[bool]]] = {
    "none": (None, "allowed", [True, True]),
    "tls": (deny(Bool={"aws:SecureTransport": "false"}), "allowed", [True, True]),
    "role": (deny({"AWS": ROLE}), "denied", [False, False]),
    "account": (deny({"AWS": ACCOUNT}), "denied", [False, False]),
    "other": (deny({"AWS": "444455556666"}), "allowed", [True, True]),
    "all-but-it": (deny(ArnNotEquals={"aws:PrincipalArn": ROLE}), "allowed", [True, True]),
    "all-but-another": (deny(ArnNotEquals={"aws:PrincipalArn": f"{ROLE}-b"}), "denied", [False, False]),
    "network": (deny(StringNotEquals={"aws:SourceVpce": "vpce-1"}), "undecided", [False, False]),
    "part": (deny(resource=f"{OBJECTS}part/curated/people/*"), "undecided", [True, False]),
}
"""Each bucket's policy, the verdict on reading, and whether the sandbox serves two objects."""


@pytest.fixture
def buckets(sandbox: Sandbox) -> Iterator[None]:
    s3 = sandbox.client("s3")
    for name, (policy, _, _) in POLICIES.items():
        s3.create_bucket(Bucket=BUCKET + name)
        for key in ("curated/a", "curated/people/a"):
            s3.put_object(Bucket=BUCKET + name, Key=key, Body=b"x")
        if policy:
            resource = [f"{OBJECTS}{name}", f"{OBJECTS}{name}/*"] if policy["Resource"] == "*" else policy["Resource"]
            document = {"Version": "2012-10-17", "Statement": [{**policy, "Resource": resource}]}
            s3.put_bucket_policy(Bucket=BUCKET + name, Policy=json.dumps(document))
    yield
    for name in POLICIES:
        s3.delete_bucket_policy(Bucket=BUCKET + name)
        s3.delete_objects(Bucket=BUCKET + name, Delete={"Objects": [{"Key": "curated/a"}, {"Key": "curated/people/a"}]})
        s3.delete_bucket(Bucket=BUCKET + name)


class Team:
    """A role with the recipe's grants and `access`, checked by `verify`."""

    def __init__(self, granted: Granted, verify: Run, sandbox: Sandbox) -> None:
        self._granted, self._verify, self._sandbox = granted, verify, sandbox

    def run(self, *, create: bool = True, inline: dict[str, Document] | None = None, **access: Any) -> dict[str, Any]:
        """Return what `verify` says of the role, which is created with the access that it is configured with."""
        if create:
            settings: Any = {
                f"{how}_{what}": tuple(of)
                for what in ("buckets", "databases")
                for how, of in access.get(what, {}).items()
            }
            more = {name: value for name, value in access.items() if name not in ("buckets", "databases")}
            document = access_policy(Access("us-east-1", **settings, **more), partition="aws", account_id=ACCOUNT)
            assert document
            self._granted("team", inline={ACCESS_POLICY.policy_name: document, **(inline or {})})
        run = self._verify("--json", "*team", roles=f"[{{role: team, access: {json.dumps(access)}}}]")
        return {**run.role("team"), "status": run.status, "err": run.err}

    def client(self, service: Any) -> Any:
        """Return a client with the credentials of a session of the role."""
        keys = self._sandbox.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="SageMaker")["Credentials"]
        return boto3.client(
            service,
            region_name="us-east-1",
            endpoint_url=self._sandbox.endpoint,
            verify=str(self._sandbox.certificate_authority),
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
            config=Config(proxies={}),
        )


@pytest.fixture
def team(granted: Granted, verify: Run, sandbox: Sandbox) -> Team:
    return Team(granted, verify, sandbox)


def verdicts(of: dict[str, Any], action: str) -> dict[str, str]:
    """Return the verdicts on an action, by resource."""
    return {call["resource"]: call["verdict"] for call in of["calls"] if call["action"] == action}


def serves(call: Any, **parameters: Any) -> bool:
    try:
        call(**parameters)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("AccessDenied", "403"):
            raise
        return False
    return True


@pytest.mark.usefixtures("buckets")
def test_a_bucket_s_policy_decides_too_and_the_sandbox_agrees(team: Team, proxy: AwsProxy) -> None:
    found = team.run(buckets={"read": [f"s3://{BUCKET}{name}/curated/" for name in POLICIES]})
    read = verdicts(found, "s3:GetObject")
    assert {name: read[f"{OBJECTS}{name}/curated/example"] for name in POLICIES} == {
        name: verdict for name, (_, verdict, _) in POLICIES.items()
    }
    s3 = team.client("s3")
    served = {
        name: [serves(s3.get_object, Bucket=BUCKET + name, Key=key) for key in ("curated/a", "curated/people/a")]
        for name in POLICIES
    }
    assert served == {name: expected for name, (_, _, expected) in POLICIES.items()}
    assert (found["state"], found["status"]) == ("not ready", 1)
    assert any(line.endswith(f"the policy of bucket {BUCKET}role denies it") for line in found["problems"])
    assert proxy.operations.count(f"GET /{BUCKET}role") == 1  # what is denied needs no key


@pytest.mark.parametrize("simulated", [True, False])
def test_a_denial_of_a_part_in_the_role_s_own_policies_is_undecided(
    team: Team, sandbox: Sandbox, proxy: AwsProxy, simulated: bool
) -> None:
    sandbox.client("s3").create_bucket(Bucket=f"{BUCKET}own")
    if not simulated:
        proxy.refuse("SimulatePrincipalPolicy", "AccessDenied")
    part = {**deny(resource=f"{OBJECTS}own/people/*"), "Principal": None}
    document = {"Version": "2012-10-17", "Statement": {key: value for key, value in part.items() if value}}
    found = team.run(buckets={"read": [f"s3://{BUCKET}own"]}, inline={"part": document})
    sandbox.client("s3").delete_bucket(Bucket=f"{BUCKET}own")
    assert verdicts(found, "s3:GetObject") == {f"{OBJECTS}own/example": "undecided"}
    assert found["state"] == "undecided"


@pytest.mark.usefixtures("buckets")
def test_a_policy_that_cannot_be_read_leaves_its_calls_undecided(team: Team, proxy: AwsProxy) -> None:
    buckets = {"read": [f"s3://{BUCKET}none"]}
    assert team.run(buckets=buckets)["state"] == "ready"
    assert proxy.operations.count(f"GET /{BUCKET}none") == 2  # its policy, and its key
    for code, why, remedy in (
        ("AccessDenied", "the caller may not read it", "read permission"),
        ("MethodNotAllowed", "it is in another account", "run notebook"),
        ("NoSuchBucket", "no such resource exists", "run notebook"),
        ("MalformedXML", "AWS did not return it", "run notebook"),
    ):
        proxy.refuse(f"GET /{BUCKET}none", code)
        found = team.run(create=False, buckets=buckets)
        assert (found["state"], [each["remedy"] for each in found["remedies"]]) == ("undecided", [remedy])
        (line,) = found["problems"]
        assert line.endswith(f"undecided: whether the policy of bucket {BUCKET}none denies it is unknown: {why}")


@pytest.mark.usefixtures("buckets")
def test_the_key_by_which_a_bucket_encrypts_is_needed_too(team: Team, sandbox: Sandbox) -> None:
    s3: Any = sandbox.client("s3")
    key, alias = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab", "alias/sales"
    kms: Any = sandbox.client("kms")  # type: ignore[call-overload]
    through_s3 = {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}
    allowed = {
        "Effect": "Allow",
        "Principal": {"AWS": ROLE},
        "Action": "kms:*",
        "Resource": "*",
        "Condition": through_s3,
    }
    of_key = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    created = kms.create_key(Policy=of_key)["KeyMetadata"]["Arn"]
    keys = {"none": None, "tls": created, "other": key, "all-but-it": alias}
    for name, default in keys.items():
        rule = {"SSEAlgorithm": "aws:kms", **({"KMSMasterKeyID": default} if default else {})}
        configuration = {"Rules": [{"ApplyServerSideEncryptionByDefault": rule}]}
        s3.put_bucket_encryption(Bucket=BUCKET + name, ServerSideEncryptionConfiguration=configuration)
    found = team.run(buckets={"read": [f"s3://{BUCKET}{name}" for name in keys]}, keys=[])
    read = verdicts(found, "s3:GetObject")
    assert {name: read[f"{OBJECTS}{name}/example"] for name in keys} == {
        "none": "allowed",
        "tls": "allowed",
        "other": "undecided",
        "all-but-it": "undecided",
    }
    assert {*verdicts(found, "s3:ListBucket").values()} == {"allowed"}
    assert (
        f"s3:GetObject: undecided: bucket {BUCKET}other encrypts with {key}, on which kms:Decrypt is denied:"
        " no policy allows it"
    ) in found["problems"]


def test_a_key_s_policy_has_to_allow_it(team: Team, sandbox: Sandbox) -> None:
    kms: Any = sandbox.client("kms")  # type: ignore[call-overload]
    s3 = sandbox.client("s3")
    own = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}
    policies = {
        "allowed": [own],
        "denied": [own, {**own, "Effect": "Deny", "Principal": {"AWS": ROLE}, "Action": "kms:Decrypt"}],
        "undecided": [{**own, "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/admin"}}],
        "not through S3": [{**own, "Condition": {"Bool": {"aws:ViaAWSService": "false"}}}],
    }
    keys = {
        name: kms.create_key(Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))["KeyMetadata"][
            "Arn"
        ]
        for name, statements in policies.items()
    }
    elsewhere = "arn:aws:kms:us-east-1:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    found = team.run(keys=[*keys.values(), elsewhere])
    decided = verdicts(found, "kms:Decrypt")
    assert {name: decided[arn] for name, arn in keys.items()} == {
        **{name: name for name in keys},
        "not through S3": "undecided",
    }
    assert decided[elsewhere] == "undecided"
    assert any("another account" in line for line in found["problems"])

    s3.create_bucket(Bucket="verify-encrypted")
    client = team.client("s3")
    self_ = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}
    sandbox.client("iam").put_role_policy(RoleName="team", PolicyName="s3", PolicyDocument=json.dumps(self_))
    served = {}
    for name, arn in keys.items():
        s3.put_object(Bucket="verify-encrypted", Key=name, Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=arn)
        served[name] = serves(client.get_object, Bucket="verify-encrypted", Key=name)
        s3.delete_object(Bucket="verify-encrypted", Key=name)
    s3.delete_bucket(Bucket="verify-encrypted")
    assert served == {"allowed": True, "denied": False, "undecided": False, "not through S3": False}


def test_the_policy_of_the_data_catalog_decides_too(team: Team, sandbox: Sandbox, proxy: AwsProxy) -> None:
    glue = sandbox.client("glue")
    catalog = f"arn:aws:glue:us-east-1:{ACCOUNT}"
    refused = {
        "Effect": "Deny",
        "Principal": {"AWS": ROLE},
        "Action": "glue:GetTable",
        "Resource": f"{catalog}:table/hr/*",
    }
    glue.put_resource_policy(PolicyInJson=json.dumps({"Version": "2012-10-17", "Statement": [refused]}))
    try:
        found = team.run(databases={"read": ["sales", "hr"]})
    finally:
        glue.delete_resource_policy()
    tables = verdicts(found, "glue:GetTable")
    assert (tables[f"{catalog}:table/sales/example"], tables[f"{catalog}:table/hr/example"]) == ("allowed", "denied")
    proxy.refuse("GetResourcePolicy", "AccessDeniedException")
    found = team.run(create=False, databases={"read": ["sales", "hr"]})
    assert found["state"] == "undecided"
    assert all("the policy of the Data Catalog" in line for line in found["problems"])
