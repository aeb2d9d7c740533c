"""One execution role's grants for Glue interactive sessions: the stack `glue-sessions-<environment>-<role>`."""

from collections.abc import Collection
from typing import assert_never

from cdktf import TerraformStack
from cdktf_cdktf_provider_aws.provider import AwsProvider, AwsProviderAssumeRole
from constructs import Construct

from configuration import RoleStack, State
from iam.documents.recipe import trust_policy, trust_policy_keeping
from modules import hcl
from modules.execution_role import ROLE_ADDRESS, AdoptedRole, LiveRole
from modules.session_grants import SessionGrants
from modules.terraform_blocks import TerraformBlocks
from modules.trust_policy import AdditiveTrust, AuthoritativeTrust, ExternalTrust, ReleasedTrust
from stacks.backend import MAX_RETRIES, keep_state


class GlueSessionsStack(TerraformStack):
    """The grants of one role, in its own state: no plan of another role can touch it.

    Args:
        scope: the app.
        settings: the role with its environment, as configured.
        state: where states are kept.
        to_import: addresses of policies to import although they are not configured, see `SessionGrants`.
    """

    def __init__(self, scope: Construct, *, settings: RoleStack, state: State, to_import: Collection[str] = ()) -> None:
        super().__init__(scope, settings.name)
        environment, role = settings.environment, settings.role
        AwsProvider(
            self,
            "aws",
            region=environment.region,
            allowed_account_ids=[settings.account_id] if settings.account_id else None,
            assume_role=[AwsProviderAssumeRole(role_arn=hcl.literal(environment.deploy_role_arn))]
            if environment.deploy_role_arn
            else None,
            # IAM throttles a fleet's plans: slow down together instead of failing one by one
            retry_mode="adaptive",
            max_retries=MAX_RETRIES,
        )
        keep_state(self, state=state, key=settings.state_key, aws_provider=environment.aws_provider)

        LiveRole(self, "LiveRole", role_name=role.name, role_arn=str(role.arn) if role.arn else None)
        adopted_role = self._add_trust(settings)
        if adopted_role or to_import or not role.released:
            SessionGrants(
                self,
                "SessionGrants",
                settings=settings.grant_settings,
                partition=settings.partition,
                adopted_role=adopted_role,
                released=role.released,
                to_import=to_import,
                has_listing_data_sources=environment.aws_provider is not None,
            )
        TerraformBlocks.of(self).write()

    def _add_trust(self, settings: RoleStack) -> AdoptedRole | None:
        role, quota = settings.role, settings.environment.trust_policy_quota
        match role.trust.ownership:
            case "external":
                if role.released:
                    TerraformBlocks.of(self).forget(ROLE_ADDRESS)
                else:
                    ExternalTrust(self, "Trust")
                return None
            case "authoritative" | "additive" if role.released:
                return ReleasedTrust(self, "Trust", quota=quota)
            case "additive":
                return AdditiveTrust(self, "Trust", quota=quota)
            case "authoritative":
                kept = settings.kept_trust
                document = trust_policy_keeping(kept) if kept else trust_policy()
                return AuthoritativeTrust(self, "Trust", document=document)
            case never:
                assert_never(never)
