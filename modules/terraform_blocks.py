"""The Terraform blocks that CDKTF has no construct for (import, removed, check and locals), and outputs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from cdktf import TerraformStack
from constructs import Construct

from modules.hcl import reference

_ATTRIBUTE = "_terraform_blocks"


@dataclass(frozen=True)
class Assertion:
    """A condition, and the message for when it does not hold.

    Attributes:
        condition: a Terraform expression, without `${ }`.
        error_message: a Terraform template: text with `${ }` where a value belongs.
    """

    condition: str
    error_message: str

    def as_json(self) -> dict[str, str]:
        """Return the assertion as Terraform JSON, the same in a check and in a precondition."""
        return {"condition": reference(self.condition), "error_message": self.error_message}


class TerraformBlocks:
    """The blocks that the constructs of a stack contribute.

        TerraformBlocks.of(scope).import_existing("aws_s3_bucket.state", bucket)

    The stack writes them when its constructs are complete: a later override would replace the list of an earlier one,
    and each call into CDKTF takes about a millisecond. `import` blocks are among them because CDKTF's own `import_from`
    runs the terraform binary during synthesis.
    """

    def __init__(self, stack: TerraformStack) -> None:
        self._stack = stack
        self._addresses: set[str] = set()
        self._lists: dict[str, list[dict[str, Any]]] = {}
        self._named: dict[str, dict[str, Any]] = {}
        self._is_written = False

    @classmethod
    def of(cls, scope: Construct) -> Self:
        """Return the blocks of the stack that a construct belongs to.

        Args:
            scope: the stack, or a construct in it.
        """
        stack = scope if isinstance(scope, TerraformStack) else TerraformStack.of(scope)
        blocks: Self = vars(stack).setdefault(_ATTRIBUTE, cls(stack))
        return blocks

    def claim(self, address: str) -> str:
        """Reserve the address of a resource, and return the logical id to pin it with.

        CDKTF would silently merge a second resource at the same address into the first.

        Args:
            address: the resource's address, such as `aws_iam_role.execution_role`.

        Raises:
            ValueError: the stack has this address already.
        """
        if address in self._addresses:
            raise ValueError(f"use one construct of a kind in each stack, got a second {address}")
        self._addresses.add(address)
        return address.rpartition(".")[2]

    def import_existing(self, to: str, id_: str, *, for_each: str | None = None) -> None:
        """Import an existing object instead of creating it.

        Args:
            to: the resource's address.
            id_: the provider's import id; may refer to `each.value`.
            for_each: a Terraform expression of a set, without `${ }`; nothing is imported where it is empty.
        """
        block = {"to": to, "id": id_}
        self._append("import", {"for_each": reference(for_each), **block} if for_each else block)

    def forget(self, address: str) -> None:
        """Remove a resource from the state, if it is there, without destroying it.

        Raises:
            ValueError: the stack has this address already.
        """
        self.claim(address)
        self._append("removed", {"from": address, "lifecycle": {"destroy": False}})

    def define(self, values: Mapping[str, Any]) -> None:
        """Define values that expressions refer to as `local.<name>`; several constructs may define the same.

        Raises:
            ValueError: the stack has a different value under this name.
        """
        for name, value in values.items():
            self._set("locals", name, value)

    def check(self, name: str, assertion: Assertion) -> None:
        """Warn in a plan if the assertion does not hold; never fail it."""
        self._set("check", name, {"assert": [assertion.as_json()]})

    def output(self, name: str, value: str) -> None:
        """Show a value after an apply, and in `terraform output`."""
        self._set("output", name, {"value": value})

    def write(self) -> None:
        """Write the blocks into the stack's Terraform JSON; call it last in the stack's constructor."""
        self._is_written = True
        for kind, blocks in {**self._lists, **self._named}.items():
            self._stack.add_override(kind, blocks)

    def _append(self, kind: str, block: dict[str, Any]) -> None:
        self._refuse_late(kind)
        self._lists.setdefault(kind, []).append(block)

    def _set(self, kind: str, name: str, value: Any) -> None:
        self._refuse_late(kind)
        present = self._named.setdefault(kind, {}).setdefault(name, value)
        if present != value:
            raise ValueError(f"choose another name, {kind}.{name} is {present} already, got {value}")

    def _refuse_late(self, kind: str) -> None:
        if self._is_written:
            raise ValueError(f"create constructs before the stack writes its blocks, got a later {kind} block")
