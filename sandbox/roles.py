"""The roles of the local account: their trust, their policies and their sessions."""

import json
from typing import Any

from moto.iam.exceptions import NotFoundException
from moto.iam.models import ManagedPolicy, Role, iam_backends
from moto.sts.models import AssumedRole, sts_backends

from sandbox.environment import REGION
from sandbox.iam_evaluator import Evaluator, Question

ACCOUNT = "123456789012"
PARTITION = "aws"
GLUE_SESSION_NAME = "GlueJobRunnerSession"
"""The name of the role session that Glue runs a session with."""


def find_role(name_or_arn: str) -> Role | None:
    """Return the role with this name or ARN; None if it does not exist."""
    roles = iam_backends[ACCOUNT][PARTITION]
    try:
        return roles.get_role_by_arn(name_or_arn) if ":" in name_or_arn else roles.get_role(name_or_arn)
    except NotFoundException:
        return None


def arn_of_role(name_or_arn: str) -> str:
    """Return the ARN of a role that a request names; the role need not exist."""
    if role := find_role(name_or_arn):
        return str(role.arn)
    return name_or_arn if ":" in name_or_arn else f"arn:{PARTITION}:iam::{ACCOUNT}:role/{name_or_arn}"


def trusts(evaluator: Evaluator, role: Role, service: str) -> bool:
    """Return whether a role's trust policy lets a service (`glue.amazonaws.com`) assume it."""
    trust = json.loads(role.assume_role_policy_document)
    question = Question(service, "sts:AssumeRole", role.arn, ACCOUNT, resource_policy=trust)
    return evaluator.decide(question).is_allowed


def identity_policies(role: Role) -> list[dict[str, Any]]:
    """Return the documents of a role's inline and attached policies."""
    attached = [_default_document(policy) for policy in role.managed_policies.values()]
    return [json.loads(document) for document in [*role.policies.values(), *attached]]


def permissions_boundary(role: Role) -> dict[str, Any] | None:
    """Return the document of a role's permissions boundary, if it has one."""
    if role.permissions_boundary_arn is None:
        return None
    policy = iam_backends[ACCOUNT][PARTITION].get_policy(role.permissions_boundary_arn)
    return dict(json.loads(_default_document(policy)))


def assume(role: Role, session_name: str) -> AssumedRole:
    """Return a session of a role for a service that the role trusts, with credentials for an hour."""
    return sts_backends[ACCOUNT][PARTITION].assume_role(
        region_name=REGION,
        role_session_name=session_name,
        role_arn=role.arn,
        policy=None,  # type: ignore[arg-type]
        duration=3600,
        external_id=None,  # type: ignore[arg-type]
    )


def session_of_key(access_key_id: str) -> AssumedRole | None:
    """Return the session that an access key belongs to; None if it is the operator's key."""
    return sts_backends[ACCOUNT][PARTITION].get_assumed_role_from_access_key(access_key_id)


def tags_of(role: Role) -> dict[str, str]:
    """Return a role's tags."""
    return {tag["Key"]: tag["Value"] for tag in role.tags}


def _default_document(policy: ManagedPolicy) -> str:
    return next(version.document for version in policy.versions if version.is_default)
