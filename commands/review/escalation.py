"""Ways from a role's permissions to more than the role was given.

Sources: Rhino Security Labs, "AWS IAM Privilege Escalation Methods"; pathfinding.cloud; Prowler's privilege escalation check.
"""

from collections.abc import Iterator
from typing import NamedTuple

from iam import wildcards
from iam.conditions import Condition
from iam.statements import Element, Policy, Statement

PASS_ROLE = "iam:passrole"
_PASSED_TO = "iam:passedtoservice"

RUN_AS_A_PASSED_ROLE = {
    "cloudformation.amazonaws.com": ("cloudformation:CreateStack",),
    "codebuild.amazonaws.com": ("codebuild:CreateProject + codebuild:StartBuild",),
    "datapipeline.amazonaws.com": ("datapipeline:CreatePipeline + datapipeline:PutPipelineDefinition",),
    "ec2.amazonaws.com": ("ec2:RunInstances",),
    "ecs-tasks.amazonaws.com": ("ecs:RegisterTaskDefinition + ecs:RunTask",),
    "glue.amazonaws.com": (
        "glue:CreateSession + glue:RunStatement",
        "glue:CreateJob + glue:StartJobRun",
        "glue:CreateJob + glue:CreateTrigger",
        "glue:UpdateJob + glue:StartJobRun",
        "glue:UpdateJob + glue:CreateTrigger",
        "glue:CreateDevEndpoint",
    ),
    "lambda.amazonaws.com": (
        "lambda:CreateFunction + lambda:InvokeFunction",
        "lambda:CreateFunction + lambda:CreateEventSourceMapping",
    ),
    "sagemaker.amazonaws.com": (
        "sagemaker:CreateNotebookInstance + sagemaker:CreatePresignedNotebookInstanceUrl",
        "sagemaker:CreateProcessingJob",
        "sagemaker:CreateTrainingJob",
    ),
    "states.amazonaws.com": ("states:CreateStateMachine + states:StartExecution",),
}
"""By the service that runs it, the calls that make code run as a role one may pass."""

REWRITE_PERMISSIONS = (
    "iam:AddUserToGroup",
    "iam:AttachGroupPolicy",
    "iam:AttachRolePolicy",
    "iam:AttachUserPolicy",
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:CreatePolicyVersion",
    "iam:DeleteRolePermissionsBoundary",
    "iam:PutGroupPolicy",
    "iam:PutRolePolicy",
    "iam:PutUserPolicy",
    "iam:SetDefaultPolicyVersion",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateLoginProfile",
)
"""Calls that by themselves give their caller other permissions, or another principal's."""


class Path(NamedTuple):
    """A way to run code as any role that trusts a service."""

    service: str
    calls: str


def matches(element: Element, name: str) -> bool:
    """Say whether an element is about the action or resource `name`."""
    return any(wildcards.covers(pattern, name) for pattern in element.patterns) != element.excluded


def allowing(policy: Policy, action: str) -> Iterator[Statement]:
    """Yield the statements that allow an action on something, unless denied outright."""
    action = action.lower()
    denied = [
        statement.resource
        for statement in policy.effect("Deny")
        if not statement.condition and matches(statement.action, action)
    ]
    for statement in policy.effect("Allow"):
        if matches(statement.action, action) and not any(
            statement.resource == resource or (not resource.excluded and "*" in resource.patterns)
            for resource in denied
        ):
            yield statement


def passes_any_role(statement: Statement) -> bool:
    """Say whether a statement that allows iam:PassRole does so for roles of any name."""
    if statement.resource.excluded:
        return True
    for pattern in statement.resource.patterns:
        parts = [
            part if part and "*" not in part and "?" not in part else None for part in pattern.split(":", 5)
        ]
        partition, account = (
            (parts[1] or "aws", parts[4] or "000000000000") if len(parts) == 6 else ("aws", "0")
        )
        if wildcards.covers(pattern, f"arn:{partition}:iam::{account}:role/\uffff"):
            return True
    return False


def limits_service(condition: Condition) -> bool:
    """Say whether a condition names the services a role may be passed to."""
    return any(test.key == _PASSED_TO and test.positive and "*" not in test.values for test in condition)


def paths(policy: Policy) -> Iterator[Path]:
    """Yield the ways to run code as any role that trusts some service."""
    passing = [statement for statement in allowing(policy, PASS_ROLE) if passes_any_role(statement)]
    if not passing:
        return
    for service, ways in RUN_AS_A_PASSED_ROLE.items():
        if any(_passable(statement.condition, service) for statement in passing):
            for calls in ways:
                if all(any(allowing(policy, call)) for call in calls.split(" + ")):
                    yield Path(service, calls)


def _passable(condition: Condition, service: str) -> bool:
    wanted = [test for test in condition if test.key == _PASSED_TO and test.positive]
    return all(any(wildcards.covers(value, service) for value in test.values) for test in wanted)


def rewriting(policy: Policy) -> list[str]:
    """Return the calls allowed that change permissions themselves."""
    return [call for call in REWRITE_PERMISSIONS if any(allowing(policy, call))]
