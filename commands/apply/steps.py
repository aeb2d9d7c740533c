"""What `apply` does after it has read its arguments: it plans, shows the plans, asks, and applies.

Where a role keeps grants that its state does not have, one apply cannot remove them: Terraform deletes what is in the
state, and what it imports has to be configured. Two applies do: the first imports the grants as they are, and the
second deletes them. See docs/decisions/0013-grants-that-stay.md.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console

from applying.apply import apply_plans, report
from aws.errors import AWS_ERRORS, in_words
from commands import command_line, plan_page, planning
from commands.apply.current_grants import current_grants
from commands.page import command
from configuration import Configuration
from iam.documents.grants import PolicyGrant
from iam.wording import counted
from plans.assembly import described
from plans.values import Value
from review.own.grants import own_deletions
from review.own.staying import staying_grants
from review.plan_files import read
from terraform_cli import interruption
from terraform_cli.planning import Planned
from terraform_cli.stacks import PLAN, Stack

_STEPS = {1: "import what stays", 2: "delete what stays"}

_Staying = Mapping[str, Sequence[PolicyGrant]]
"""The grants that stay, by the name of their stack."""


_SLOW = "aws_s3_bucket_lifecycle_configuration"
"""The resource, of the state bucket, after whose change Terraform's AWS provider waits most of a minute."""


@dataclass(frozen=True)
class _StackPlan:
    """A saved plan; its page is None where nobody needs it."""

    stack: Stack
    result: Planned
    page: plan_page.Page | None


class Steps:
    """The applies of one command.

    Args:
        configuration: the configuration of the stacks.
        parallelism: number of stacks in parallel, None for the number of processors.
    """

    def __init__(self, configuration: Configuration, parallelism: int | None) -> None:
        self._configuration = configuration
        self._parallelism = parallelism
        self._console = Console(highlight=False)

    def run(self, patterns: Sequence[str]) -> int:
        """Plan the stacks that match the patterns, and apply what is approved; return the exit status.

        Raises:
            SystemExit: a plan could not be made or shown; the reason has been printed.
            KeyboardInterrupt: at the question; has its message.
        """
        plans = self._plans(patterns)
        found = {each.stack.name: _staying(each.stack, each.page) for each in plans if each.page}
        staying = {name: grants for name, grants in found.items() if grants}
        if staying:
            to_import = {name: [grant.address for grant in grants] for name, grants in staying.items()}
            first = {each.stack.name: each for each in self._plans([*staying], to_import=to_import)}
            plans = [first.get(each.stack.name, each) for each in plans]
        if staying:
            self._announce(1)
        changing = self._show(plans)
        if not changing:
            return 0
        if staying:
            _explain(staying)
        if not _approved(changing, "in two steps" if staying else "", otherwise="nothing was applied"):
            return 1
        status = self._apply(changing)
        if not staying:
            return status
        if status or interruption.happened():
            print(f"the second step was not begun; to finish: {command('apply', *staying)}", file=sys.stderr)
            return status
        return self._second([*staying], changing)

    def _second(self, names: Sequence[str], approved: Sequence[_StackPlan]) -> int:
        """Plan the configuration as it is, and apply it; ask again if it does more than the first approval covers."""
        plans = self._plans(names)
        self._announce(2)
        changing = self._show(plans)
        imported = {key: document for each in approved for key, document in _documents(each, importing=True).items()}
        warnings = {warning for each in approved for warning in each.result.warnings}
        covered = all(_only_deletes(each, imported) and warnings.issuperset(each.result.warnings) for each in changing)
        otherwise = f"the second step was not applied; to finish: {command('apply', *names)}"
        if not covered and not _approved(changing, "as the second step", otherwise=otherwise):
            return 1
        return self._apply(changing) if changing else 0

    def _plans(
        self, patterns: Sequence[str], *, to_import: Mapping[str, Sequence[str]] | None = None
    ) -> list[_StackPlan]:
        try:
            outcomes, self._terraform = planning.plan(
                patterns, self._configuration, parallelism=self._parallelism, to_import=to_import
            )
        except planning.CANNOT_PLAN as error:
            print(error, file=sys.stderr)
            raise SystemExit(command_line.EXIT_CANNOT_RUN) from None
        if outcomes.failed:
            outcomes.report_failed()
            raise SystemExit(command_line.EXIT_CANNOT_RUN)
        alone = len(outcomes.done) == 1
        return [_StackPlan(stack, result, self._page(stack, result, alone)) for stack, result in outcomes.done]

    def _page(self, stack: Stack, result: Planned, alone: bool) -> plan_page.Page | None:
        """Return the page of a plan if it is shown, or if the role may keep grants although the plan has no changes."""
        released = stack.settings is not None and stack.settings.role.released
        if not (result.has_changes or alone or released):
            return None
        try:
            if not result.has_changes:
                return plan_page.Page("", read(str(stack.folder / PLAN)))
            return plan_page.read_page(stack, self._terraform, self._console)
        except plan_page.NOT_SHOWN as error:
            raise _not_shown(stack, error) from None

    def _show(self, plans: Sequence[_StackPlan]) -> list[_StackPlan]:
        """Print the plans, and return those that have changes."""
        for each in plans:
            if not each.result.has_changes:
                print(f"{each.stack.name}: nothing to apply, the plan has no changes")
                continue
            assert each.page
            if len(plans) > 1:
                self._console.rule(each.stack.name, align="left", characters="=")
            try:
                plan_page.show_page(each.page, self._console, warnings=each.result.warnings)
            except plan_page.NOT_SHOWN as error:
                raise _not_shown(each.stack, error) from None
        return [each for each in plans if each.result.has_changes]

    def _announce(self, step: int) -> None:
        self._console.rule(f"step {step} of 2: {_STEPS[step]}", align="left", characters="=")

    def _apply(self, plans: Sequence[_StackPlan]) -> int:
        stacks = [each.stack for each in plans]
        for each in plans:
            assert each.page
            if any(change.type == _SLOW and change.changes for change in each.page.plan.changes):
                print(
                    f"{each.stack.name}: about a minute: Terraform's AWS provider waits for the new lifecycle rule",
                    flush=True,
                )
        return report(apply_plans(stacks, self._terraform, despite_failed_checks=True, parallelism=self._parallelism))


def _staying(stack: Stack, page: plan_page.Page) -> Sequence[PolicyGrant]:
    """Return the grants that a plan leaves on a role; AWS is asked where the plan does not contain its policies."""
    found = staying_grants(page.plan)
    if not found.undecided:
        return found.certain
    assert stack.settings
    try:
        held = current_grants(stack.settings)
    except AWS_ERRORS as error:
        raise _not_shown(stack, f"whether its role keeps grants cannot be read: {in_words(error)}") from None
    planned = {change.address for change in page.plan.changes}
    return [grant for grant in held if grant.address not in planned]


_Documents = Mapping[tuple[str, str], Value]
"""The documents that policies have before a plan, by stack and address; None for an attachment."""


def _documents(plan: _StackPlan, *, importing: bool) -> _Documents:
    """Return the documents of what a plan changes, or only of what it imports."""
    assert plan.page
    changes = [each for each in plan.page.plan.changes if (each.importing if importing else each.changes)]
    return {(plan.stack.name, each.address): each.get("before", "policy") for each in changes}


def _only_deletes(plan: _StackPlan, imported: _Documents) -> bool:
    """Return whether a plan deletes grants that were imported, as they were then, and takes nothing of others'."""
    assert plan.page
    changes = [change for change in plan.page.plan.changes if change.changes]
    own = frozenset().union(*map(own_deletions, described(plan.page.plan, changes)))
    deletes = all(
        change.actions == ("delete",) and (change.address in own or change.type != "aws_iam_role_policy")
        for change in changes
    )
    return deletes and _documents(plan, importing=False).items() <= imported.items()


def _not_shown(stack: Stack, error: Exception | str) -> SystemExit:
    print(f"{stack.name}: {error}", file=sys.stderr)
    return SystemExit(command_line.EXIT_CANNOT_RUN)


def _explain(staying: _Staying) -> None:
    them = "it" if sum(map(len, staying.values())) == 1 else "them"
    print()
    for name, grants in staying.items():
        names = ", ".join(grant.policy_name for grant in grants)
        print(f"{name} keeps {counted(len(grants), 'grant')} that its state does not have: {names}")
    print(
        f"Two applies remove {them}:\n"
        f"  1. the plan above: it imports {them} into the state as {'it is' if them == 'it' else 'they are'}\n"
        f"  2. the plan of glue-sessions.yaml as it is, which then deletes {them}\n"
        f"If another stack grants {them} now, answer no, and delete the role's entry in glue-sessions.yaml."
    )


def _approved(plans: Sequence[_StackPlan], how: str, *, otherwise: str) -> bool:
    """Ask whether to apply plans; print what any other answer than "yes" means.

    Raises:
        KeyboardInterrupt: with the same in its message.
    """
    what = plans[0].stack.name if len(plans) == 1 else f"{len(plans)} stacks"
    parts = [f"Apply to {what}", *[how] * bool(how)]
    if warnings := sum(len(each.result.warnings) for each in plans):
        parts.append(f"although the plan warns ({warnings}, see above)")
    print(f'\n{", ".join(parts)}? Only "yes" applies it: ', end="", flush=True)
    try:
        approved = sys.stdin.readline().strip() == "yes"
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"\ninterrupted, {otherwise}") from None
    if not approved:
        print(otherwise)
    return approved
