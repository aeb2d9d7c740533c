"""The grant that Glue interactive sessions need: the managed policy attached, the inline policy put."""

import json

from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from cdktf_cdktf_provider_aws.iam_role_policy_attachment import IamRolePolicyAttachment
from constructs import Construct

from iam.documents.recipe import INLINE_POLICY_NAME, Permissions, inline_policy, managed_policy_arn
from modules.execution_role import LIVE_ROLE_NAME, ROLE_ADDRESS
from modules.terraform_blocks import TerraformBlocks


class GlueSessionGrant(IamRolePolicyAttachment):
    """Lets the role start and use Glue interactive sessions of its own: the attachment, with the inline policy in it.

    Args:
        scope: the stack itself; the addresses are `aws_iam_role_policy_attachment.glue_sessions` and
            `aws_iam_role_policy.glue_sessions`.
        partition: the role's partition.
        permissions: which inline policy, see `iam.documents.recipe.inline_policy`.
        adopted: whether the stack adopts the role; it can then see which grants exist, and takes them over, so that
            the plan shows what really changes.
        blocks: gathers the stack's further Terraform blocks.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        partition: str,
        permissions: Permissions,
        adopted: bool,
        blocks: TerraformBlocks,
    ) -> None:
        managed_policy = managed_policy_arn(partition)
        super().__init__(scope, "glue_sessions", role=LIVE_ROLE_NAME, policy_arn=managed_policy)

        if permissions == "least-privilege":
            blocks.define(account_id='${split(":", data.aws_iam_role.live.arn)[4]}')
        document = inline_policy(
            permissions,
            partition=partition,
            account_id="${local.account_id}",
            role_arn="${data.aws_iam_role.live.arn}",
        )
        # "Default" adds nothing to an address, so both are glue_sessions, each of its own type
        IamRolePolicy(self, "Default", role=LIVE_ROLE_NAME, name=INLINE_POLICY_NAME, policy=json.dumps(document))

        if adopted:
            # through lookup(), since naming either attribute makes Terraform warn that it is deprecated
            attached = f'[for arn in lookup({ROLE_ADDRESS}, "managed_policy_arns") : arn if arn == "{managed_policy}"]'
            put = (
                f'[for policy in lookup({ROLE_ADDRESS}, "inline_policy") :'
                f' policy.name if policy.name == "{INLINE_POLICY_NAME}"]'
            )
            blocks.import_existing(
                "aws_iam_role_policy_attachment.glue_sessions",
                f"{LIVE_ROLE_NAME}/${{each.value}}",
                for_each=f"toset({attached})",
            )
            blocks.import_existing(
                "aws_iam_role_policy.glue_sessions", f"{LIVE_ROLE_NAME}:${{each.value}}", for_each=f"toset({put})"
            )
