"""Plan stacks, and save each plan where `review` and `apply-plan` find it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from terraform_cli.stacks import PLAN, Outcomes, Stack, for_each
from terraform_cli.terraform import Done, Terraform, condensed

_CHANGES = 2
"""Exit status of `terraform plan -detailed-exitcode` for a plan with changes."""


@dataclass(frozen=True)
class Planned:
    """A saved plan.

    Attributes:
        has_changes: whether there is anything to apply; Terraform, unlike OpenTofu, counts no resource that it forgets.
        counts: number of resources by what happens to them, as Terraform says it: `to add`.
        warnings: one line per warning, such as a check that fails.
    """

    has_changes: bool
    counts: Mapping[str, int]
    warnings: tuple[str, ...]

    @property
    def summary(self) -> str:
        """What changes, in one line."""
        counts = ", ".join(f"{number} {what}" for what, number in self.counts.items())
        return counts or ("changes of the state alone" if self.has_changes else "no changes")


def plan_stacks(stacks: Sequence[Stack], terraform: Terraform, *, parallelism: int | None = None) -> Outcomes[Planned]:
    """Plan stacks in parallel; a stack that fails does not stop the others, and loses its older plan.

    Args:
        stacks: the stacks.
        terraform: runs in their folders.
        parallelism: number of stacks in parallel, by default the number of processors.
    """

    def plan(stack: Stack) -> Planned:
        (stack.folder / PLAN).unlink(missing_ok=True)
        options = ("-json", "-input=false", "-detailed-exitcode", f"-out={PLAN}")
        return planned(terraform.run(stack.folder, "plan", *options).or_raise())

    return for_each(stacks, plan, step="stacks planned", parallelism=parallelism)


def planned(done: Done) -> Planned:
    """Return the result of `terraform plan -json -detailed-exitcode`."""
    summary = next((event["@message"] for event in done.events if event.get("type") == "change_summary"), "")
    counts = {what: int(count) for count, what in re.findall(r"(\d+) (to \w+)", summary) if count != "0"}
    warnings = [condensed(each["summary"], each.get("detail", "")) for each in done.diagnostics("warning")]
    return Planned(done.status == _CHANGES or bool(counts), counts, tuple(dict.fromkeys(warnings)))
