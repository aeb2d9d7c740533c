"""The SageMaker execution role: an existing role, read and perhaps adopted."""

from collections.abc import Sequence

from cdktf import Postcondition, Precondition, TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.data_aws_iam_role import DataAwsIamRole
from cdktf_cdktf_provider_aws.iam_role import IamRole
from constructs import Construct

from iam.documents.grants import GLUE_TRUST, LIVE_ROLE_ADDRESS
from modules import hcl
from modules.terraform_blocks import Assertion, TerraformBlocks

_ROLE_BEFORE_WRITING_ADDRESS = "data.aws_iam_role.before_writing"
ROLE_ADDRESS = GLUE_TRUST.address

# everything else names the role by what was read: a missing role is then one error, and nothing is planned
LIVE_ROLE_NAME = hcl.reference(f"{LIVE_ROLE_ADDRESS}.name")
LIVE_ROLE_ARN = hcl.reference(f"{LIVE_ROLE_ADDRESS}.arn")
# without the quotation marks: a path may hold such a mark, and backslashes
LIVE_ROLE_ARN_IN_JSON = hcl.reference(f'trim(jsonencode({LIVE_ROLE_ADDRESS}.arn), "\\"")')
LIVE_ACCOUNT_ID = hcl.reference(f'split(":", {LIVE_ROLE_ADDRESS}.arn)[4]')

# what an adopted role keeps: without these in ignore_changes, Terraform would replace the role (path) or remove its
# description, session length, boundary and tags
_IGNORED_CHANGES = ["path", "description", "max_session_duration", "permissions_boundary", "tags", "tags_all"]

# AWS lets nobody change these: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html
_PROTECTED_PATHS = ["/aws-service-role/", "/aws-reserved/"]


def _unchanged_since_the_plan(trust_statements: str) -> Assertion:
    """Return that the trust policy is the one in the plan; what Terraform is to write is as good."""
    live = f"{LIVE_ROLE_ADDRESS}.assume_role_policy"
    found = "role.assume_role_policy"
    return Assertion(
        f"alltrue([for role in {_ROLE_BEFORE_WRITING_ADDRESS} : {found} == {live}"
        f" || jsonencode(flatten([jsondecode({found}).Statement])) == jsonencode({trust_statements})])",
        f"The trust policy of {LIVE_ROLE_ARN} has changed since the plan was made, and this apply would overwrite the"
        " change. Plan again.",
    )


class LiveRole(Construct):
    """The role as it is in AWS: it must exist, be the configured one, and be one that can be changed.

    Read under its literal name: a role deleted outside then fails the plan, and Terraform does not offer to create it.

    Args:
        scope: the stack, or a construct in it.
        id_: id of the construct.
        role_name: the role's name, without its path.
        role_arn: the role's ARN where the configuration has it.

    Attributes:
        role: the data source, `data.aws_iam_role.live`.
    """

    def __init__(self, scope: Construct, id_: str, *, role_name: str, role_arn: str | None) -> None:
        logical_id = TerraformBlocks.of(scope).claim(LIVE_ROLE_ADDRESS)
        super().__init__(scope, id_)
        protected = ", ".join(map(hcl.quoted, _PROTECTED_PATHS))
        postconditions = [
            Assertion(
                f"!anytrue([for path in [{protected}] : startswith(self.path, path)])",
                "The role ${self.arn} belongs to AWS, and nobody can change it. Configure the execution role of the"
                " SageMaker domain.",
            )
        ]
        if role_arn is None:
            postconditions.append(
                Assertion(
                    f'reverse(split("/", self.arn))[0] == {hcl.quoted(role_name)}',
                    f"The configuration names {role_name}, and in IAM the role is ${{self.arn}}. Write its name as IAM"
                    " does, in upper and lower case.",
                )
            )
        else:
            postconditions.append(
                Assertion(
                    f"self.arn == {hcl.quoted(role_arn)}",
                    f"The configuration names {hcl.literal(role_arn)}, and the role of that name in this account is"
                    " ${self.arn}. Correct the ARN, or use credentials of the right account.",
                )
            )
        self.role = DataAwsIamRole(
            self,
            "Role",
            name=role_name,
            lifecycle=TerraformResourceLifecycle(
                postcondition=[Postcondition(**each.as_json()) for each in postconditions]
            ),
        )
        self.role.override_logical_id(logical_id)


class AdoptedRole(Construct):
    """The role under Terraform: its trust policy, and nothing else of it.

    Args:
        scope: the stack, or a construct in it.
        id_: id of the construct.
        trust_policy: the trust policy as a value of Terraform JSON.
        trust_statements: its statements, as a Terraform expression.
        trust_changes: whether the trust policy is to change, as a Terraform expression.
        preconditions: what must hold for AWS to accept the trust policy.

    Attributes:
        role: the resource, `aws_iam_role.execution_role`.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        trust_policy: str,
        trust_statements: str,
        trust_changes: str,
        preconditions: Sequence[Assertion] = (),
    ) -> None:
        blocks = TerraformBlocks.of(scope)
        logical_id = blocks.claim(ROLE_ADDRESS)
        super().__init__(scope, id_)
        self._read_before_writing(trust_changes)
        self.role = IamRole(
            self,
            "Role",
            name=LIVE_ROLE_NAME,
            assume_role_policy=trust_policy,
            lifecycle=TerraformResourceLifecycle(
                prevent_destroy=True,
                ignore_changes=_IGNORED_CHANGES,
                precondition=[
                    Precondition(**each.as_json())
                    for each in [*preconditions, _unchanged_since_the_plan(trust_statements)]
                ],
            ),
        )
        self.role.override_logical_id(logical_id)
        blocks.import_existing(ROLE_ADDRESS, LIVE_ROLE_NAME)

    def _read_before_writing(self, trust_changes: str) -> None:
        """Read the role again while Terraform applies, if the plan changes the trust policy.

        Terraform reads a data source when it applies if an argument is unknown when it plans, as `timestamp()` is. See
        docs/decisions/0010-before-the-write.md.
        """
        logical_id = TerraformBlocks.of(self).claim(_ROLE_BEFORE_WRITING_ADDRESS)
        role = DataAwsIamRole(
            self, "BeforeWriting", name=hcl.reference(f'timestamp() == "" ? "" : {LIVE_ROLE_ADDRESS}.name')
        )
        role.add_override("count", hcl.reference(f"{trust_changes} ? 1 : 0"))
        role.override_logical_id(logical_id)
