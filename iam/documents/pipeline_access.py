"""The pipeline's own access: who may assume its two roles, and what these may do.

They may make the calls that the pipeline's work was observed to make, recorded in pipeline_calls.json by
`make pipeline-calls`, and only on the configured roles and states.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from iam.documents.grants import managed_policies
from iam.policy_document import Document

PipelineRole = Literal["plan", "apply"]

OIDC_PROVIDER = "token.actions.githubusercontent.com"
OIDC_AUDIENCE = "sts.amazonaws.com"
"""The default audience of aws-actions/configure-aws-credentials."""

CALLS_FILE = Path(__file__).with_name("pipeline_calls.json")
CALLS: Mapping[PipelineRole, Mapping[str, Mapping[str, Sequence[str]]]] = json.loads(CALLS_FILE.read_text())
"""The actions of each role, by work and by kind of resource (see `Reach.arns`)."""

ACCESS_ANALYZER = ("access-analyzer:CheckNoNewAccess", "access-analyzer:ValidatePolicy")
"""What the job that plans asks IAM Access Analyzer; these actions are on no resource, and the local AWS lacks them."""

_ATTACHING = {"iam:AttachRolePolicy", "iam:DetachRolePolicy"}


@dataclass(frozen=True)
class Reach:
    """The resources that the pipeline works on.

    Attributes:
        partition: the AWS partition.
        account_id: the account of the pipeline's roles, 12 digits or a Terraform reference.
        adopted_roles: names or ARNs of the execution roles whose trust policies the pipeline writes.
        external_roles: names or ARNs of those whose trust policies others own.
        deploy_roles: ARNs of the roles to assume for changing roles of other accounts.
        bucket: the state bucket.
        key_prefix: prefix of all keys in it.
        environments: names of the environments whose states the pipeline writes.
        kms_key: ARN of the key that encrypts the states, None for S3's own.
        data_buckets: names of the buckets that sessions of the roles may use.
        data_keys: ARNs of the KMS keys that they may use.
        access_analyzer: whether the job that plans asks IAM Access Analyzer.
    """

    partition: str
    account_id: str
    adopted_roles: Sequence[str]
    external_roles: Sequence[str]
    deploy_roles: Sequence[str]
    bucket: str
    key_prefix: str
    environments: Sequence[str]
    kms_key: str | None
    data_buckets: Sequence[str] = ()
    data_keys: Sequence[str] = ()
    access_analyzer: bool = False

    def arns(self) -> dict[str, list[str]]:
        """Return the ARNs, or patterns of them, by kind of resource."""
        iam = f"arn:{self.partition}:iam:"
        bucket = f"arn:{self.partition}:s3:::{self.bucket}"
        states = [f"{bucket}/{self.key_prefix}/{environment}/*.tfstate" for environment in self.environments]
        return {
            "adopted role": [arn for role in self.adopted_roles for arn in self._role_arns(role)],
            "external role": [arn for role in self.external_roles for arn in self._role_arns(role)],
            "deploy role": [*self.deploy_roles],
            "managed policy": [f"{iam}:aws:policy/*", f"{iam}:{self.account_id}:policy/*"],
            "bucket": [bucket],
            "state": states,
            "lock": [f"{state}.tflock" for state in states],
            # environments that left the configuration; the slash excludes states that are not a role's
            "orphaned state": [f"{bucket}/{self.key_prefix}/*/*.tfstate"],
            "key": [self.kms_key] if self.kms_key else [],
            "data bucket": [f"arn:{self.partition}:s3:::{name}" for name in self.data_buckets],
            "data key": [*self.data_keys],
            "data catalog": [f"arn:{self.partition}:glue:*:{self.account_id}:catalog"],
        }

    def _role_arns(self, role: str) -> list[str]:
        if role.startswith("arn:"):
            return [role]
        # under any path: names have no slash and are unique in an account, so no other role matches
        prefix = f"arn:{self.partition}:iam::{self.account_id}:role"
        return [f"{prefix}/{role}", f"{prefix}/*/{role}"]


def permissions(role: PipelineRole, reach: Reach) -> Document:
    """Return the policy that allows a role of the pipeline its recorded calls.

    Args:
        role: the role of the pipeline.
        reach: the resources it works on; actions without resources are not allowed.
    """
    kinds: dict[str, set[str]] = {}
    for work in CALLS[role].values():
        for kind, actions in work.items():
            for action in actions:
                kinds.setdefault(action, set()).add(kind)
    arns = reach.arns()
    grouped: dict[tuple[tuple[str, ...], bool], list[str]] = {}
    for action, used in sorted(kinds.items()):
        resources = tuple(arn for kind, of_kind in arns.items() if kind in used for arn in of_kind)
        if resources:
            grouped.setdefault((resources, action in _ATTACHING), []).append(action)
    granted = [grant.arn(reach.partition) for grant in managed_policies()]
    only_granted = {"Condition": {"ArnEquals": {"iam:PolicyARN": granted[0] if len(granted) == 1 else granted}}}
    statements: list[Document] = [
        {"Effect": "Allow", "Action": actions, "Resource": [*resources], **(only_granted if attaching else {})}
        for (resources, attaching), actions in grouped.items()
    ]
    if role == "plan" and reach.access_analyzer:
        statements.append({"Effect": "Allow", "Action": [*ACCESS_ANALYZER], "Resource": ["*"]})
    return _policy(statements)


def oidc_provider_arn(*, partition: str, account_id: str) -> str:
    """Return the ARN of an account's OIDC provider for GitHub."""
    return f"arn:{partition}:iam::{account_id}:oidc-provider/{OIDC_PROVIDER}"


def plan_trust_policy(provider_arn: str, *, repository: str) -> Document:
    """Return the trust policy for jobs of pull requests and of every branch.

    Args:
        provider_arn: ARN of the OIDC provider, or a Terraform reference.
        repository: as the token's `sub` names it.
    """
    subjects = [f"repo:{repository}:pull_request", f"repo:{repository}:ref:refs/heads/*"]
    return _trust_policy(provider_arn, "StringLike", subjects)


def apply_trust_policy(provider_arn: str, *, repository: str, branch: str, environment: str | None) -> Document:
    """Return the trust policy for jobs of one branch, or of one GitHub environment.

    Args:
        provider_arn: ARN of the OIDC provider, or a Terraform reference.
        repository: as the token's `sub` names it.
        branch: name of the branch.
        environment: name of the GitHub environment; the token of a job with one names no branch.
    """
    of = f"environment:{environment}" if environment else f"ref:refs/heads/{branch}"
    return _trust_policy(provider_arn, "StringEquals", f"repo:{repository}:{of}")


def _trust_policy(provider_arn: str, operator: str, subjects: str | Sequence[str]) -> Document:
    # both keys may have the same operator
    condition: dict[str, Document] = {"StringEquals": {f"{OIDC_PROVIDER}:aud": OIDC_AUDIENCE}}
    condition.setdefault(operator, {})[f"{OIDC_PROVIDER}:sub"] = subjects
    return _policy(
        [
            {
                "Effect": "Allow",
                "Principal": {"Federated": provider_arn},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": condition,
            }
        ]
    )


def _policy(statements: Iterable[Document]) -> Document:
    return {"Version": "2012-10-17", "Statement": [*statements]}
