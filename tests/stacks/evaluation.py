"""Terraform evaluating what stacks derive from live trust policies: many at once, without provider or cloud."""

import base64
import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from iam.policy_document import Document, statements
from terraform_cli import installation
from tests.availability import terraform_binary
from tests.template import Template

ARN = "arn:aws:iam::111122223333:role/service-role/role"


@dataclass(frozen=True)
class Evaluated:
    """What a stack derives from one live trust policy.

    Attributes:
        text: the trust policy it writes, None if it adopts no role.
        errors: error messages of the preconditions that do not hold.
        warnings: error messages of the checks that do not hold, by name of the check.
        expressions: values of further expressions, by name.
    """

    text: str | None
    errors: list[str]
    warnings: dict[str, str]
    expressions: dict[str, Any]

    @property
    def document(self) -> Document:
        """The trust policy that the stack writes, parsed."""
        assert self.text is not None
        document: Document = json.loads(self.text)
        return document

    @property
    def statements(self) -> list[Document]:
        """Its statements as a list."""
        return statements(self.document)


@dataclass(frozen=True)
class Case:
    """A stack, and the trust policies that its role may have.

    Attributes:
        stack: the Terraform JSON of the stack.
        live: texts of trust policies, by any name; or the name of another case, for those that it writes.
        expressions: further expressions to evaluate in the stack, by name.
    """

    stack: Template
    live: Mapping[str, str] | str
    expressions: Mapping[str, str]


class Run:
    """One run of Terraform over many stacks and live trust policies: first `add`, then `evaluate`."""

    def __init__(self) -> None:
        self._cases: dict[str, Case] = {}

    def add(
        self,
        case: str,
        stack: Template,
        live: Mapping[str, str] | str,
        expressions: Mapping[str, str] | None = None,
    ) -> None:
        """Add a stack; see `Case`."""
        self._cases[case] = Case(stack, live, expressions or {})

    def evaluate(self, folder: Path) -> dict[str, dict[str, Evaluated]]:
        """Return what each case derives from each of its trust policies, by their names.

        Args:
            folder: an empty folder.
        """
        modules: dict[str, Any] = {}
        for name, case in self._cases.items():
            modules[name] = {"source": f"./{name}", **self._inputs(case)}
            (folder / name).mkdir()
            (folder / name / "main.tf.json").write_text(_module(case))
        root = {
            "module": modules,
            # once for each case: an index into a module's instances would evaluate them all each time
            "locals": {name: f"${{{{for policy, each in module.{name} : policy => each.text}}}}" for name in modules},
        }
        (folder / "main.tf.json").write_text(json.dumps(root))
        _terraform(folder, "init", "-input=false")
        values = _value(folder, f"{{{', '.join(f'{name} = module.{name}' for name in modules)}}}")
        return {
            name: {
                policy: Evaluated(
                    text=found["text"],
                    errors=[message for message in found["errors"] if message],
                    warnings={check: message for check, message in found["warnings"].items() if message},
                    expressions=found["expressions"],
                )
                for policy, found in values[name].items()
            }
            for name in self._cases
        }

    def _inputs(self, case: Case) -> dict[str, Any]:
        # a module for each role, with a variable in place of its data source
        if isinstance(case.live, str):
            names = self._names(case.live)
            written = f"${{local.{case.live}[each.key]}}"
            return {"for_each": {name: name for name in names}, "live": {"arn": ARN, "assume_role_policy": written}}
        roles = {name: {"arn": ARN, "assume_role_policy": _literal(text)} for name, text in case.live.items()}
        return {"for_each": roles, "live": "${each.value}"}

    def _names(self, case: str) -> list[str]:
        live = self._cases[case].live
        return self._names(live) if isinstance(live, str) else [*live]


def _module(case: Case) -> str:
    stack = case.stack.document
    role = stack.get("resource", {}).get("aws_iam_role", {}).get("execution_role", {})
    preconditions = role.get("lifecycle", {}).get("precondition", [])
    checks = {name: check["assert"][0] for name, check in stack.get("check", {}).items()}
    module = {
        "variable": {"live": {"type": "any"}},
        "locals": stack["locals"],
        "output": {
            "text": {"value": role.get("assume_role_policy")},
            "errors": {"value": [_message_unless_it_holds(each) for each in preconditions]},
            "warnings": {"value": {name: _message_unless_it_holds(each) for name, each in checks.items()}},
            "expressions": {"value": {name: f"${{{each}}}" for name, each in case.expressions.items()}},
        },
    }
    # the role is as the plan saw it
    text = json.dumps(module).replace("data.aws_iam_role.before_writing", "[var.live]")
    return text.replace("data.aws_iam_role.live", "var.live")


def _message_unless_it_holds(assertion: Mapping[str, str]) -> str:
    condition = assertion["condition"].removeprefix("${").removesuffix("}")
    return f'${{{condition} ? "" : "{assertion["error_message"]}"}}'


def _literal(text: str) -> str:
    return text.replace("${", "$${").replace("%{", "%%{")


def _value(folder: Path, expression: str) -> Any:
    # the console evaluates everything once, a plan and an apply twice; Base64, since it would show a string quoted
    return json.loads(base64.b64decode(_terraform(folder, "console", input=f"base64encode(jsonencode({expression}))")))


def _terraform(folder: Path, *arguments: str, input: str | None = None) -> str:
    done = subprocess.run(
        [terraform_binary(), *arguments],
        cwd=folder,
        # Go's garbage collector takes a third of the processor time otherwise
        env={**os.environ, **installation.settings(folder / "settings"), "GOGC": "400"},
        input=input,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
