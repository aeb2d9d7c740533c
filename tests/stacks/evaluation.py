"""Terraform evaluating what a stack makes of live trust policies: many at once, without provider or cloud."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modules.terraform_blocks import Assertion
from modules.trust_ownership import OwnedTrust
from terraform_cli import installation
from tests.availability import terraform_binary

Document = dict[str, Any]

ARN = "arn:aws:iam::111122223333:role/service-role/role"


@dataclass(frozen=True)
class Evaluated:
    """What becomes of one live trust policy.

    Attributes:
        text: the trust policy that is written.
        stopped: error messages of the preconditions that do not hold.
        told: messages of the checks that do not hold.
    """

    text: str
    stopped: list[str]
    told: list[str]

    @property
    def document(self) -> Document:
        """The trust policy that is written, parsed."""
        document: Document = json.loads(self.text)
        return document

    @property
    def statements(self) -> list[Document]:
        """Its statements as a list."""
        found = self.document["Statement"]
        return found if isinstance(found, list) else [found]


def evaluate(owned: OwnedTrust, live: Mapping[str, str], folder: Path) -> dict[str, Evaluated]:
    """Have terraform evaluate a stack's expressions on live trust policies.

    Args:
        owned: what the stack writes.
        live: texts of trust policies, by any name.
        folder: an empty one.

    Returns:
        What becomes of each, by its name.
    """
    stack = {
        "locals": owned.locals,
        "output": {
            "text": {"value": owned.document},
            "stopped": {"value": [_unless_it_holds(each) for each in owned.preconditions]},
            "told": {"value": [_unless_it_holds(each) for each in owned.checks.values()]},
        },
    }
    # the data source's place is taken by a variable, and a module stands for each role
    module = json.dumps(stack).replace("data.aws_iam_role.live", "var.live")
    roles = {name: {"arn": ARN, "assume_role_policy": _literal(text)} for name, text in live.items()}
    root = {
        "module": {"role": {"source": "./stack", "for_each": roles, "live": "${each.value}"}},
        "output": {"roles": {"value": "${module.role}"}},
    }
    (folder / "stack").mkdir()
    (folder / "stack" / "main.tf.json").write_text(module)
    (folder / "stack" / "live.tf.json").write_text('{"variable": {"live": {"type": "any"}}}')
    (folder / "main.tf.json").write_text(json.dumps(root))
    _terraform(folder, "init", "-input=false")
    _terraform(folder, "apply", "-auto-approve", "-input=false")
    evaluated = json.loads(_terraform(folder, "output", "-json"))["roles"]["value"]
    return {
        name: Evaluated(found["text"], list(filter(None, found["stopped"])), list(filter(None, found["told"])))
        for name, found in evaluated.items()
    }


def _unless_it_holds(assertion: Assertion) -> str:
    return f'${{{assertion.condition} ? "" : "{assertion.error_message}"}}'


def _literal(text: str) -> str:
    return text.replace("${", "$${").replace("%{", "%%{")


def _terraform(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [terraform_binary(), *arguments, *(["-no-color"] if arguments[0] != "output" else [])],
        cwd=folder,
        env={**os.environ, **installation.settings(folder / "settings")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
