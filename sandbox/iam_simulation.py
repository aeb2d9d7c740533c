"""iam:SimulatePrincipalPolicy, which moto lacks, by the evaluator that authorizes requests.

Source: AWS IAM API reference, SimulatePrincipalPolicy.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import moto.iam.urls
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.iam.responses import IamResponse

from sandbox import roles
from sandbox.iam_evaluator import Decision, Evaluator, EvaluatorError, Question
from sandbox.permissions import KEY_POLICY

DECISIONS = {"Allowed": "allowed", "ImplicitlyDenied": "implicitDeny", "ExplicitlyDenied": "explicitDeny"}
VARIABLE = re.compile(r"\$\{([^},]+)")


class InvalidInput(ServiceException):
    """The simulation's request is invalid."""

    code = "InvalidInput"


class NoSuchEntity(ServiceException):
    """The role does not exist."""

    code = "NoSuchEntity"


class IamCalls(IamResponse):
    """moto's IAM with policy simulation."""

    evaluator: Evaluator

    def simulate_principal_policy(self) -> ActionResult:
        """SimulatePrincipalPolicy, for roles."""
        role = roles.find_role(self._get_param("PolicySourceArn"))
        if role is None:
            raise NoSuchEntity(f"Entity {self._get_param('PolicySourceArn')} not found.")
        documents = [json.loads(text) for text in self._get_param("PolicyInputList") or []]
        policies = [*roles.identity_policies(role), *documents]
        boundaries = self._get_param("PermissionsBoundaryPolicyInputList")
        boundary = json.loads(boundaries[0]) if boundaries else roles.permissions_boundary(role)
        context = {entry["ContextKeyName"]: _values(entry) for entry in self._get_param("ContextEntries") or []}
        given = {name.lower() for name in context}
        missing = sorted({key for key in _keys_used([*policies, boundary]) if key.lower() not in given})
        results = []
        for action in self._get_param("ActionNames"):
            for resource in self._get_param("ResourceArns") or ["*"]:
                # like IAM's, the simulation leaves out the policies of resources, without which no key could be used
                of_key = KEY_POLICY if action.startswith("kms:") else None
                question = Question(role.arn, action, resource, roles.ACCOUNT, context, policies, boundary, of_key)
                try:
                    decision = self.evaluator.decide(question)
                except EvaluatorError as error:
                    raise InvalidInput(str(error)) from None
                results.append(_result(question, decision, missing))
        return ActionResult({"EvaluationResults": results, "IsTruncated": False})


def install(evaluator: Evaluator) -> None:
    """Replace moto's IAM operations; call it before the first request."""
    IamCalls.evaluator = evaluator
    moto.iam.urls.url_paths["{0}/$"] = IamCalls.dispatch


def _values(entry: dict[str, Any]) -> str | list[str]:
    values = [str(value) for value in entry.get("ContextKeyValues", [])]
    return values if entry.get("ContextKeyType", "").endswith("List") else values[0] if values else ""


def _result(question: Question, decision: Decision, missing: list[str]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "EvalActionName": question.action,
        "EvalResourceName": question.resource,
        "EvalDecision": DECISIONS[decision.result],
        "MatchedStatements": [],
        "MissingContextValues": missing,
    }
    if question.permissions_boundary is not None:
        result["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": decision.boundary == "Allowed"}
    return result


def _keys_used(value: Any) -> Iterator[str]:
    """Yield the condition keys in policy documents, in conditions and as variables."""
    if isinstance(value, str):
        yield from VARIABLE.findall(value)
    elif isinstance(value, list):
        for item in value:
            yield from _keys_used(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            if name == "Condition":
                for keys in item.values():
                    yield from keys
            yield from _keys_used(item)
