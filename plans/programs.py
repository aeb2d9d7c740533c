"""What an apply runs besides changing resources: provisioners, and data sources that do more than read."""

from collections.abc import Iterator
from typing import NamedTuple

from plans.plan import Plan
from plans.values import Attributes

_RUN = {"aws_lambda_invocation": "calls a function", "external": "runs a program"}
"""Data sources and ephemeral resources that do more than read, and what an apply does with them."""


class Program(NamedTuple):
    """Something that runs during an apply, and may change access."""

    address: str
    what: str
    """What it does: the rest of a sentence that begins with "the apply"."""
    arguments: Attributes
    """What it runs with, as far as the plan contains it."""


def programs(plan: Plan) -> Iterator[Program]:
    """Yield what the apply of a plan runs, except provider actions."""
    for read in plan.reads:
        if what := _RUN.get(read.type):
            yield Program(read.address, what, read.arguments)
    for change in plan.changes:
        block = plan.configuration.block(change.module, change.address, change.index)
        if block and block.provisioners and {"create", "delete"} & {*change.actions}:
            types = ", ".join(type_ for type_, _ in block.provisioners)
            arguments = {f"provisioner {number}": text for number, (_, text) in enumerate(block.provisioners, start=1)}
            yield Program(change.address, f"runs its provisioners ({types})", arguments)
