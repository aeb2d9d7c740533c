"""The pipeline's own access: who may take on its two roles, and what these may do.

What they may do is what the pipeline's work was seen to ask of AWS, recorded in pipeline_calls.json and on the
configured roles and states alone.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from iam.documents.recipe import managed_policy_arn
from iam.policy_document import Document

PipelineRole = Literal["plan", "apply"]

OIDC_PROVIDER = "token.actions.githubusercontent.com"
OIDC_AUDIENCE = "sts.amazonaws.com"
"""What aws-actions/configure-aws-credentials asks GitHub for unless told otherwise."""

CALLS: Mapping[PipelineRole, Mapping[str, Mapping[str, Sequence[str]]]] = json.loads(
    Path(__file__).with_name("pipeline_calls.json").read_text()
)
"""Of each role, by work and by the kind of thing it was done to (see `Reach.arns`): the actions."""

_OF_THE_MANAGED_POLICY = {"iam:AttachRolePolicy", "iam:DetachRolePolicy"}


@dataclass(frozen=True)
class Reach:
    """What the pipeline works on.

    Attributes:
        partition: the AWS partition.
        account_id: the account of the pipeline's roles, 12 digits or a Terraform reference.
        adopted_roles: names or ARNs of the execution roles whose trust policies are written.
        external_roles: names or ARNs of those whose trust policies are others'.
        deploy_roles: ARNs of the roles that are assumed to change roles of other accounts.
        bucket: the state bucket.
        key_prefix: what all keys in it begin with.
        environments: names of the environments whose states are written.
        kms_key: ARN of the key that encrypts the states, None for S3's own.
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

    def arns(self) -> dict[str, list[str]]:
        """The ARNs, or patterns of them, by kind."""
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
            # of environments that are configured no more; the slash leaves out the states that are no role's
            "left-over state": [f"{bucket}/{self.key_prefix}/*/*.tfstate"],
            "key": [self.kms_key] if self.kms_key else [],
        }

    def _role_arns(self, role: str) -> list[str]:
        if role.startswith("arn:"):
            return [role]
        # whatever its path: a name has no slash and is an account's once, so that no other role fits
        prefix = f"arn:{self.partition}:iam::{self.account_id}:role"
        return [f"{prefix}/{role}", f"{prefix}/*/{role}"]


def permissions(role: PipelineRole, reach: Reach) -> Document:
    """Allow the role what its work was seen to ask for.

    Args:
        role: which of the two.
        reach: what it works on; of a kind that has nothing, nothing is allowed.
    """
    kinds: dict[str, set[str]] = {}
    for work in CALLS[role].values():
        for kind, actions in work.items():
            for action in actions:
                kinds.setdefault(action, set()).add(kind)
    arns = reach.arns()
    grouped: dict[tuple[tuple[str, ...], bool], list[str]] = {}
    for action, found in sorted(kinds.items()):
        resources = tuple(arn for kind, of_kind in arns.items() if kind in found for arn in of_kind)
        if resources:
            grouped.setdefault((resources, action in _OF_THE_MANAGED_POLICY), []).append(action)
    attached = {"Condition": {"ArnEquals": {"iam:PolicyARN": managed_policy_arn(reach.partition)}}}
    return _policy(
        {"Effect": "Allow", "Action": actions, "Resource": [*resources], **(attached if limited else {})}
        for (resources, limited), actions in grouped.items()
    )


def oidc_provider_arn(*, partition: str, account_id: str) -> str:
    """ARN of an account's OIDC provider for GitHub."""
    return f"arn:{partition}:iam::{account_id}:oidc-provider/{OIDC_PROVIDER}"


def plan_trust_policy(provider_arn: str, *, repository: str) -> Document:
    """Trust jobs of pull requests, and of every branch.

    Args:
        provider_arn: ARN of the OIDC provider, or a Terraform reference.
        repository: as the token's `sub` names it.
    """
    subjects = [f"repo:{repository}:pull_request", f"repo:{repository}:ref:refs/heads/*"]
    return _trust_policy(provider_arn, "StringLike", subjects)


def apply_trust_policy(provider_arn: str, *, repository: str, branch: str, environment: str | None) -> Document:
    """Trust jobs of one branch, or of one GitHub environment.

    Args:
        provider_arn: ARN of the OIDC provider, or a Terraform reference.
        repository: as the token's `sub` names it.
        branch: name of the branch.
        environment: name of the GitHub environment; the token of a job with one names no branch.
    """
    of = f"environment:{environment}" if environment else f"ref:refs/heads/{branch}"
    return _trust_policy(provider_arn, "StringEquals", f"repo:{repository}:{of}")


def _trust_policy(provider_arn: str, operator: str, subjects: str | Sequence[str]) -> Document:
    # both operators may be the same one, hence the merge
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
