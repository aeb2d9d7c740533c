"""The bucket of the shop's states: the stack `state-bucket`, whose own state is in that bucket too."""

from cdktf import TerraformStack
from cdktf_cdktf_provider_aws.provider import AwsProvider, AwsProviderAssumeRole
from constructs import Construct

from configuration import State
from iam.arn import partition_of
from modules import hcl
from modules.state_bucket import StateBucket
from modules.terraform_blocks import TerraformBlocks
from stacks.backend import MAX_RETRIES, keep_state

_NAME = "state-bucket"


class StateBucketStack(TerraformStack):
    """Imports the bucket, which must exist, and keeps it in shape.

    Args:
        scope: the app.
        state: where states are kept.
    """

    def __init__(self, scope: Construct, *, state: State) -> None:
        super().__init__(scope, _NAME)
        settings = hcl.literals(state.model_dump(exclude_none=True))
        AwsProvider(
            self,
            "aws",
            region=state.region,
            profile=settings.get("profile"),
            assume_role=[AwsProviderAssumeRole(**settings["assume_role"])] if state.assume_role else None,
            s3_use_path_style=state.use_path_style or None,
            custom_ca_bundle=settings.get("custom_ca_bundle"),
            endpoints=[settings["endpoints"]] if state.endpoints else None,
            max_retries=MAX_RETRIES,
        )
        keep_state(self, state=state, key=f"{state.key_prefix}/{_NAME}.tfstate")
        StateBucket(
            self,
            "StateBucket",
            bucket=state.bucket,
            partition=partition_of(state.region),
            kms_key_id=settings.get("kms_key_id"),
        )
        TerraformBlocks.of(self).write()
