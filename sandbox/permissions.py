"""The permissions that a request needs: actions, resources and condition keys.

Source: AWS's Service Authorization Reference for actions, resource types and condition keys
(https://docs.aws.amazon.com/service-authorization/latest/reference/); single calls name further sources.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

from moto.core.responses import BaseResponse
from moto.glue.models import glue_backends
from moto.kms.models import kms_backends
from moto.s3.models import s3_backends
from moto.sagemaker.models import sagemaker_backends

from sandbox import roles

FREE_ACTIONS = {"sts:GetCallerIdentity"}
"""Allowed whatever the policies are. Source: AWS STS API reference, GetCallerIdentity."""
ROLE_PARAMETERS = {"Role", "RoleArn", "ExecutionRole", "ExecutionRoleArn"}
S3_ACTIONS = {"s3:HeadBucket": "s3:ListBucket"}
"""Actions of operations whose names differ from them."""

S3_SETTINGS = {
    "encryption": "EncryptionConfiguration",
    "object-lock": "BucketObjectLockConfiguration",
    "ownershipControls": "BucketOwnershipControls",
    "publicAccessBlock": "BucketPublicAccessBlock",
    "replication": "ReplicationConfiguration",
}
"""Settings of buckets that moto takes for the bucket itself, by their query parameters. To remove one is to put it.
Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html"""

KEY_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:{roles.PARTITION}:iam::{roles.ACCOUNT}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
    ],
}
"""The policy of keys that were not created here: IAM policies decide who may use it.
Source: https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html"""


@dataclass(frozen=True)
class Permission:
    """One permission that a request needs."""

    action: str
    resource: str
    context: Mapping[str, str | list[str]] = field(default_factory=dict)
    resource_policy: Mapping[str, Any] | None = None

    @property
    def resource_in_messages(self) -> str:
        """The resource as AWS's error messages name it: IAM's contain the role's name, others its ARN."""
        if self.action.startswith("iam:") and self.action != "iam:PassRole" and ":role/" in self.resource:
            return f"role {self.resource.rpartition('/')[2]}"
        return self.resource


def permissions_of(response: BaseResponse, s3_resource: str) -> Iterator[Permission]:
    """Yield the permissions that a request needs, in the order in which they are checked.

    Args:
        response: moto's view of the request.
        s3_resource: the bucket's or object's ARN in a request to S3.

    Raises:
        NotImplementedError: the request is to a service that the sandbox cannot authorize.
    """
    service = str(response.service_name)
    action = f"{service}:{response._get_action()}"
    if action in FREE_ACTIONS:
        return
    match service:
        case "glue":
            yield from _glue(action, _json_body(response), response.region)
        case "sagemaker":
            yield from _sagemaker(action, _json_body(response), response.region)
        case "iam":
            yield from _iam(action, {name: values[0] for name, values in response.querystring.items()})
        case "sts":
            yield _sts(action, response)
        case "s3":
            resources = [s3_resource]
            if action == "s3:DeleteObject" and "/" not in s3_resource:
                resources = [*_deleted(response.body, s3_resource)]
            for resource in resources:
                permission = _s3(action, resource, str(response.method), response.querystring)
                yield permission
                yield from _kms_of_s3(permission, response.headers)
        case "kms":
            key = _key_arn(_json_body(response)["KeyId"], response.region)
            yield Permission(action, key, resource_policy=_key_policy(key))
        case _:
            raise NotImplementedError(f"requests of a role to {service}")


def _json_body(response: BaseResponse) -> dict[str, Any]:
    return dict(json.loads(response.body or "{}"))


def _glue(action: str, parameters: dict[str, Any], region: str) -> Iterator[Permission]:
    requested = {**(parameters.get("Tags") or {}), **(parameters.get("TagsToAdd") or {})}
    context = _request_tags(requested)
    if removed := parameters.get("TagsToRemove"):
        context["aws:TagKeys"] = removed
    creates = action.startswith("glue:Create")
    backend = glue_backends[roles.ACCOUNT][region]
    if creates:
        context |= _network(parameters, region)
    for resource in _glue_resources(action, parameters, f"arn:{roles.PARTITION}:glue:{region}:{roles.ACCOUNT}"):
        yield Permission(action, resource, context if creates else context | _resource_tags(backend.get_tags(resource)))
        if creates and requested:
            # Since August 2024, tags on creation need this too; the request's tags count as the resource's.
            # Source: https://docs.aws.amazon.com/glue/latest/dg/security-iam-awsmanpol.html
            yield Permission("glue:TagResource", resource, _request_tags(requested) | _resource_tags(requested))
    yield from _passed_roles(parameters, "glue.amazonaws.com")
    if action == "glue:CreateSession":
        yield from _connecting(parameters, f"arn:{roles.PARTITION}:glue:{region}:{roles.ACCOUNT}")


def _connecting(parameters: dict[str, Any], prefix: str) -> Iterator[Permission]:
    """Yield what Glue needs of the role for a session's connections: to read them, and to enter their network.

    Source: https://docs.aws.amazon.com/glue/latest/dg/start-connecting.html, and the actions of AWSGlueServiceRole.
    """
    if not (names := (parameters.get("Connections") or {}).get("Connections", [])):
        return
    for resource in (f"{prefix}:catalog", *(f"{prefix}:connection/{name}" for name in names)):
        yield Permission("glue:GetConnection", resource)
    for name in ("Subnets", "SecurityGroups", "VpcEndpoints", "RouteTables", "VpcAttribute", "NetworkInterfaces"):
        yield Permission(f"ec2:Describe{name}", "*")


def _glue_resources(action: str, parameters: dict[str, Any], prefix: str) -> Iterator[str]:
    """Yield the ARNs that a request needs its action on; a request about all of a kind needs it on `*`."""
    operation = action.removeprefix("glue:")
    if "ResourceArn" in parameters:
        yield str(parameters["ResourceArn"])
    elif "Statement" in operation:
        yield f"{prefix}:session/{parameters.get('SessionId')}"
    elif operation.startswith("List"):
        yield "*"
    elif operation.endswith("Session"):
        yield f"{prefix}:session/{parameters.get('Id')}"
    elif operation.endswith(("Job", "JobRun")):
        yield f"{prefix}:job/{parameters.get('JobName') or parameters.get('Name')}"
    elif operation.endswith("Crawler"):
        yield f"{prefix}:crawler/{parameters.get('Name')}"
    elif "SecurityConfiguration" in operation:
        yield "*"
    else:
        yield f"{prefix}:catalog"
        yield from _in_catalog(operation, parameters, prefix)


def _in_catalog(operation: str, parameters: dict[str, Any], prefix: str) -> Iterator[str]:
    """Yield the resources of the Data Catalog below the catalog itself: an operation needs all of them.

    Source: https://docs.aws.amazon.com/glue/latest/dg/glue-specifying-resource-arns.html
    """

    def name(kind: str) -> str:
        given = parameters.get(f"{kind}Input") or {}
        return str(parameters.get(f"{kind}Name") or parameters.get("Name") or given.get("Name") or "*")

    if "Connection" in operation:
        if not operation.startswith("Create"):
            yield f"{prefix}:connection/{name('Connection')}"
    elif re.search("Database(s?)$", operation):
        yield f"{prefix}:database/{name('Database')}"
    elif database := parameters.get("DatabaseName"):
        yield f"{prefix}:database/{database}"
        if "UserDefinedFunction" in operation:
            if not operation.startswith("Create"):
                yield f"{prefix}:userDefinedFunction/{database}/{parameters.get('FunctionName') or '*'}"
        elif operation == "BatchDeleteTable":
            for table in parameters.get("TablesToDelete", []):
                yield f"{prefix}:table/{database}/{table}"
        else:
            yield f"{prefix}:table/{database}/{name('Table')}"


def _network(parameters: dict[str, Any], region: str) -> dict[str, str | list[str]]:
    """Return the condition keys of the networks that a session's or job's connections are in.

    Source: https://docs.aws.amazon.com/glue/latest/dg/using-identity-based-policies.html, `glue:VpcIds` and others. A
    subnet's VPC is that of a Studio domain with this subnet; the sandbox has no EC2.
    """
    connections = glue_backends[roles.ACCOUNT][region].connections
    vpcs = {
        subnet: domain.vpc_id
        for domain in sagemaker_backends[roles.ACCOUNT][region].domains.values()
        for subnet in domain.subnet_ids
    }
    found: dict[str, list[str]] = {}
    for name in (parameters.get("Connections") or {}).get("Connections", []):
        given = connections[name].connection_input if name in connections else {}
        network = given.get("PhysicalConnectionRequirements") or {}
        subnet = network.get("SubnetId")
        for key, values in (
            ("glue:VpcIds", [vpcs[subnet]] if subnet in vpcs else []),
            ("glue:SubnetIds", [subnet] if subnet else []),
            ("glue:SecurityGroupIds", network.get("SecurityGroupIdList") or []),
        ):
            if values:
                found.setdefault(key, []).extend(values)
    return dict(found)


def _sagemaker(action: str, parameters: dict[str, Any], region: str) -> Iterator[Permission]:
    prefix = f"arn:{roles.PARTITION}:sagemaker:{region}:{roles.ACCOUNT}"
    tags = {tag["Key"]: tag["Value"] for tag in parameters.get("Tags") or []}
    yield Permission(action, _sagemaker_resource(action, parameters, prefix), _request_tags(tags))
    yield from _passed_roles(parameters, "sagemaker.amazonaws.com")


def _sagemaker_resource(action: str, parameters: dict[str, Any], prefix: str) -> str:
    if "ResourceArn" in parameters:
        return str(parameters["ResourceArn"])
    kind = re.sub(r"^(Create|Describe|Update|Delete|Stop|Start)", "", action.removeprefix("sagemaker:"))
    if kind.startswith("List"):
        return "*"
    hyphenated = re.sub(r"(?<!^)(?=[A-Z])", "-", kind).lower()
    name = parameters.get(f"{kind}Name")
    if kind == "Domain":
        name = parameters.get("DomainId", "new")
    elif "DomainId" in parameters:
        name = f"{parameters['DomainId']}/{name}"
    return f"{prefix}:{hyphenated}/{name}"


def _iam(action: str, parameters: dict[str, Any]) -> Iterator[Permission]:
    resource = "*"
    context: dict[str, str | list[str]] = {}
    prefix = f"arn:{roles.PARTITION}:iam::{roles.ACCOUNT}"
    if policy := parameters.get("PolicyArn"):
        resource, context["iam:PolicyARN"] = policy, policy
    if boundary := parameters.get("PermissionsBoundary"):
        context["iam:PermissionsBoundary"] = boundary
    if name := parameters.get("RoleName"):
        role = roles.find_role(name)
        resource = role.arn if role else f"{prefix}:role{parameters.get('Path', '/')}{name}"
        context |= _resource_tags(roles.tags_of(role)) if role else {}
    elif name := parameters.get("UserName"):
        resource = f"{prefix}:user/{name}"
    elif source := parameters.get("PolicySourceArn"):
        resource = source
    yield Permission(action, resource, context)


def _sts(action: str, response: BaseResponse) -> Permission:
    arn = response._get_param("RoleArn") or "*"
    role = roles.find_role(arn)
    return Permission(action, arn, resource_policy=json.loads(role.assume_role_policy_document) if role else None)


def _deleted(body: bytes, bucket: str) -> Iterator[str]:
    """Yield the ARN of each object that DeleteObjects names. AWS refuses single objects; here, one refuses all."""
    for key in ElementTree.fromstring(body).iter():
        if key.tag.rpartition("}")[2] == "Key":
            yield f"{bucket}/{key.text}"


def _s3(action: str, resource: str, method: str, query: Mapping[str, list[str]]) -> Permission:
    listed: dict[str, str | list[str]] = {
        f"s3:{name}": query[name][0] for name in ("prefix", "delimiter", "max-keys") if query.get(name)
    }
    action = S3_ACTIONS.get(action, action)
    if "/" not in resource and (setting := next((name for key, name in S3_SETTINGS.items() if key in query), None)):
        action = f"s3:{'Get' if method == 'GET' else 'Put'}{setting}"
    bucket = s3_backends[roles.ACCOUNT][roles.PARTITION].buckets.get(resource.rpartition(":")[2].partition("/")[0])
    if bucket is None and action == "s3:ListBucket":
        action, resource = "s3:ListAllMyBuckets", "*"
    policy = bucket.policy if bucket else None
    return Permission(action, resource, listed, resource_policy=json.loads(policy) if policy else None)


def _kms_of_s3(permission: Permission, headers: Mapping[str, str]) -> Iterator[Permission]:
    """Yield the KMS permission that S3 needs from the caller if an object is encrypted with a key.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
    """
    bucket_name, _, name = permission.resource.rpartition(":")[2].partition("/")
    if permission.action == "s3:PutObject":
        action, key = "kms:GenerateDataKey", headers.get("x-amz-server-side-encryption-aws-kms-key-id")
    elif permission.action == "s3:GetObject":
        bucket = s3_backends[roles.ACCOUNT][roles.PARTITION].buckets.get(bucket_name)
        stored = bucket.keys.get(name) if bucket else None
        action, key = "kms:Decrypt", stored.kms_key_id if stored else None
    else:
        return
    if key:
        yield Permission(action, key, _in_its_name(key, permission.resource), resource_policy=_key_policy(key))


def _in_its_name(key: str, encrypted: str) -> dict[str, str | list[str]]:
    """Return the condition keys of a call that S3 makes to KMS in the name of its caller.

    Source: IAM User Guide, "Forward access sessions"; KMS Developer Guide, "AWS KMS condition keys".
    """
    return {
        "aws:ViaAWSService": "true",
        "kms:CallerAccount": roles.ACCOUNT,
        "kms:EncryptionContext:aws:s3:arn": encrypted,
        "kms:ViaService": f"s3.{key.split(':')[3]}.amazonaws.com",
    }


def _key_arn(name: str, region: str) -> str:
    return name if name.startswith("arn:") else f"arn:{roles.PARTITION}:kms:{region}:{roles.ACCOUNT}:key/{name}"


def _key_policy(arn: str) -> Mapping[str, Any]:
    """Return the policy of a key; a key that was not created has the default one."""
    region, name = arn.split(":")[3], arn.rpartition("/")[2]
    created = kms_backends[roles.ACCOUNT][region].keys.get(name)
    return dict(json.loads(created.policy)) if created else KEY_POLICY


def _passed_roles(parameters: Any, service: str) -> Iterator[Permission]:
    """Yield iam:PassRole for each role that a request names, at any depth."""
    if isinstance(parameters, list):
        for item in parameters:
            yield from _passed_roles(item, service)
    elif isinstance(parameters, dict):
        for name, value in parameters.items():
            if name in ROLE_PARAMETERS and isinstance(value, str):
                yield Permission("iam:PassRole", roles.arn_of_role(value), {"iam:PassedToService": service})
            else:
                yield from _passed_roles(value, service)


def _request_tags(tags: Mapping[str, str]) -> dict[str, str | list[str]]:
    if not tags:
        return {}
    return {**{f"aws:RequestTag/{key}": value for key, value in tags.items()}, "aws:TagKeys": list(tags)}


def _resource_tags(tags: Mapping[str, str]) -> dict[str, str | list[str]]:
    return {f"aws:ResourceTag/{key}": value for key, value in tags.items()}
