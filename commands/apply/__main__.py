"""The command `apply`: plan, show the plan, and apply exactly it after an approval: see docs/plan.md."""

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from commands import command_line

if TYPE_CHECKING:
    from configuration import Configuration

_DESCRIPTION = """\
Plan, show the plan and what it means in IAM terms, ask, and apply exactly that plan, as `plan` and `apply-plan` do.
Nothing is locked while it asks: it reads the role once more after your approval, and refuses if somebody has changed
the role's trust policy meanwhile. Your approval includes the checks that failed in the plan, which the question
counts.

If a released role keeps grants because its state does not have them, it takes two steps after one question: it imports
them as they are, and then deletes them."""

_EPILOG = """\
It asks on a terminal only; pipelines use `plan` and `apply-plan`. Ctrl-C at the question changes nothing and leaves no
lock. During the apply, Terraform finishes its current call, saves the state and releases the lock.

STACK may also be state-bucket or pipeline-access, the stacks beside those of roles.

Exit status: 0 applied, or nothing to apply; 1 not approved, or refused; 2 a plan could not be made or applied."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 0 for applied, 1 for refused or not approved, 2 for failed."""
    options = command_line.parse(parser(), arguments, calls_aws=True)
    # imported here to keep --help and argument errors fast
    from commands.apply.steps import Steps
    from configuration import load_or_exit

    configuration = load_or_exit()
    if not sys.stdin.isatty():
        print("there is no terminal to approve on: use one, or `plan` and then `apply-plan`", file=sys.stderr)
        return command_line.EXIT_CANNOT_RUN
    if not options.stacks and len(configuration.role_stacks) > 1:
        print(f"name STACK, there are several: {_names(configuration)}", file=sys.stderr)
        return command_line.EXIT_CANNOT_RUN
    return Steps(configuration, options.parallelism).run(options.stacks)


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    result = command_line.parser("apply", _DESCRIPTION, _EPILOG)
    command_line.add_stacks(result)
    command_line.add_parallelism(result)
    return result


def _names(configuration: "Configuration") -> str:
    return ", ".join(stack.name for stack in configuration.role_stacks)


if __name__ == "__main__":
    command_line.run(main)
