"""Resource policies put together from the resources of a plan: who may use a bucket, a key, a queue and others.

The policy of a bucket is an argument of the bucket or a resource next to it; the two are matched by the name that the
policy's resource refers to, within one provider configuration, or by the references of the configuration.
`aws_lambda_permission` has arguments in place of a document: each stands for one statement of the function's policy.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from iam.engine.statements import resource_policy
from plans.plan import SNAPSHOTS, Plan, ResourceChange, Snapshot
from plans.providers import Providers, account_of
from plans.roles import NOTHING, RESOURCE_POLICY, Gap, Held, Role, held
from plans.values import UNKNOWN, Hidden, Value, name, text

PERMISSION = "aws_lambda_permission"


class _Service(NamedTuple):
    """A kind of resource with a policy, and the types of the AWS provider that describe it."""

    noun: str
    resources: tuple[str, ...]
    """The types of the resource itself."""
    names: tuple[str, ...]
    """Their attributes that are shown as its name, or that others refer to it by."""
    has_argument: bool
    """Whether these types have the policy as an argument too."""
    policies: Mapping[str, str]
    """The types of the policy alone, each with its argument that names the resource, "" if there is only one."""


_SERVICES = (
    _Service("S3 bucket", ("aws_s3_bucket",), ("bucket", "id", "arn"), True, {"aws_s3_bucket_policy": "bucket"}),
    _Service(
        "KMS key",
        ("aws_kms_key", "aws_kms_external_key", "aws_kms_replica_key", "aws_kms_replica_external_key"),
        ("key_id", "id", "arn"),
        True,
        {"aws_kms_key_policy": "key_id"},
    ),
    _Service(
        "SQS queue", ("aws_sqs_queue",), ("name", "url", "id", "arn"), True, {"aws_sqs_queue_policy": "queue_url"}
    ),
    _Service("SNS topic", ("aws_sns_topic",), ("name", "id", "arn"), True, {"aws_sns_topic_policy": "arn"}),
    _Service(
        "secret",
        ("aws_secretsmanager_secret",),
        ("name", "id", "arn"),
        True,
        {"aws_secretsmanager_secret_policy": "secret_arn"},
    ),
    _Service(
        "ECR repository", ("aws_ecr_repository",), ("name", "id"), False, {"aws_ecr_repository_policy": "repository"}
    ),
    _Service(
        "Lambda function",
        ("aws_lambda_function",),
        ("function_name", "id", "arn"),
        False,
        {PERMISSION: "function_name", "aws_lambda_resource_policy": "resource_arn"},
    ),
    _Service("Glue Data Catalog", (), (), False, {"aws_glue_resource_policy": ""}),
)

EVALUATED = frozenset(
    type_
    for service in _SERVICES
    for type_ in (*(service.resources if service.has_argument else ()), *service.policies)
)
"""The resource types that policies are read from."""


def resource_policies(plan: Plan, changes: Sequence[ResourceChange], providers: Providers) -> list[Role]:
    """Return the resources whose policies changes of a plan describe, as values of kind "resource"."""
    by_type: dict[str, list[ResourceChange]] = {}
    for change in changes:
        by_type.setdefault(change.type, []).append(change)
    return [
        role
        for service in _SERVICES
        if not by_type.keys().isdisjoint((*service.resources, *service.policies))
        for role in _Resources(plan, service, by_type, providers).result()
    ]


@dataclass
class _Resource:
    """A resource with the changes that describe it and its policy."""

    own: ResourceChange | None = None
    policies: dict[Snapshot, ResourceChange] = field(default_factory=dict)
    """The resource of the policy alone, in each snapshot."""


class _Resources:
    def __init__(
        self, plan: Plan, service: _Service, by_type: Mapping[str, list[ResourceChange]], providers: Providers
    ) -> None:
        self._plan = plan
        self._service = service
        self._by_type = by_type
        self._providers = providers
        self._found: dict[str, _Resource] = {}
        """By address of the resource, or by the name of one that the plan does not manage."""
        self._by_name: dict[tuple[str, str], str] = {}

    def result(self) -> Iterator[Role]:
        own = [change for type_ in self._service.resources for change in self._by_type.get(type_, ())]
        for change in own:
            self._found[change.address] = _Resource(change)
            provider = self._providers.key(change)
            for snapshot in SNAPSHOTS:
                for attribute in self._service.names:
                    if value := change.text(snapshot, attribute):
                        self._by_name[provider, value] = change.address
        for type_, attribute in self._service.policies.items():
            for change in self._by_type.get(type_, ()):
                for snapshot in SNAPSHOTS:
                    if snapshot in change.snapshots:
                        self._add_policy(change, snapshot, attribute)
        for address, resource in self._found.items():
            if resource.policies or (resource.own and self._service.has_argument):
                yield self._role(resource)
            if resource.own and resource.own.address == address and self._is_written_twice(resource.own, resource):
                yield self._role(_Resource(resource.own))

    def _is_written_twice(self, own: ResourceChange, resource: _Resource) -> bool:
        """Return whether the argument of a resource writes a policy that another resource writes, leaves or deletes.

        Whichever is last counts, so both are evaluated.
        """
        if not (self._service.has_argument and resource.policies):
            return False
        before, after = (own.get(snapshot, "policy") for snapshot in SNAPSHOTS)
        if after is UNKNOWN:
            block = self._plan.configuration.block(own.module, own.address, own.index)
            return block is not None and "policy" in block.references
        return (
            bool(after) and after != before and not _document(own, "after").says_the_same(self._held(resource, "after"))
        )

    def _add_policy(self, change: ResourceChange, snapshot: Snapshot, attribute: str) -> None:
        key = self._key(change, snapshot, attribute)
        resource = self._found.setdefault(key, _Resource())
        other = resource.policies.get(snapshot, change)
        if other is not change and change.is_forgotten:
            return  # a resource has one policy, which the other one writes
        is_second = other is not change and not other.is_forgotten
        if is_second or change.type == PERMISSION:  # which is one statement of many, compared with what it was
            resource = self._found.setdefault(f"{key} {change.address}", _Resource(resource.own))
        resource.policies[snapshot] = change

    def _key(self, change: ResourceChange, snapshot: Snapshot, attribute: str) -> str:
        value = name(change.get(snapshot, attribute))
        provider = self._providers.key(change)
        if isinstance(value, str) and (address := self._by_name.get((provider, value))):
            return address
        for type_ in self._service.resources:
            configuration = self._plan.configuration
            target = configuration.target(
                change.module, change.address, change.index, attribute, type_, self._found.keys()
            )
            if target.single in self._found:
                return target.single
        if isinstance(value, str) or not attribute:
            return f"name {provider} {value or ''}"
        return f"address {change.address}"

    def _role(self, resource: _Resource) -> Role:
        changes = list({change.address: change for change in resource.policies.values()}.values())
        if resource.own and self._service.has_argument:
            changes.append(resource.own)
        role = Role(self._title(resource, changes), "resource")
        for snapshot in SNAPSHOTS:
            holdings = role.on(snapshot)
            # a resource that gets a policy may outlive its deletion, as a bucket does that is not empty
            written = resource.policies[snapshot].changes if snapshot in resource.policies else False
            holdings.exists = resource.own is None or snapshot in resource.own.snapshots or written
            if holdings.exists:
                holdings.trust = self._held(resource, snapshot)
        if role.after.exists and role.after.trust.gap is Gap.UNKNOWN and self._is_unset(resource):
            role.after.trust = role.before.trust
        before, after = resource.policies.get("before"), resource.policies.get("after")
        if before and after and before is not after and "create" in after.actions:
            role.readdressed[RESOURCE_POLICY] = (before.address, after.address)
        writers = {role.before.trust.address, role.after.trust.address}
        declared = [change for change in changes if change is not resource.own or change.address in writers]
        role.declared = {change.address: change for change in sorted(declared, key=lambda each: not each.changes)}
        arns = [change.text("before", "arn") for change in (resource.own, *changes) if change]
        arns += [
            change.text(each, self._service.policies.get(change.type, "")) for change in changes for each in SNAPSHOTS
        ]
        own = next(filter(None, map(_account, arns)), "")
        role.account = own or self._providers.account(changes)
        return role

    def _title(self, resource: _Resource, changes: Sequence[ResourceChange]) -> str:
        """Return what a resource is, and its name; its address if the name is sensitive or unknown."""
        if not self._service.names:
            return self._service.noun
        described = [(resource.own, attribute) for attribute in self._service.names if resource.own]
        described += [(change, self._service.policies.get(change.type, "")) for change in changes]
        values = [change.get(snapshot, attribute) for change, attribute in described for snapshot in SNAPSHOTS]
        visible = (
            "" if any(isinstance(value, Hidden) for value in values) else next(filter(None, map(text, values)), "")
        )
        return f"{self._service.noun} {visible or changes[0].address}"

    def _held(self, resource: _Resource, snapshot: Snapshot) -> Held:
        """Return the policy of a resource in one snapshot.

        The argument of the resource itself repeats what another resource writes, as it was before the apply; so it
        counts before, if nothing else does, and after if the configuration sets it or nothing else writes the policy.
        """
        if change := resource.policies.get(snapshot):
            return (
                _permission(change, snapshot, self._plan) if change.type == PERMISSION else _document(change, snapshot)
            )
        own = resource.own if self._service.has_argument else None
        if own is None or (snapshot == "after" and resource.policies and self._is_unset(resource)):
            return NOTHING
        return _document(own, snapshot) if own.get(snapshot, "policy") else NOTHING

    def _is_unset(self, resource: _Resource) -> bool:
        """Return whether the configuration does not set the policy argument of the resource itself."""
        if resource.own is None or "after" in resource.policies:
            return False
        block = self._plan.configuration.block(resource.own.module, resource.own.address, resource.own.index)
        return bool(resource.policies) if block is None else "policy" not in block.references


def _account(arn: str) -> str:
    """Return the account in the ARN of a resource or in the URL of a queue, "" without one."""
    url = re.fullmatch(r"https://[^/]+/(\d{12})/[^/]+", arn)
    return url[1] if url else account_of(arn)


def _document(change: ResourceChange, snapshot: Snapshot) -> Held:
    return held(change.get(snapshot, "policy"), resource_policy, address=change.address)


_CONDITIONS = {
    "source_arn": ("ArnLike", "AWS:SourceArn"),
    "source_account": ("StringEquals", "AWS:SourceAccount"),
    "principal_org_id": ("StringEquals", "aws:PrincipalOrgID"),
    "event_source_token": ("StringEquals", "lambda:EventSourceToken"),
    "function_url_auth_type": ("StringEquals", "lambda:FunctionUrlAuthType"),
    "invoked_via_function_url": ("Bool", "lambda:InvokedViaFunctionUrl"),
}
"""The conditions that Lambda writes for the arguments of a permission.

https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
"""


def _permission(change: ResourceChange, snapshot: Snapshot, plan: Plan) -> Held:
    """Return the statement that a Lambda permission adds to the policy of its function."""
    block = plan.configuration.block(change.module, change.address, change.index)
    conditions: dict[str, dict[str, Value]] = {}
    for argument in ("action", "principal", *_CONDITIONS):
        value = change.get(snapshot, argument)
        if value is UNKNOWN and block is not None and argument not in block.references:
            continue
        if value is UNKNOWN:
            return Held(None, Gap.UNKNOWN, address=change.address)
        if isinstance(value, Hidden):
            return Held(None, Gap.HIDDEN, address=change.address, hidden=value)
        if argument in _CONDITIONS and value:
            operator, key = _CONDITIONS[argument]
            conditions.setdefault(operator, {})[key] = value
    statement = {
        "Effect": "Allow",
        "Principal": _principal(text(change.get(snapshot, "principal"))),
        "Action": change.get(snapshot, "action"),
        "Condition": conditions,
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]}, default=repr)
    # the document is Lambda's, not the plan's
    return held(document, resource_policy, address=change.address)._replace(document="")


def _principal(value: str) -> str | dict[str, str]:
    if value == "*":
        return value
    kind = "Service" if re.fullmatch(r"[\w-]+(\.[\w-]+)+", value) else "AWS"
    return {kind: value}
