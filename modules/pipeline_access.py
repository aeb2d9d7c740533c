"""How the pipeline reaches AWS: GitHub's OIDC provider, and a role."""

import json

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.iam_openid_connect_provider import IamOpenidConnectProvider
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from constructs import Construct

from iam.documents.pipeline_access import OIDC_AUDIENCE, OIDC_PROVIDER, PipelineRole
from iam.policy_document import Document
from modules import hcl
from modules.terraform_blocks import TerraformBlocks

OIDC_PROVIDER_ADDRESS = "aws_iam_openid_connect_provider.github"

# tags are the account owner's
_IGNORED_CHANGES = ["tags", "tags_all"]


class GitHubOidcProvider(Construct):
    """Lets the account accept tokens of GitHub Actions; an account has one provider for all repositories.

    Args:
        scope: the stack, or a construct in it.
        id_: id of the construct.

    Attributes:
        provider: the resource, `aws_iam_openid_connect_provider.github`.
    """

    def __init__(self, scope: Construct, id_: str) -> None:
        logical_id = TerraformBlocks.of(scope).claim(OIDC_PROVIDER_ADDRESS)
        super().__init__(scope, id_)
        self.provider = IamOpenidConnectProvider(
            self,
            "Provider",
            url=f"https://{OIDC_PROVIDER}",
            client_id_list=[OIDC_AUDIENCE],
            # roles of other projects may trust it by now
            lifecycle=TerraformResourceLifecycle(prevent_destroy=True, ignore_changes=_IGNORED_CHANGES),
        )
        self.provider.override_logical_id(logical_id)


class PipelineAccess(Construct):
    """A role that jobs of the pipeline assume, with its inline policy; its ARN is an output.

    Args:
        scope: the stack, or a construct in it.
        id_: id of the construct.
        job: the kind of job that assumes the role.
        role_name: the role's name in IAM.
        trust_policy: who may assume the role.
        permissions: what the role may do.
        account_id: how the documents name the account, as a value of Terraform JSON.
        provider: the OIDC provider if this stack creates it. The trust policy names it by the ARN it will have: a
            plan would not show that policy if it had a reference instead.

    Attributes:
        role: `aws_iam_role.<job>`.
        policy: `aws_iam_role_policy.<job>`.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        job: PipelineRole,
        role_name: str,
        trust_policy: Document,
        permissions: Document,
        account_id: str,
        provider: GitHubOidcProvider | None,
    ) -> None:
        blocks = TerraformBlocks.of(scope)
        role_address = f"aws_iam_role.{job}"
        role_id, policy_id = blocks.claim(role_address), blocks.claim(f"aws_iam_role_policy.{job}")
        super().__init__(scope, id_)
        self.role = IamRole(
            self,
            "Role",
            name=role_name,
            description=f"Glue sessions: the pipeline's {job}.",
            assume_role_policy=hcl.template(json.dumps(trust_policy), account_id),
            lifecycle=TerraformResourceLifecycle(ignore_changes=_IGNORED_CHANGES),
            depends_on=[provider.provider] if provider else None,
        )
        self.role.override_logical_id(role_id)
        self.policy = IamRolePolicy(
            self,
            "Policy",
            role=f"${{{role_address}.name}}",
            name=job,
            policy=hcl.template(json.dumps(permissions), account_id),
        )
        self.policy.override_logical_id(policy_id)
        blocks.output(f"AWS_{job.upper()}_ROLE_ARN", f"${{{role_address}.arn}}")
