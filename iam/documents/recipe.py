"""What the recipe grants, as policy documents.

Source of the recipe: "Getting started with AWS Glue interactive sessions" in the SageMaker developer guide
(https://docs.aws.amazon.com/sagemaker/latest/dg/getting-started-glue-sm.html).
"""

from typing import Literal, assert_never, get_args

from iam.policy_document import Document

Permissions = Literal["recipe", "least-privilege"]
PERMISSION_LEVELS: tuple[Permissions, ...] = get_args(Permissions)

GLUE = "glue.amazonaws.com"
SAGEMAKER = "sagemaker.amazonaws.com"
ASSUME_ROLE = "sts:AssumeRole"

INLINE_POLICY_NAME = "glue-sagemaker-interactive-sessions-setup"
MANAGED_POLICY_NAME = "AwsGlueSessionUserRestrictedServiceRole"

GLUE_STATEMENT_SID = "GlueInteractiveSessions"
"""Marks the trust statement that is ours in a document that others write to as well."""


def managed_policy_arn(partition: str) -> str:
    """ARN of the AWS managed policy that lets a notebook user run sessions of their own.

    Args:
        partition: an AWS partition, such as `aws` or `aws-cn`.
    """
    return f"arn:{partition}:iam::aws:policy/service-role/{MANAGED_POLICY_NAME}"


def trust_policy() -> Document:
    """The recipe's trust policy: Glue and SageMaker, nobody else."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": [GLUE, SAGEMAKER]}, "Action": ASSUME_ROLE},
        ],
    }


def glue_statement() -> Document:
    """Glue's own trust statement, for a role whose other statements are kept.

    A statement of its own, since conditions that other statements carry (`aws:SourceArn` of SageMaker, for one)
    would refuse Glue.
    """
    return {
        "Sid": GLUE_STATEMENT_SID,
        "Effect": "Allow",
        "Principal": {"Service": GLUE},
        "Action": ASSUME_ROLE,
    }


def trust_policy_keeping(kept: Document) -> Document:
    """The kept trust policy word for word, with Glue's own statement after it.

    Args:
        kept: a trust policy; its `Statement` may be a list or a single statement.
    """
    statements = kept["Statement"]
    kept_statements = statements if isinstance(statements, list) else [statements]
    return {**kept, "Statement": [*kept_statements, glue_statement()]}


def inline_policy(permissions: Permissions, *, partition: str, account_id: str, role_arn: str) -> Document:
    """The inline policy that goes with the managed one.

    Args:
        permissions: `recipe`: the recipe's statement, word for word. `least-privilege`: what the kernel needs beyond
            the managed policy, on the role's own sessions and on the role itself alone.
        partition: partition of the role.
        account_id: account of the role, 12 digits or a Terraform reference.
        role_arn: full ARN of the role, path included, or a Terraform reference.
    """
    statements: list[Document]
    match permissions:
        case "recipe":
            actions = ["iam:GetRole", "iam:PassRole", "sts:GetCallerIdentity"]
            statements = [{"Effect": "Allow", "Action": actions, "Resource": "*"}]
        case "least-privilege":
            statements = [
                {"Sid": "ReadOwnRole", "Effect": "Allow", "Action": "iam:GetRole", "Resource": role_arn},
                {
                    "Sid": "PassOwnRoleToGlue",
                    "Effect": "Allow",
                    "Action": "iam:PassRole",
                    "Resource": role_arn,
                    "Condition": {"StringEquals": {"iam:PassedToService": GLUE}},
                },
                # %status lists the session's tags
                {
                    "Sid": "ReadSessionTags",
                    "Effect": "Allow",
                    "Action": "glue:GetTags",
                    "Resource": f"arn:{partition}:glue:*:{account_id}:session/*",
                },
                # the managed policy names catalog/* only, and IAM also evaluates catalog calls on the root catalog
                {
                    "Sid": "ReadRootCatalog",
                    "Effect": "Allow",
                    "Action": ["glue:GetDatabase", "glue:GetDatabases"],
                    "Resource": f"arn:{partition}:glue:*:{account_id}:catalog",
                },
            ]
        case never:
            assert_never(never)
    return {"Version": "2012-10-17", "Statement": statements}
