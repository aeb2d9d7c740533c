"""Known paths from a role's permissions to more permissions than it is granted.

Sources: Rhino Security Labs, "AWS IAM Privilege Escalation Methods"; pathfinding.cloud; Prowler's check of
privilege escalation.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from iam.engine import wildcards
from iam.engine.conditions import Condition
from iam.engine.statements import ANYTHING, Effect, Element, Policy, Statement
from plans import datasets

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
"""The calls that run code as a passed role, by the service that runs it."""

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
"""Calls that by themselves grant their caller other permissions, or those of another principal."""


_CALLS = {
    call.lower()
    for ways in (*RUN_AS_A_PASSED_ROLE.values(), REWRITE_PERMISSIONS, (PASS_ROLE,))
    for way in ways
    for call in way.split(" + ")
}


_CALLS_OF = {
    service: [call for call in _CALLS if call.startswith(f"{service}:")]
    for service in {call.partition(":")[0] for call in _CALLS}
}


class Path(NamedTuple):
    """A path to running code as any role that trusts a service."""

    service: str
    calls: str


@lru_cache(maxsize=65_536)
def matches(element: Element, name: str) -> bool:
    """Return whether an element matches the action or resource `name`."""
    return any(wildcards.covers(pattern, name) for pattern in element.patterns) != element.excluded


def _is_open(service: str) -> bool:
    return "*" in service or "?" in service


@lru_cache(maxsize=16_384)
def _about(policy: Policy, effect: Effect) -> dict[str, list[Statement]]:
    """Return the statements of one effect, by the call of a path that they match."""
    by_call: dict[str, list[Statement]] = {}
    for statement in policy.effect(effect):
        service = statement.action.patterns[0].partition(":")[0]
        for call in (
            _CALLS if statement.action.excluded else _CALLS_OF.get(service, _CALLS if _is_open(service) else ())
        ):
            if matches(statement.action, call) and _is_usable(call, statement.resource):
                by_call.setdefault(call, []).append(statement)
    return by_call


@lru_cache(maxsize=4_096)
def _is_usable(call: str, resource: Element) -> bool:
    """Return whether a call supports a resource that an element matches; a call that the data set lacks does."""
    action = (datasets.service(call.partition(":")[0]) or {}).get(call)
    return action is None or resource.excluded or any(map(action.supports, resource.patterns))


def allowing(policies: Sequence[Policy], call: str) -> list[Statement]:
    """Return the statements that allow a call on something, unless it is denied outright."""
    call = call.lower()
    denied = [
        statement.resource
        for policy in policies
        for statement in _about(policy, "Deny").get(call, ())
        if not statement.condition
    ]
    return [
        statement
        for policy in policies
        for statement in _about(policy, "Allow").get(call, ())
        if statement.resource not in denied and ANYTHING not in denied
    ]


def passes_any_role(statement: Statement) -> bool:
    """Return whether a statement that allows iam:PassRole does so for roles of any name."""
    if statement.resource.excluded:
        return True
    for pattern in statement.resource.patterns:
        parts = [part if part and "*" not in part and "?" not in part else None for part in pattern.split(":", 5)]
        partition, account = (parts[1], parts[4]) if len(parts) == 6 else (None, None)
        if wildcards.covers(pattern, f"arn:{partition or 'aws'}:iam::{account or '000000000000'}:role/\uffff"):
            return True
    return False


def limits_service(condition: Condition) -> bool:
    """Return whether a condition names the services a role may be passed to."""
    return any(test.key == _PASSED_TO and test.positive and "*" not in test.values for test in condition)


def paths(policies: Sequence[Policy]) -> Iterator[Path]:
    """Yield the paths to running code as any role that trusts some service."""
    passing = [statement for statement in allowing(policies, PASS_ROLE) if passes_any_role(statement)]
    for service, ways in RUN_AS_A_PASSED_ROLE.items():
        if any(_passable(statement.condition, service) for statement in passing):
            for calls in ways:
                if all(allowing(policies, call) for call in calls.split(" + ")):
                    yield Path(service, calls)


def _passable(condition: Condition, service: str) -> bool:
    wanted = [test for test in condition if test.key == _PASSED_TO and test.positive]
    return all(any(wildcards.covers(value, service) for value in test.values) for test in wanted)


@lru_cache(maxsize=16_384)
def allows_everything(policy: Policy) -> bool:
    """Return whether a policy allows every action on everything."""
    return any(map(is_everything, policy.effect("Allow")))


def is_everything(statement: Statement) -> bool:
    """Return whether a statement is about every action on everything, whatever the request."""
    return statement.action == ANYTHING == statement.resource and not statement.condition


def rewriting(policies: Sequence[Policy]) -> list[str]:
    """Return the allowed calls that change permissions by themselves."""
    return [call for call in REWRITE_PERMISSIONS if allowing(policies, call)]
