"""The results of a verification: values, the page, JSON."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from aws.account import Calls
from commands import page
from commands.role_warnings import Warning, as_json, in_words
from commands.verify import words
from commands.verify.calls import CallResult
from commands.verify.problems import Problem, Remedy, remedy
from commands.verify.session import SessionResult
from configuration import RoleStack
from iam.engine.decision import Verdict

State = Literal["ready", "not ready", "undecided", "released", "not supported", "not checked"]

_STYLES = {
    "ready": "green",
    "released": "green",
    "allowed": "green",
    "undecided": "yellow",
    "not ready": "red",
    "not supported": "red",
    "not checked": "red",
    "denied": "red",
}


@dataclass
class Result:
    """One role's result.

    Attributes:
        stack: the checked stack.
        state: `ready`, or why not; `undecided` if the documents do not decide a needed call.
        problems: what keeps it from being ready.
        calls: the kernel's calls.
        warnings: what does not keep it from being ready.
        evaluated_by: `iam:SimulatePrincipalPolicy` or `documents`, None if no calls were evaluated.
        role_arn: the role's ARN, None if it was not read.
        session: the outcome of the started session, None if none was started.
    """

    stack: RoleStack
    state: State
    problems: Sequence[Problem] = ()
    calls: Sequence[CallResult] = ()
    evaluated_by: str | None = None
    role_arn: str | None = None
    session: SessionResult | None = None
    warnings: Sequence[Warning] = ()

    @property
    def lines(self) -> list[str]:
        """The problems and warnings in words, and what a session printed."""
        lines = [words.problem_in_words(problem) for problem in self.problems]
        lines += [in_words(warning) for warning in self.warnings]
        if self.session and self.session.ran:
            lines.append(f"a statement ran in its session and printed {self.session.output}")
        return lines

    @property
    def remedies(self) -> list[Remedy]:
        """What removes the problems, each once."""
        return list(dict.fromkeys(remedy(problem) for problem in self.problems))


def exit_status(results: Sequence[Result]) -> int:
    """Return 0 if all roles are ready (or released, as configured), 2 if one could not be checked, else 1."""
    states = {result.state for result in results}
    if "not checked" in states:
        return 2
    if any(result.session and result.session.remaining for result in results):
        return 1
    return 0 if states <= {"ready", "released"} else 1


def to_json(
    results: Sequence[Result], *, notes: Sequence[str], errors: Sequence[str], calls: Calls
) -> dict[str, object]:
    """Return the results as JSON (docs/verify.md)."""
    return {
        "roles": [_as_json(result) for result in results],
        "notes": list(notes),
        "errors": list(errors),
        "api_calls": calls.by_operation,
    }


def _as_json(result: Result) -> dict[str, object]:
    session = result.session
    return {
        "stack": result.stack.name,
        "environment": result.stack.environment_name,
        "role": result.stack.role.name,
        "arn": result.role_arn,
        "state": result.state,
        "problems": [words.problem_in_words(problem) for problem in result.problems],
        "warnings": [as_json(warning) for warning in result.warnings],
        "remedies": [_remedy_as_json(each, result.stack) for each in result.remedies],
        "evaluated_by": result.evaluated_by,
        "calls": [
            {
                "action": call.action,
                "resource": call.resource,
                "when": call.when,
                "needed": call.needed,
                "verdict": decision.verdict.value,
                "reason": decision.reason,
            }
            for call, decision, *_ in result.calls
        ],
        "session": None
        if session is None
        else {"ran": session.ran, "output": session.output, "remaining": session.remaining},
    }


def _remedy_as_json(remedy: Remedy, stack: RoleStack) -> dict[str, object]:
    advice = words.advice(remedy, [stack])
    return {"remedy": remedy.value, "text": advice.text.rstrip(":"), "commands": list(advice.commands)}


def print_results(results: Sequence[Result], console: Console, *, notes: Sequence[str], everything: bool) -> None:
    """Print a summary, what is not well, and what to do about it.

    Args:
        results: the results.
        console: where to print.
        notes: a line each.
        everything: whether to print the table of calls of each role too.
    """
    summary = words.summary(
        [result.state for result in results],
        [result.evaluated_by for result in results if result.evaluated_by],
    )
    page.show(console, summary, _groups(results), _advice(results), notes=notes)
    if everything:
        for result in results:
            console.print()
            console.print(_headline(result), soft_wrap=True)
            if result.calls:
                console.print(_call_table(result))
    elif any(result.calls for result in results):
        console.print()
        chosen = [result.stack.name for result in results] if len(results) == 1 else []
        console.print(Text(f"each call, and why: {page.command('verify', '--all', *chosen)}", style="dim"))


def _groups(results: Sequence[Result]) -> Iterator[page.Group]:
    """Yield roles with the same state and the same lines together."""
    groups: dict[tuple[State, tuple[str, ...]], list[str]] = {}
    for result in results:
        if result.lines:
            groups.setdefault((result.state, tuple(result.lines)), []).append(result.stack.name)
    for (state, lines), names in groups.items():
        yield page.Group(state, _STYLES[state], names, lines)


def _advice(results: Sequence[Result]) -> list[page.Advice]:
    """Return the advice for each remedy, with all the roles that it is for."""
    stacks: dict[Remedy, list[RoleStack]] = {}
    for result in results:
        for each in result.remedies:
            stacks.setdefault(each, []).append(result.stack)
    return [words.advice(each, stacks[each]) for each in Remedy if each in stacks]


def _headline(result: Result) -> Text:
    line = Text.assemble((result.state, _STYLES[result.state]), "  ", (result.stack.name, "bold"))
    return line.append(f"  {result.role_arn}") if result.role_arn else line


def _call_table(result: Result) -> Table:
    table = Table()
    for heading in ("Call", "Verdict", "Reason", "When the kernel makes it"):
        table.add_column(heading, overflow="fold")
    for call, decision, *_ in result.calls:
        verdict = decision.verdict.value
        optional = "" if call.needed or decision.verdict is Verdict.ALLOWED else " (not needed)"
        style = _STYLES[verdict] if not optional else "dim"
        table.add_row(call.action, Text(verdict + optional, style=style), Text(decision.reason), Text(call.when))
    return table
