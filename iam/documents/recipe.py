"""The policy documents of the recipe.

Source of the recipe: "Getting started with AWS Glue interactive sessions" in the SageMaker developer guide
(https://docs.aws.amazon.com/sagemaker/latest/dg/getting-started-glue-sm.html).
"""

from typing import Literal, assert_never, get_args

from iam.policy_document import Document, statements

Permissions = Literal["recipe", "least-privilege", "isolated"]
PERMISSION_LEVELS: tuple[Permissions, ...] = get_args(Permissions)

GLUE = "glue.amazonaws.com"
SAGEMAKER = "sagemaker.amazonaws.com"
ASSUME_ROLE = "sts:AssumeRole"

GLUE_STATEMENT_SID = "GlueInteractiveSessions"
"""Marks the statement of this project in a trust policy that others write to as well."""


def describe(permissions: Permissions) -> str:
    """Return what a permission level grants, for the description of its setting."""
    match permissions:
        case "recipe":
            return "the managed policy and the inline policy exactly as in the recipe"
        case "least-privilege":
            return "the same, with the inline policy narrowed to what Glue sessions need"
        case "isolated":
            return "least-privilege, and passing any other role to Glue is denied, whatever other policies allow"
        case never:
            assert_never(never)


def trust_policy() -> Document:
    """Return the recipe's trust policy: Glue and SageMaker, nobody else."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": [GLUE, SAGEMAKER]}, "Action": ASSUME_ROLE},
        ],
    }


def glue_statement() -> Document:
    """Return Glue's trust statement, for a role whose other statements are kept.

    It is a separate statement because conditions of the others, such as `aws:SourceArn` for SageMaker, would exclude
    Glue.
    """
    return {
        "Sid": GLUE_STATEMENT_SID,
        "Effect": "Allow",
        "Principal": {"Service": GLUE},
        "Action": ASSUME_ROLE,
    }


def trust_policy_keeping(kept: Document) -> Document:
    """Return a kept trust policy word for word, followed by Glue's own statement.

    Args:
        kept: a trust policy; its `Statement` may be a list or a single statement.
    """
    return {**kept, "Statement": [*statements(kept), glue_statement()]}


def inline_policy(permissions: Permissions, *, partition: str, account_id: str, role_arn: str) -> Document:
    """Return the inline policy that complements the managed policy.

    Args:
        permissions: `recipe`: the recipe's statement, word for word. `least-privilege`: what the kernel needs beyond
            the managed policy, only on the role itself and the sessions of its account. `isolated`: the same, and a
            Deny of passing any other role to Glue.
        partition: partition of the role.
        account_id: account of the role, 12 digits or a Terraform reference.
        role_arn: full ARN of the role, path included, or a Terraform reference.
    """
    granted: list[Document]
    match permissions:
        case "recipe":
            actions = ["iam:GetRole", "iam:PassRole", "sts:GetCallerIdentity"]
            granted = [{"Effect": "Allow", "Action": actions, "Resource": "*"}]
        case "least-privilege":
            granted = _least_privilege(partition, account_id, role_arn)
        case "isolated":
            granted = [*_least_privilege(partition, account_id, role_arn), _pass_no_other_role_to_glue(role_arn)]
        case never:
            assert_never(never)
    return {"Version": "2012-10-17", "Statement": granted}


def _least_privilege(partition: str, account_id: str, role_arn: str) -> list[Document]:
    return [
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


def _pass_no_other_role_to_glue(role_arn: str) -> Document:
    """Return the Deny that keeps notebooks from starting Glue sessions, jobs or crawlers as another role.

    `StringEquals` does not hold where the key is missing, which is the case for a few services, but not for Glue: so
    roles can still be passed to every other service. `IfExists` would deny those too.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#ck_PassedToService
    """
    return {
        "Sid": "PassNoOtherRoleToGlue",
        "Effect": "Deny",
        "Action": "iam:PassRole",
        "NotResource": role_arn,
        "Condition": {"StringEquals": {"iam:PassedToService": GLUE}},
    }
