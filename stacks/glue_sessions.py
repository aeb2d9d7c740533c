"""One execution role's grants for Glue interactive sessions: the stack `glue-sessions-<environment>-<role>`."""

from cdktf import TerraformStack
from cdktf_cdktf_provider_aws.provider import AwsProvider, AwsProviderAssumeRole
from constructs import Construct

from configuration import RoleStack, State
from iam.documents.recipe import trust_policy, trust_policy_keeping
from modules import trust_ownership
from modules.execution_role import ROLE_ADDRESS, AdoptedExecutionRole, LiveExecutionRole
from modules.session_grant import GlueSessionGrant
from modules.terraform_blocks import TerraformBlocks
from modules.trust_ownership import OwnedTrust
from stacks.backend import keep_state


class GlueSessionsStack(TerraformStack):
    """The grants of one role, in a state of their own: no plan of another role can touch it.

    Args:
        scope: the app.
        settings: the role with its environment, as configured.
        state: where states are kept.
    """

    def __init__(self, scope: Construct, *, settings: RoleStack, state: State) -> None:
        super().__init__(scope, settings.name)
        environment, role = settings.environment, settings.role
        account_id = environment.account_id or (role.arn.account_id if role.arn else None)
        AwsProvider(
            self,
            "aws",
            region=environment.region,
            allowed_account_ids=[account_id] if account_id else None,
            assume_role=[AwsProviderAssumeRole(role_arn=environment.deploy_role_arn)]
            if environment.deploy_role_arn
            else None,
            # IAM throttles a fleet's plans: slow down together instead of failing one by one
            retry_mode="adaptive",
        )
        keep_state(self, state=state, key=settings.state_key)

        blocks = TerraformBlocks()
        LiveExecutionRole(self, role_name=role.name, role_arn=str(role.arn) if role.arn else None)
        adopted = role.trust.ownership != "external"
        if adopted:
            AdoptedExecutionRole(self, owned_trust=_owned_trust(settings), blocks=blocks)
        else:
            _leave_to_its_owner(blocks, told=not role.released)
        if role.trust.ownership != "authoritative" and not role.released:
            blocks.tell(*trust_ownership.denied())
        if not role.released:
            GlueSessionGrant(
                self,
                partition=settings.partition,
                permissions=role.permissions,
                adopted=adopted,
                blocks=blocks,
            )
        blocks.add_to(self)


def _owned_trust(settings: RoleStack) -> OwnedTrust:
    role, quota = settings.role, settings.environment.trust_policy_quota
    if role.released:
        return trust_ownership.released(quota=quota)
    if role.trust.ownership == "additive":
        return trust_ownership.additive(quota=quota)
    kept = settings.kept_trust
    return trust_ownership.authoritative(trust_policy_keeping(kept) if kept else trust_policy())


def _leave_to_its_owner(blocks: TerraformBlocks, *, told: bool) -> None:
    # a role adopted before is forgotten; without this block the plan would destroy it
    blocks.forget(ROLE_ADDRESS)
    if told:
        blocks.tell(*trust_ownership.external())
