"""The policies that Glue interactive sessions need: those of the registry of grants."""

import json
from collections.abc import Collection
from typing import assert_never

from cdktf import Postcondition, TerraformDataSource, TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from cdktf_cdktf_provider_aws.iam_role_policy_attachment import IamRolePolicyAttachment
from constructs import Construct

from iam.documents import quotas
from iam.documents.grants import (
    Grantee,
    GrantSettings,
    InlinePolicyGrant,
    ManagedPolicyGrant,
    PolicyGrant,
    inline_policies,
    policy_grants,
)
from iam.policy_document import Document
from modules import hcl
from modules.execution_role import LIVE_ACCOUNT_ID, LIVE_ROLE_ARN_IN_JSON, LIVE_ROLE_NAME, ROLE_ADDRESS, AdoptedRole
from modules.terraform_blocks import Assertion, TerraformBlocks

_IN_ROLE = hcl.Expressions(
    "session_grants.hcl",
    role=ROLE_ADDRESS,
    own_policies=f"[{', '.join(hcl.quoted(grant.policy_name) for grant in inline_policies())}]",
)
_LISTED = hcl.Expressions("session_grants_listed.hcl")
# what documents refer to: they are JSON
_LOCALS = {"account_id": LIVE_ACCOUNT_ID, "role_arn_in_json": LIVE_ROLE_ARN_IN_JSON}
# the document of a policy that is imported as it is
_IGNORED: Document = {"Version": "2012-10-17", "Statement": []}
_ACCOUNT_ID, _ROLE_ARN = (hcl.reference(f"local.{name}") for name in _LOCALS)


class SessionGrants(Construct):
    """Lets the role start and use its own Glue interactive sessions.

    Args:
        scope: the stack, or a construct in it.
        id_: id of the construct.
        settings: the settings that decide which grants the role gets.
        partition: the role's partition.
        adopted_role: the role if the stack adopts it. The stack can then see which grants exist, and imports them, so
            that the plan shows what really changes.
        released: whether the grants are removed. Their blocks then stay, without instances, to order the removal.
        to_import: addresses of policies that the role has and that neither its settings nor its state do. They are
            imported as they are, which changes nothing in AWS: a later plan without this argument then deletes them.
        has_listing_data_sources: whether the provider has data sources that list a role's policies (6.39 or newer).
            Otherwise the adopted role's own attributes do, which are deprecated.

    Attributes:
        policies: the resources by their addresses, such as `aws_iam_role_policy.glue_sessions`.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        settings: GrantSettings,
        partition: str,
        adopted_role: AdoptedRole | None,
        released: bool = False,
        to_import: Collection[str] = (),
        has_listing_data_sources: bool = False,
    ) -> None:
        self._blocks = TerraformBlocks.of(scope)
        self._existing = _LISTED if has_listing_data_sources else _IN_ROLE
        importing = adopted_role is not None and not released
        logical_ids = {grant.address: self._blocks.claim(grant.address) for grant in policy_grants()}
        super().__init__(scope, id_)
        grantee = Grantee(partition=partition, account_id=_ACCOUNT_ID, role_arn=_ROLE_ARN)
        self.policies: dict[str, IamRolePolicyAttachment | IamRolePolicy] = {}
        for grant in policy_grants():
            if grant.address in to_import:
                self.policies[grant.address] = self._as_it_is(grant, partition)
                continue
            match grant:
                case ManagedPolicyGrant():
                    if grant.is_granted(settings):
                        self.policies[grant.address] = self._attached(grant, grant.arn(partition), importing)
                case InlinePolicyGrant():
                    if document := grant.document(settings, grantee):
                        self.policies[grant.address] = self._put(grant, _policy(document), importing)
                case _:
                    assert_never(grant)
        for address, resource in self.policies.items():
            resource.override_logical_id(logical_ids[address])
            if released and address not in to_import:
                resource.add_override("for_each", "${toset([])}")
        if importing:
            self._limit_inline_policies()
            if has_listing_data_sources:
                self._list_policies()
        if adopted_role:
            self._remove_before_updating(adopted_role, released)

    def _remove_before_updating(self, role: AdoptedRole, released: bool) -> None:
        """Order a release: the policies are deleted before the role is updated.

        After the update of a role, the provider lists its policies and reads each of them. It fails with `NoSuchEntity`
        if one is deleted in between. A state records that the grants depend on the role, so that their deletion comes
        first. For states that do not have that yet, the role depends on the released grants.
        """
        if released:
            role.role.add_override("depends_on", [*self.policies])
        else:
            for resource in self.policies.values():
                resource.add_override("depends_on", [ROLE_ADDRESS])

    def _list_policies(self) -> None:
        """Read which policies the role has; CDKTF's bindings are older than these data sources."""
        for type_ in ("aws_iam_role_policy_attachments", "aws_iam_role_policies"):
            logical_id = self._blocks.claim(f"data.{type_}.live")
            source = TerraformDataSource(self, type_, terraform_resource_type=type_)
            source.add_override("role_name", LIVE_ROLE_NAME)
            source.override_logical_id(logical_id)

    def _limit_inline_policies(self) -> None:
        """Refuse a plan after which the inline policies would exceed IAM's quota.

        Those of others count if their documents can be read, as they can in the role's own attributes alone.
        """
        *others, last = [address for address, each in self.policies.items() if isinstance(each, IamRolePolicy)]
        documents = [*(f"{address}.policy" for address in others), "self.policy"]
        size = self._existing.expression("inline_policies_size", documents=f"[{', '.join(documents)}]")
        quota = quotas.DEFAULTS.inline_policies_characters
        limit = Assertion(
            f"{size} <= {quota}",
            f"The inline policies of {LIVE_ROLE_NAME} would have ${{{size}}} characters, and IAM allows {quota}."
            " Shorten one, or turn it into a managed policy.",
        )
        self.policies[last].lifecycle = TerraformResourceLifecycle(postcondition=[Postcondition(**limit.as_json())])

    def _as_it_is(self, grant: PolicyGrant, partition: str) -> IamRolePolicyAttachment | IamRolePolicy:
        """Import a policy that the role has, without changing its document."""
        match grant:
            case ManagedPolicyGrant():
                policy_arn = grant.arn(partition)
                self._blocks.import_existing(grant.address, f"{LIVE_ROLE_NAME}/{policy_arn}")
                return self._attached(grant, policy_arn, importing=False)
            case InlinePolicyGrant():
                self._blocks.import_existing(grant.address, f"{LIVE_ROLE_NAME}:{grant.policy_name}")
                resource = self._put(grant, json.dumps(_IGNORED), importing=False)
                resource.add_override("lifecycle.ignore_changes", ["policy"])
                return resource
            case _:
                assert_never(grant)

    def _attached(self, grant: ManagedPolicyGrant, policy_arn: str, importing: bool) -> IamRolePolicyAttachment:
        if importing:
            self._blocks.import_existing(
                grant.address,
                f"{LIVE_ROLE_NAME}/${{each.value}}",
                for_each=self._existing.expression("attached_managed_policy", policy_arn=hcl.quoted(policy_arn)),
            )
        return IamRolePolicyAttachment(self, grant.address, role=LIVE_ROLE_NAME, policy_arn=policy_arn)

    def _put(self, grant: InlinePolicyGrant, policy: str, importing: bool) -> IamRolePolicy:
        self._blocks.define({name: value for name, value in _LOCALS.items() if f"local.{name}" in policy})
        if importing:
            self._blocks.import_existing(
                grant.address,
                f"{LIVE_ROLE_NAME}:${{each.value}}",
                for_each=self._existing.expression("existing_inline_policy", policy_name=hcl.quoted(grant.policy_name)),
            )
        return IamRolePolicy(self, grant.address, role=LIVE_ROLE_NAME, name=grant.policy_name, policy=policy)


def _policy(document: Document) -> str:
    return hcl.template(json.dumps(document), _ACCOUNT_ID, _ROLE_ARN)
