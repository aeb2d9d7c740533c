"""The policies that Glue interactive sessions need: those of the registry of grants."""

import json
from typing import assert_never

from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from cdktf_cdktf_provider_aws.iam_role_policy_attachment import IamRolePolicyAttachment
from constructs import Construct

from iam.documents.grants import Grantee, GrantSettings, InlinePolicyGrant, ManagedPolicyGrant, policy_grants
from modules import hcl
from modules.execution_role import LIVE_ACCOUNT_ID, LIVE_ROLE_ARN, LIVE_ROLE_NAME, ROLE_ADDRESS
from modules.terraform_blocks import TerraformBlocks

_EXPRESSIONS = hcl.Expressions("session_grants.hcl", role=ROLE_ADDRESS)
_ACCOUNT_ID = "${local.account_id}"


class SessionGrants(Construct):
    """Lets the role start and use its own Glue interactive sessions.

    Args:
        scope: the stack, or a construct in it.
        id_: id of the construct.
        settings: the settings that decide which grants the role gets.
        partition: the role's partition.
        adopted: whether the stack adopts the role. It can then see which grants exist, and imports them, so that the
            plan shows what really changes.

    Attributes:
        policies: the resources by their addresses, such as `aws_iam_role_policy.glue_sessions`.
    """

    def __init__(self, scope: Construct, id_: str, *, settings: GrantSettings, partition: str, adopted: bool) -> None:
        self._blocks = TerraformBlocks.of(scope)
        logical_ids = {grant.address: self._blocks.claim(grant.address) for grant in policy_grants()}
        super().__init__(scope, id_)
        grantee = Grantee(partition=partition, account_id=_ACCOUNT_ID, role_arn=LIVE_ROLE_ARN)
        self.policies: dict[str, IamRolePolicyAttachment | IamRolePolicy] = {}
        for grant in policy_grants():
            match grant:
                case ManagedPolicyGrant():
                    if grant.is_granted(settings):
                        self.policies[grant.address] = self._attached(grant, grant.arn(partition), adopted)
                case InlinePolicyGrant():
                    if document := grant.document(settings, grantee):
                        self.policies[grant.address] = self._put(grant, json.dumps(document), adopted)
                case _:
                    assert_never(grant)
        for address, resource in self.policies.items():
            resource.override_logical_id(logical_ids[address])

    def _attached(self, grant: ManagedPolicyGrant, policy_arn: str, adopted: bool) -> IamRolePolicyAttachment:
        if adopted:
            self._blocks.import_existing(
                grant.address,
                f"{LIVE_ROLE_NAME}/${{each.value}}",
                for_each=_EXPRESSIONS.expression("attached_managed_policy", policy_arn=hcl.quoted(policy_arn)),
            )
        return IamRolePolicyAttachment(self, grant.address, role=LIVE_ROLE_NAME, policy_arn=policy_arn)

    def _put(self, grant: InlinePolicyGrant, policy: str, adopted: bool) -> IamRolePolicy:
        if _ACCOUNT_ID in policy:
            self._blocks.define({"account_id": LIVE_ACCOUNT_ID})
        if adopted:
            self._blocks.import_existing(
                grant.address,
                f"{LIVE_ROLE_NAME}:${{each.value}}",
                for_each=_EXPRESSIONS.expression("existing_inline_policy", policy_name=hcl.quoted(grant.policy_name)),
            )
        return IamRolePolicy(self, grant.address, role=LIVE_ROLE_NAME, name=grant.policy_name, policy=policy)
