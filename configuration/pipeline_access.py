"""The settings of the pipeline's own access, derived from the configuration and checked before CDKTF starts."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args

from configuration.messages import ConfigurationError, ErrorLine, place
from configuration.settings import Configuration, Environment, GitHub, State
from iam import policy_document
from iam.arn import ROLE_NAME_LENGTH, partition_of
from iam.documents import quotas
from iam.documents.pipeline_access import PipelineRole, Reach, permissions
from iam.wording import shown

ACCOUNT_ID = "${data.aws_caller_identity.current.account_id}"

_KEY_ARN = r"arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[\w-]+"
_KEY_ID = r"(mrk-)?[\w-]{32,36}"


@dataclass(frozen=True)
class PipelineSettings:
    """The settings of the stack `pipeline-access`.

    Attributes:
        github: which jobs may assume the roles.
        state: where states are kept, this stack's included.
        region: region of the provider.
        account_id: account of the roles if the configuration names it; Terraform refuses any other.
        reach: the roles, states and keys that the pipeline works on.
    """

    github: GitHub
    state: State
    region: str
    account_id: str | None
    reach: Reach

    def role_name(self, role: PipelineRole) -> str:
        """Return the IAM name of a role of the pipeline; each `key_prefix` has its own roles."""
        return f"{self.state.key_prefix.replace('/', '-')}-{role}"


def pipeline_settings(configuration: Configuration) -> PipelineSettings:
    """Return the settings of the pipeline's access.

    Raises:
        ConfigurationError: with every reason why this configuration allows no such access.
    """
    if configuration.pipeline is None:
        raise _error(configuration, [("pipeline", "supply this section, the pipeline's access is built from it")])
    direct = [each for each in configuration.environments.values() if each.deploy_role_arn is None]
    settings = PipelineSettings(
        github=configuration.pipeline.github,
        state=configuration.state,
        region=direct[0].region if direct else configuration.state.region,
        account_id=next(filter(None, map(_account_of, direct)), None),
        reach=_reach(configuration),
    )
    if errors := [*_errors(configuration, settings)]:
        raise _error(configuration, errors)
    return settings


def _reach(configuration: Configuration) -> Reach:
    state = configuration.state
    partition = partition_of(state.region)
    stacks = [stack for stack in configuration.role_stacks if stack.environment.deploy_role_arn is None]
    deploy_roles = [each.deploy_role_arn for each in configuration.environments.values() if each.deploy_role_arn]
    access = [asked for stack in stacks if (asked := stack.grant_settings.access)]
    key = state.kms_key_id
    if key and re.fullmatch(_KEY_ID, key):
        key = f"arn:{partition}:kms:{state.region}:{ACCOUNT_ID}:key/{key}"
    pipeline = configuration.pipeline
    return Reach(
        partition=partition,
        account_id=ACCOUNT_ID,
        adopted_roles=[stack.role.role for stack in stacks if stack.role.trust.ownership != "external"],
        external_roles=[stack.role.role for stack in stacks if stack.role.trust.ownership == "external"],
        deploy_roles=[*dict.fromkeys(deploy_roles)],
        bucket=state.bucket,
        key_prefix=state.key_prefix,
        environments=[*configuration.environments],
        kms_key=key,
        data_buckets=[*dict.fromkeys(name for each in access for name in each.bucket_names)],
        data_keys=[*dict.fromkeys(key for each in access for key in each.keys)],
        access_analyzer=pipeline is not None and pipeline.access_analyzer,
    )


def _errors(configuration: Configuration, settings: PipelineSettings) -> Iterator[tuple[str, str]]:
    state, reach = settings.state, settings.reach
    if state.assume_role:
        yield (
            "state.assume_role",
            "remove it and grant the pipeline's roles access in the bucket's policy:"
            " any pull request could write every state through this role",
        )
    if reach.kms_key and re.fullmatch(_KEY_ARN, reach.kms_key.replace(ACCOUNT_ID, "0" * 12)) is None:
        yield "state.kms_key_id", f"supply the key's ARN or ID, policies accept no alias, got {shown(reach.kms_key)}"
    for name, environment in configuration.environments.items():
        if partition_of(environment.region) != reach.partition:
            yield (
                f"environments.{name}",
                f"move this into a separate file: the pipeline works in partition {reach.partition},"
                f" as set by state.region, got {partition_of(environment.region)}",
            )
        elif environment.deploy_role_arn is None and _account_of(environment) not in (None, settings.account_id):
            yield (
                f"environments.{name}",
                "supply deploy_role_arn, or move this into a separate file: the pipeline's roles are in account"
                f" {settings.account_id}, got {_account_of(environment)}",
            )
    for role in get_args(PipelineRole):
        if (length := len(settings.role_name(role))) > ROLE_NAME_LENGTH:
            yield (
                "state.key_prefix",
                f"supply a shorter one, it makes the name of the pipeline's {role} role {settings.role_name(role)},"
                f" which may have {ROLE_NAME_LENGTH} characters, got {length}",
            )
        policy = permissions(role, reach)
        size = policy_document.size(policy) - str(policy).count(ACCOUNT_ID) * (len(ACCOUNT_ID) - 12)
        if size > (quota := quotas.DEFAULTS.inline_policies_characters):
            yield (
                "pipeline",
                "move roles into a second file, with another state.key_prefix and thus a separate pipeline:"
                f" the policy of the {role} role may have {quota} characters, got {size}",
            )


def _account_of(environment: Environment) -> str | None:
    arns = (role.arn for role in environment.roles)
    return environment.account_id or next((arn.account_id for arn in arns if arn), None)


def _error(configuration: Configuration, errors: list[tuple[str, str]]) -> ConfigurationError:
    path = place(configuration.path)
    return ConfigurationError(*(ErrorLine(f"{path}: {setting}", message) for setting, message in errors))
