"""What Glue sessions may use besides Glue itself: the inline policy of the setting `access`.

Source of actions, resource types and condition keys: AWS's Service Authorization Reference
(https://docs.aws.amazon.com/service-authorization/latest/reference/); single parts name further sources.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from iam.policy_document import Document, statements, strings

_READ_TABLES = (
    "glue:GetDatabase",
    "glue:GetTable",
    "glue:GetTables",
    "glue:GetTableVersion",
    "glue:GetTableVersions",
    "glue:GetPartition",
    "glue:GetPartitions",
    "glue:BatchGetPartition",
    "glue:GetPartitionIndexes",
    "glue:GetColumnStatisticsForTable",
    "glue:GetColumnStatisticsForPartition",
    "glue:GetUserDefinedFunction",
    "glue:GetUserDefinedFunctions",
)
_WRITE_TABLES = (
    "glue:CreateDatabase",
    "glue:CreateTable",
    "glue:UpdateTable",
    "glue:DeleteTable",
    "glue:BatchDeleteTable",
    "glue:CreatePartition",
    "glue:BatchCreatePartition",
    "glue:UpdatePartition",
    "glue:BatchUpdatePartition",
    "glue:DeletePartition",
    "glue:BatchDeletePartition",
)
_OTHER_READS = ("glue:SearchTables",)
_OTHER_WRITES = (
    "glue:UpdateDatabase",
    "glue:DeleteDatabase",
    "glue:RenameTable",
    "glue:DeleteTableVersion",
    "glue:BatchDeleteTableVersion",
    "glue:CreateTableOptimizer",
    "glue:UpdateTableOptimizer",
    "glue:DeleteTableOptimizer",
    "glue:CreatePartitionIndex",
    "glue:DeletePartitionIndex",
    "glue:UpdateColumnStatisticsForTable",
    "glue:UpdateColumnStatisticsForPartition",
    "glue:DeleteColumnStatisticsForTable",
    "glue:DeleteColumnStatisticsForPartition",
    "glue:CreateUserDefinedFunction",
    "glue:UpdateUserDefinedFunction",
    "glue:DeleteUserDefinedFunction",
)
"""What sessions do not need, and other policies of the role may allow, such as AWSGlueServiceRole's `glue:*`."""

_NETWORK = (
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcAttribute",
    "ec2:DescribeVpcEndpoints",
)
"""What AWSGlueServiceRole has for connections.
https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSGlueServiceRole.html"""
_NETWORK_TAG = {"ForAllValues:StringEquals": {"aws:TagKeys": ["aws-glue-service-resource"]}}

_STUDIO_DATABASES = "sagemaker_*"
"""Databases of SageMaker itself, such as Feature Store's. Other policies of the role decide on them."""


@dataclass(frozen=True)
class Access:
    """What the sessions of a role may use.

    Attributes:
        region: the region of databases, connections and sessions.
        read_buckets: places in S3, as in `s3://bucket/prefix/`; the whole bucket without a prefix.
        write_buckets: the same, also to write and delete.
        read_databases: databases of the Data Catalog by name, in which `*` stands for any characters.
        write_databases: the same, also to create and change tables and partitions.
        connections: Glue connections by name.
        lake_formation: whether Lake Formation gives out access to data.
        keys: ARNs of KMS keys.
        only_in_vpcs: the VPCs outside of which no session starts; anywhere if empty.
    """

    region: str
    read_buckets: tuple[str, ...] = ()
    write_buckets: tuple[str, ...] = ()
    read_databases: tuple[str, ...] = ()
    write_databases: tuple[str, ...] = ()
    connections: tuple[str, ...] = ()
    lake_formation: bool = False
    keys: tuple[str, ...] = ()
    only_in_vpcs: tuple[str, ...] = ()

    @property
    def bucket_names(self) -> tuple[str, ...]:
        """The buckets of all places in S3."""
        return tuple(_places((*self.read_buckets, *self.write_buckets)))


@dataclass(frozen=True)
class AccessCall:
    """A call that sessions make with the policy, on one resource of those that it names.

    Attributes:
        setting: the setting that asks for it, such as `access.buckets`.
        action: its IAM action.
        resource: ARN, or `*`.
        context: the condition keys of the call that the policy tests.
        pattern: what the policy names, if that is more than the one resource; else empty.
        ranges: the patterns of a condition key of the policy, where the context has one example of them.
    """

    setting: str
    action: str
    resource: str
    context: Mapping[str, tuple[str, ...]]
    pattern: str = ""
    ranges: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Part:
    """A statement of the policy, the setting that asks for it, and the actions that sessions usually call with it."""

    setting: str
    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    effect: str = "Allow"
    resource_element: str = "Resource"
    condition: Document = field(default_factory=dict)
    usual: tuple[str, ...] = ()

    def statement(self) -> Document:
        condition = {"Condition": self.condition} if self.condition else {}
        resources = list(self.resources) if len(self.resources) > 1 else self.resources[0]
        return {
            "Sid": self.sid,
            "Effect": self.effect,
            "Action": list(self.actions) if len(self.actions) > 1 else self.actions[0],
            self.resource_element: resources,
            **condition,
        }

    def calls(self) -> Iterator[AccessCall]:
        tested = {key.lower(): tuple(values) for test in self.condition.values() for key, values in test.items()}
        context = {key: tuple(value.replace("*", "") for value in values[-1:]) for key, values in tested.items()}
        ranges = {key: values for key, values in tested.items() if values != context[key]}
        examples: dict[str, str] = {}
        for each in self.resources:
            one = each if each == "*" else _one_of(each)
            # an example may be a resource, too: its pattern says more
            examples[one] = each if "*" in each else examples.get(one, each)
        for one, resource in examples.items():
            for action in self.usual or self.actions:
                yield AccessCall(self.setting, action, one, context, "" if one == resource else resource, ranges)


def access_policy(access: Access, *, partition: str, account_id: str) -> Document | None:
    """Return the inline policy of the setting `access`, with a Sid for each part; None if it asks for nothing.

    Args:
        access: what the sessions may use.
        partition: partition of the role.
        account_id: account of the role, 12 digits or a Terraform reference.
    """
    statements = [part.statement() for part in _parts(access, partition, account_id)]
    return {"Version": "2012-10-17", "Statement": statements} if statements else None


def granted_part(document: Document, *, partition: str, account_id: str) -> Document | None:
    """Return the statements of a policy that `access_policy` wrote for some setting, None if it wrote none of them.

    Statements with Sids of their own are others'. If others changed one of ours, none counts as ours.

    Args:
        document: the policy.
        partition: partition of the role.
        account_id: account of the role.
    """
    try:
        found = {each["Sid"]: each for each in statements(document) if "Sid" in each}
        access = _read_back({sid: _resources(each) for sid, each in found.items()}, found)
        policy = access_policy(access, partition=partition, account_id=account_id)
        of_ours = policy and [found[each["Sid"]] for each in policy["Statement"]]
    except (KeyError, TypeError, AttributeError):
        return None
    return policy if policy and policy["Statement"] == of_ours else None


def _read_back(resources: Mapping[str, list[str]], found: Mapping[str, Document]) -> Access:
    """Return the setting that asks for these statements, if there is one."""

    def names(sid: str, of: str) -> tuple[str, ...]:
        marked = (each.partition(f":{of}/") for each in resources.get(sid, ()))
        return tuple(name for _, marker, name in marked if marker)

    def places(sid: str) -> tuple[str, ...]:
        objects = (each.rpartition(":::")[2] for each in resources.get(sid, ()))
        return tuple(f"s3://{each.removesuffix('/*')}" for each in objects if each.endswith("/*"))

    regional = (each.split(":") for listed in resources.values() for each in listed)
    outside = found.get("NoSessionInOtherVpcs", {}).get("Condition", {}).get("ForAnyValue:StringNotEquals", {})
    return Access(
        region=next((fields[3] for fields in regional if fields[2:3] in (["glue"], ["logs"])), ""),
        read_buckets=places("ReadObjects"),
        write_buckets=places("WriteObjects"),
        read_databases=names("ReadTables", "database"),
        write_databases=names("WriteTables", "database"),
        connections=names("ReadConnections", "connection"),
        lake_formation="LakeFormationData" in found,
        keys=tuple(resources.get("UseKeys", ())),
        only_in_vpcs=tuple(outside.get("glue:VpcIds", ())),
    )


def _resources(statement: Document) -> list[str]:
    return strings(statement.get("Resource") or statement.get("NotResource") or [])


def access_calls(access: Access, *, partition: str, account_id: str) -> Iterator[AccessCall]:
    """Yield the calls that sessions make with the policy, on each resource; an example replaces a wildcard.

    Args:
        access: what the sessions may use.
        partition: partition of the role.
        account_id: account of the role.
    """
    for part in _parts(access, partition, account_id):
        if part.effect == "Allow":
            yield from part.calls()


def _one_of(pattern: str) -> str:
    return pattern.replace("*", "example")


def _parts(access: Access, partition: str, account_id: str) -> Iterator[_Part]:
    glue = f"arn:{partition}:glue:{access.region}:{account_id}"
    yield from _buckets(access, partition)
    yield from _databases(access, glue)
    yield from _connections(access, partition, account_id)
    if access.lake_formation:
        yield _Part("access.lake_formation", "LakeFormationData", ("lakeformation:GetDataAccess",), ("*",))
    yield from _keys(access, partition, account_id)
    if access.only_in_vpcs:
        session = (f"{glue}:session/*",)
        outside = {"ForAnyValue:StringNotEquals": {"glue:VpcIds": list(access.only_in_vpcs)}}
        nowhere = {"Null": {"glue:VpcIds": "true"}}
        for sid, condition in (("NoSessionInOtherVpcs", outside), ("NoSessionWithoutVpc", nowhere)):
            yield _Part("access.only_in_vpcs", sid, ("glue:CreateSession",), session, "Deny", condition=condition)


def _buckets(access: Access, partition: str) -> Iterator[_Part]:
    readable = _places((*access.read_buckets, *access.write_buckets))
    writable = _places(access.write_buckets)
    if not readable:
        return
    s3, setting = f"arn:{partition}:s3:::", "access.buckets"
    buckets = tuple(f"{s3}{bucket}" for bucket in readable)
    yield _Part(setting, "LocateBuckets", ("s3:GetBucketLocation",), buckets)
    for sid, action, places in (
        ("List", "s3:ListBucket", readable),
        ("ListUploads", "s3:ListBucketMultipartUploads", writable),
    ):
        for number, (bucket, prefixes) in enumerate(places.items(), start=1):
            listed = [pattern for prefix in prefixes for pattern in (prefix, f"{prefix}/*")]
            condition = {} if "" in prefixes else {"StringLike": {"s3:prefix": listed}}
            yield _Part(setting, f"{sid}{number}", (action,), (f"{s3}{bucket}",), condition=condition)
    yield _Part(setting, "ReadObjects", ("s3:GetObject",), tuple(_objects(s3, readable)))
    if writable:
        write = ("s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts")
        yield _Part(setting, "WriteObjects", write, tuple(_objects(s3, writable)))


def _places(addresses: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Return the prefixes of each bucket, without the slash at their end; "" is the whole bucket."""
    found: dict[str, dict[str, None]] = {}
    for address in addresses:
        bucket, _, prefix = address.removeprefix("s3://").partition("/")
        found.setdefault(bucket, {})[prefix.strip("/")] = None
    return {bucket: tuple(prefixes) for bucket, prefixes in found.items()}


def _objects(s3: str, places: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """Yield the ARNs of objects; Spark also asks for the prefix itself as an object, before it lists what is below."""
    for bucket, prefixes in places.items():
        if "" in prefixes:
            yield f"{s3}{bucket}/*"
            continue
        for prefix in prefixes:
            yield f"{s3}{bucket}/{prefix}"
            yield f"{s3}{bucket}/{prefix}/*"


def _databases(access: Access, glue: str) -> Iterator[_Part]:
    """Yield what the Data Catalog asks for, and refuse the rest.

    A call needs its action on the catalog, the database and the table. The managed policy already has all actions on
    every database and table, so that a permission on the catalog opens them all: hence the Deny.
    https://docs.aws.amazon.com/glue/latest/dg/glue-specifying-resource-arns.html
    """
    readable = (*access.read_databases, *access.write_databases)
    if not readable:
        return
    setting, catalog = "access.databases", (f"{glue}:catalog",)
    default = f"{glue}:database/default"
    read, write = tuple(_in_databases(glue, readable)), tuple(_in_databases(glue, access.write_databases))
    studio = tuple(_in_databases(glue, (_STUDIO_DATABASES,)))
    # Spark verifies that the database `default` exists, whichever one a statement names
    yield _Part(setting, "DefaultDatabase", ("glue:GetDatabase",), (default,))
    yield _Part(setting, "ReadTables", _READ_TABLES, (*catalog, *read), usual=("glue:GetTable", "glue:GetPartitions"))
    if write:
        usual = ("glue:CreateTable", "glue:UpdateTable")
        yield _Part(setting, "WriteTables", _WRITE_TABLES, (*catalog, *write), usual=usual)
    left = (*studio, f"{glue}:tableVersion/*")  # a version's table is decided on in the same call
    reads, writes = (*_READ_TABLES, *_OTHER_READS), (*_WRITE_TABLES, *_OTHER_WRITES)
    yield _Part(setting, "NoOtherTables", reads, (*catalog, default, *read, *left), "Deny", "NotResource")
    # without anything to write, too: AmazonSageMakerFullAccess has the catalog for CreateTable and DeleteTable
    yield _Part(setting, "NoOtherWrites", writes, (*catalog, *write, *left), "Deny", "NotResource")


def _in_databases(glue: str, databases: tuple[str, ...]) -> Iterator[str]:
    for name in dict.fromkeys(databases):
        yield f"{glue}:database/{name}"
        yield f"{glue}:table/{name}/*"
        yield f"{glue}:userDefinedFunction/{name}/*"


def _connections(access: Access, partition: str, account_id: str) -> Iterator[_Part]:
    if not access.connections:
        return
    glue, ec2 = (f"arn:{partition}:{service}:{access.region}:{account_id}" for service in ("glue", "ec2"))
    setting, read = "access.connections", ("glue:GetConnection",)
    resources = (f"{glue}:catalog", *(f"{glue}:connection/{name}" for name in access.connections))
    yield _Part(setting, "ReadConnections", read, resources)
    # as with databases: the managed policy has every connection
    yield _Part(setting, "NoOtherConnections", read, resources, "Deny", "NotResource")
    yield _Part(setting, "UseNetwork", _NETWORK, ("*",))
    tagged = (f"{ec2}:network-interface/*", f"{ec2}:security-group/*")
    tag = ("ec2:CreateTags", "ec2:DeleteTags")
    yield _Part(setting, "TagNetwork", tag, tagged, condition=_NETWORK_TAG)


def _keys(access: Access, partition: str, account_id: str) -> Iterator[_Part]:
    """Yield the use of keys, and what a security configuration of Glue needs.

    https://docs.aws.amazon.com/glue/latest/dg/set-up-encryption.html
    """
    if not access.keys:
        return
    setting = "access.keys"
    yield _Part(setting, "UseKeys", ("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"), access.keys)
    yield _Part(setting, "ReadSecurityConfigurations", ("glue:GetSecurityConfiguration",), ("*",))
    logs = f"arn:{partition}:logs:{access.region}:{account_id}:log-group:/aws-glue/*"
    yield _Part(setting, "EncryptLogs", ("logs:AssociateKmsKey",), (logs,))
