"""The SageMaker execution role: an existing role, read, and adopted as far as its trust policy goes."""

from modules.bindings import Construct, DataAwsIamRole, IamRole, TerraformResourceLifecycle
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


class LiveExecutionRole(Construct):
    """Reads the role: it must exist, be the configured one, and be one that can be changed.

    At top level and under its literal name: a role deleted outside then fails the plan instead of being created anew.
    """

    def __init__(self, scope: Construct, id_: str, *, role_name: str, role_arn: str | None) -> None:
        super().__init__(scope, id_)
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
        live = DataAwsIamRole(self, "Default", name=role_name)
        live.override_logical_id("live")
        live.add_override("lifecycle", {"postcondition": [each.as_json() for each in postconditions]})


class AdoptedExecutionRole(Construct):
    """Takes over the role's trust policy, and nothing else of the role."""

    def __init__(self, scope: Construct, id_: str, *, owned_trust: OwnedTrust, blocks: TerraformBlocks) -> None:
        super().__init__(scope, id_)
        role = IamRole(
            self,
            "Default",
            name=LIVE_ROLE_NAME,
            assume_role_policy=owned_trust.document,
            lifecycle=TerraformResourceLifecycle(prevent_destroy=True, ignore_changes=_LEFT_TO_OTHERS),
        )
        role.override_logical_id("execution_role")
        if owned_trust.preconditions:
            role.add_override("lifecycle.precondition", [each.as_json() for each in owned_trust.preconditions])
        blocks.import_existing(ROLE_ADDRESS, LIVE_ROLE_NAME)
        blocks.define(**owned_trust.locals)
        for name, assertion in owned_trust.checks.items():
            blocks.check(name, assertion)
