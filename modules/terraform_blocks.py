"""The Terraform blocks that CDKTF has no construct for (import, removed, check and locals), and outputs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cdktf import TerraformStack


@dataclass(frozen=True)
class Assertion:
    """A condition with what to say when it does not hold.

    Attributes:
        condition: a Terraform expression, without `${ }`.
        error_message: a Terraform template: text with `${ }` where a value belongs.
    """

    condition: str
    error_message: str

    def as_json(self) -> dict[str, str]:
        """The assertion as Terraform JSON has it, in a check as in a precondition."""
        return {"condition": "${" + self.condition + "}", "error_message": self.error_message}


@dataclass
class TerraformBlocks:
    """What several constructs of one stack contribute, added to the stack in one go.

    In one go, since a later override replaces an earlier list, and since each call into CDKTF has its price.
    `import` blocks stand here too: CDKTF's own `import_from` runs the terraform binary during synthesis.
    """

    imports: list[dict[str, str]] = field(default_factory=list)
    removed: list[dict[str, Any]] = field(default_factory=list)
    checks: dict[str, Any] = field(default_factory=dict)
    locals: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)

    def import_existing(self, to: str, id_: str, *, for_each: str | None = None) -> None:
        """Take an existing object over instead of creating it.

        Args:
            to: the resource's address.
            id_: the provider's import id; may refer to `each.value`.
            for_each: a Terraform expression of a set, without `${ }`; empty means that there is nothing to take over.
        """
        block = {"to": to, "id": id_}
        self.imports.append({"for_each": "${" + for_each + "}", **block} if for_each else block)

    def forget(self, address: str) -> None:
        """Drop the resource from the state, should it be there, without destroying it."""
        self.removed.append({"from": address, "lifecycle": {"destroy": False}})

    def check(self, name: str, *assertions: Assertion) -> None:
        """Warn in the plan when an assertion does not hold; never fail it."""
        self.checks[name] = {"assert": [assertion.as_json() for assertion in assertions]}

    def define(self, **values: Any) -> None:
        """Name values that expressions refer to as `local.<name>`."""
        self.locals.update(values)

    def tell(self, values: Mapping[str, Any], checks: Mapping[str, Assertion]) -> None:
        """Check each of these assertions, by the name of its check, with the values that they refer to."""
        self.define(**values)
        for name, assertion in checks.items():
            self.check(name, assertion)

    def output(self, name: str, value: str) -> None:
        """Tell a value to whoever applies the stack, and to `terraform output`."""
        self.outputs[name] = {"value": value}

    def add_to(self, stack: TerraformStack) -> None:
        """Write everything gathered into the stack's Terraform JSON."""
        gathered: Mapping[str, Any] = {
            "import": self.imports,
            "removed": self.removed,
            "check": self.checks,
            "locals": self.locals,
            "output": self.outputs,
        }
        for name, blocks in gathered.items():
            if blocks:
                stack.add_override(name, blocks)
