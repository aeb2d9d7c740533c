"""How the pipeline reaches AWS: the stack `pipeline-access`."""

from cdktf import TerraformStack
from cdktf_cdktf_provider_aws.data_aws_caller_identity import DataAwsCallerIdentity
from cdktf_cdktf_provider_aws.provider import AwsProvider
from constructs import Construct

from configuration.pipeline_access import ACCOUNT_ID, PipelineSettings
from iam.documents.pipeline_access import apply_trust_policy, oidc_provider_arn, permissions, plan_trust_policy
from modules.pipeline_access import OIDC_PROVIDER_ADDRESS, GitHubOidcProvider, PipelineAccess
from modules.terraform_blocks import TerraformBlocks
from stacks.backend import MAX_RETRIES, keep_state

_NAME = "pipeline-access"


class PipelineAccessStack(TerraformStack):
    """GitHub's OIDC provider, a role that plans and a role that applies.

    Its outputs are the variables that the workflows need.

    Args:
        scope: the app.
        settings: the pipeline's access, as configured.
    """

    def __init__(self, scope: Construct, *, settings: PipelineSettings) -> None:
        super().__init__(scope, _NAME)
        github, reach, state = settings.github, settings.reach, settings.state
        AwsProvider(
            self,
            "aws",
            region=settings.region,
            allowed_account_ids=[settings.account_id] if settings.account_id else None,
            max_retries=MAX_RETRIES,
        )
        keep_state(self, state=state, key=f"{state.key_prefix}/{_NAME}.tfstate")
        DataAwsCallerIdentity(self, "current")

        provider = None if github.oidc_provider_exists else GitHubOidcProvider(self, "OidcProvider")
        if provider is None:
            # one that this stack created before; without the block, the plan would destroy it
            TerraformBlocks.of(self).forget(OIDC_PROVIDER_ADDRESS)
        provider_arn = oidc_provider_arn(partition=reach.partition, account_id=ACCOUNT_ID)
        PipelineAccess(
            self,
            "Plan",
            job="plan",
            role_name=settings.role_name("plan"),
            trust_policy=plan_trust_policy(provider_arn, repository=github.repository),
            permissions=permissions("plan", reach),
            account_id=ACCOUNT_ID,
            provider=provider,
        )
        PipelineAccess(
            self,
            "Apply",
            job="apply",
            role_name=settings.role_name("apply"),
            trust_policy=apply_trust_policy(
                provider_arn,
                repository=github.repository,
                branch=github.branch,
                environment=github.environment,
            ),
            permissions=permissions("apply", reach),
            account_id=ACCOUNT_ID,
            provider=provider,
        )
        TerraformBlocks.of(self).write()
