"""What the pipeline reaches AWS with: the stack `pipeline-access`."""

from cdktf import TerraformStack
from cdktf_cdktf_provider_aws.data_aws_caller_identity import DataAwsCallerIdentity
from cdktf_cdktf_provider_aws.provider import AwsProvider
from constructs import Construct

from configuration.pipeline_access import ACCOUNT_ID, PipelineSettings
from iam.documents import pipeline_access
from modules.pipeline_access import OIDC_PROVIDER_ADDRESS, GitHubOidcProvider, PipelineRole
from modules.terraform_blocks import TerraformBlocks
from stacks.backend import keep_state


class PipelineAccessStack(TerraformStack):
    """GitHub's OIDC provider, a role that plans and a role that applies.

    Its outputs are the variables that the workflows want.

    Args:
        scope: the app.
        settings: what the configuration says of it.
    """

    def __init__(self, scope: Construct, *, settings: PipelineSettings) -> None:
        super().__init__(scope, "pipeline-access")
        github, reach, state = settings.github, settings.reach, settings.state
        AwsProvider(
            self,
            "aws",
            region=settings.region,
            allowed_account_ids=[settings.account_id] if settings.account_id else None,
        )
        keep_state(self, state=state, key=f"{state.key_prefix}/pipeline-access.tfstate")
        DataAwsCallerIdentity(self, "current")

        blocks = TerraformBlocks()
        if github.oidc_provider_exists:
            provider = None
            # one that was made here before; without this block the plan would destroy it
            blocks.forget(OIDC_PROVIDER_ADDRESS)
        else:
            provider = GitHubOidcProvider(self)
        provider_arn = pipeline_access.oidc_provider_arn(partition=reach.partition, account_id=ACCOUNT_ID)
        PipelineRole(
            self,
            "plan",
            name=settings.role_name("plan"),
            trust_policy=pipeline_access.plan_trust_policy(provider_arn, repository=github.repository),
            permissions=pipeline_access.permissions("plan", reach),
            provider=provider,
        )
        PipelineRole(
            self,
            "apply",
            name=settings.role_name("apply"),
            trust_policy=pipeline_access.apply_trust_policy(
                provider_arn,
                repository=github.repository,
                branch=github.branch,
                environment=github.environment,
            ),
            permissions=pipeline_access.permissions("apply", reach),
            provider=provider,
        )
        blocks.output("AWS_PLAN_ROLE_ARN", "${aws_iam_role.plan.arn}")
        blocks.output("AWS_APPLY_ROLE_ARN", "${aws_iam_role.apply.arn}")
        blocks.add_to(self)
