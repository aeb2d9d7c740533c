"""The SageMaker execution role: an existing role, read, and adopted as far as its trust policy goes."""

from cdktf import Postcondition, Precondition, TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.data_aws_iam_role import DataAwsIamRole
from cdktf_cdktf_provider_aws.iam_role import IamRole
from constructs import Construct

from modules.terraform_blocks import Assertion, TerraformBlocks
from modules.trust_ownership import OwnedTrust

ROLE_ADDRESS = "aws_iam_role.execution_role"

# everything else names the role by what was read: a role that is not there is then one error, and nothing is planned
LIVE_ROLE_NAME = "${data.aws_iam_role.live.name}"

# what an adopted role keeps whatever becomes of it: without these in ignore_changes, Terraform would replace the role
# (path) or take its description, session length, boundary and tags away
_LEFT_TO_OTHERS = ["path", "description", "max_session_duration", "permissions_boundary", "tags", "tags_all"]

# AWS lets nobody change these: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html
_PROTECTED_PATHS = ["/aws-service-role/", "/aws-reserved/"]


class LiveExecutionRole(DataAwsIamRole):
    """Reads the role: it must exist, be the configured one, and be one that can be changed.

    At top level and under its literal name: a role deleted outside then fails the plan instead of being created anew.

    Args:
        scope: the stack itself; the address is `data.aws_iam_role.live`.
        role_name: the role's name, without its path.
        role_arn: the role's ARN where the configuration gives it.
    """

    def __init__(self, scope: Construct, *, role_name: str, role_arn: str | None) -> None:
        protected = ", ".join(f'"{path}"' for path in _PROTECTED_PATHS)
        postconditions = [
            Assertion(
                f"!anytrue([for path in [{protected}] : startswith(self.path, path)])",
                "The role ${self.arn} belongs to AWS, and nobody can change it. Configure the execution role of the"
                " SageMaker domain.",
            )
        ]
        if role_arn:
            postconditions.append(
                Assertion(
                    f'self.arn == "{role_arn}"',
                    f"The configuration names {role_arn}, and the role of that name in this account is ${{self.arn}}."
                    " Correct the ARN, or use credentials of the right account.",
                )
            )
        super().__init__(
            scope,
            "live",
            name=role_name,
            lifecycle=TerraformResourceLifecycle(
                postcondition=[Postcondition(**each.as_json()) for each in postconditions]
            ),
        )


class AdoptedExecutionRole(IamRole):
    """Takes over the role's trust policy, and nothing else of the role.

    Args:
        scope: the stack itself; the address is `aws_iam_role.execution_role`.
        owned_trust: the trust policy to write.
        blocks: gathers the stack's further Terraform blocks.
    """

    def __init__(self, scope: Construct, *, owned_trust: OwnedTrust, blocks: TerraformBlocks) -> None:
        super().__init__(
            scope,
            "execution_role",
            name=LIVE_ROLE_NAME,
            assume_role_policy=owned_trust.document,
            lifecycle=TerraformResourceLifecycle(
                prevent_destroy=True,
                ignore_changes=_LEFT_TO_OTHERS,
                precondition=[Precondition(**each.as_json()) for each in owned_trust.preconditions] or None,
            ),
        )
        blocks.import_existing(ROLE_ADDRESS, LIVE_ROLE_NAME)
        blocks.tell(owned_trust.locals, owned_trust.checks)
