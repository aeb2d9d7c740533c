"""The grants of Glue interactive sessions: the managed policy attached, the inline policy put."""

import json

from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from cdktf_cdktf_provider_aws.iam_role_policy_attachment import IamRolePolicyAttachment
from constructs import Construct

from iam.documents.recipe import INLINE_POLICY_NAME, Permissions, inline_policy, managed_policy_arn
from modules import hcl
from modules.execution_role import LIVE_ACCOUNT_ID, LIVE_ROLE_ARN, LIVE_ROLE_NAME, ROLE_ADDRESS
from modules.terraform_blocks import TerraformBlocks

_EXPRESSIONS = hcl.Expressions("session_grants.hcl", role=ROLE_ADDRESS)
_ATTACHMENT_ADDRESS = "aws_iam_role_policy_attachment.glue_sessions"
_INLINE_POLICY_ADDRESS = "aws_iam_role_policy.glue_sessions"


class SessionGrants(Construct):
    """Lets the role start and use its own Glue interactive sessions.

    Args:
        scope: the stack, or a construct in it.
        id_: id of the construct.
        partition: the role's partition.
        permissions: which inline policy, see `iam.documents.recipe.inline_policy`.
        adopted: whether the stack adopts the role; it can then see which grants exist, and imports them, so that the
            plan shows what really changes.

    Attributes:
        attachment: `aws_iam_role_policy_attachment.glue_sessions`.
        inline_policy: `aws_iam_role_policy.glue_sessions`.
    """

    def __init__(self, scope: Construct, id_: str, *, partition: str, permissions: Permissions, adopted: bool) -> None:
        blocks = TerraformBlocks.of(scope)
        attachment_id, inline_policy_id = blocks.claim(_ATTACHMENT_ADDRESS), blocks.claim(_INLINE_POLICY_ADDRESS)
        super().__init__(scope, id_)
        policy_arn = managed_policy_arn(partition)
        self.attachment = IamRolePolicyAttachment(self, "Attachment", role=LIVE_ROLE_NAME, policy_arn=policy_arn)
        self.attachment.override_logical_id(attachment_id)

        if permissions == "least-privilege":
            blocks.define({"account_id": LIVE_ACCOUNT_ID})
        document = inline_policy(
            permissions, partition=partition, account_id="${local.account_id}", role_arn=LIVE_ROLE_ARN
        )
        self.inline_policy = IamRolePolicy(
            self, "InlinePolicy", role=LIVE_ROLE_NAME, name=INLINE_POLICY_NAME, policy=json.dumps(document)
        )
        self.inline_policy.override_logical_id(inline_policy_id)

        if adopted:
            blocks.import_existing(
                _ATTACHMENT_ADDRESS,
                f"{LIVE_ROLE_NAME}/${{each.value}}",
                for_each=_EXPRESSIONS.expression("attached_managed_policy", policy_arn=hcl.quoted(policy_arn)),
            )
            blocks.import_existing(
                _INLINE_POLICY_ADDRESS,
                f"{LIVE_ROLE_NAME}:${{each.value}}",
                for_each=_EXPRESSIONS.expression("existing_inline_policy", policy_name=hcl.quoted(INLINE_POLICY_NAME)),
            )
