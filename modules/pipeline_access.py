"""What the pipeline reaches AWS with: GitHub's OIDC provider, and a role."""

import json

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.iam_openid_connect_provider import IamOpenidConnectProvider
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from constructs import Construct

from iam.documents.pipeline_access import OIDC_AUDIENCE, OIDC_PROVIDER
from iam.policy_document import Document

OIDC_PROVIDER_ADDRESS = "aws_iam_openid_connect_provider.github"

# tags are the account owner's
_LEFT_TO_OTHERS = ["tags", "tags_all"]


class GitHubOidcProvider(IamOpenidConnectProvider):
    """Lets the account take tokens of GitHub Actions; an account has one for all repositories.

    Args:
        scope: the stack itself; the address is `aws_iam_openid_connect_provider.github`.
    """

    def __init__(self, scope: Construct) -> None:
        super().__init__(
            scope,
            "github",
            url=f"https://{OIDC_PROVIDER}",
            client_id_list=[OIDC_AUDIENCE],
            # others may have come to trust it since
            lifecycle=TerraformResourceLifecycle(prevent_destroy=True, ignore_changes=_LEFT_TO_OTHERS),
        )


class PipelineRole(IamRole):
    """A role that jobs take on, with its inline policy.

    Args:
        scope: the stack itself; the addresses are `aws_iam_role.<id>` and `aws_iam_role_policy.<id>`.
        id_: what the role is for.
        name: its name in IAM.
        trust_policy: who may take it on.
        permissions: what it may do.
        provider: the OIDC provider, where it is made here; named in the trust policy by its ARN as it will be, since
            the plan would otherwise not show that policy.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        trust_policy: Document,
        permissions: Document,
        provider: GitHubOidcProvider | None,
    ) -> None:
        super().__init__(
            scope,
            id_,
            name=name,
            description=f"Glue sessions: the pipeline's {id_}.",
            assume_role_policy=json.dumps(trust_policy),
            lifecycle=TerraformResourceLifecycle(ignore_changes=_LEFT_TO_OTHERS),
            depends_on=[provider] if provider else None,
        )
        # "Default" adds nothing to an address
        IamRolePolicy(self, "Default", role=f"${{aws_iam_role.{id_}.name}}", name=id_, policy=json.dumps(permissions))
