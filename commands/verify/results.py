"""The results of a verification: values, tables, JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from aws.account import Calls
from commands.verify.calls import CallResult
from commands.verify.session import SessionResult
from configuration import RoleStack
from iam.engine.decision import Verdict

State = Literal["ready", "not ready", "undecided", "released", "not supported", "not checked"]

_FULL_TABLES = 5
"""With more roles than this, only those that are not ready get a table of calls."""

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
        problems: one line each.
        calls: the kernel's calls.
        evaluated_by: `iam:SimulatePrincipalPolicy` or `documents`, None if no calls were evaluated.
        role_arn: the role's ARN, None if it was not read.
        session: the outcome of the started session, None if none was started.
    """

    stack: RoleStack
    state: State
    problems: Sequence[str] = ()
    calls: Sequence[CallResult] = ()
    evaluated_by: str | None = None
    role_arn: str | None = None
    session: SessionResult | None = None


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
        "problems": list(result.problems),
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
            for call, decision in result.calls
        ],
        "session": None
        if session is None
        else {"ran": session.ran, "output": session.output, "remaining": session.remaining},
    }


def print_results(results: Sequence[Result], console: Console, *, notes: Sequence[str]) -> None:
    """Print one line per role with its problems, and tables of calls."""
    for result in results:
        line = Text.assemble((result.state, _STYLES[result.state]), "  ", (result.stack.name, "bold"))
        if result.role_arn:
            line.append(f"  {result.role_arn}")
        console.print(line)
        for problem in result.problems:
            console.print(Text(f"  {problem}"))
        if result.calls and (len(results) <= _FULL_TABLES or result.state in ("not ready", "undecided")):
            console.print(_call_table(result))
        if result.session:
            console.print(Text(f"  session: {_of_session(result.session)}"))
    for note in notes:
        console.print(Text(note))


def _of_session(session: SessionResult) -> str:
    return f"a statement ran and printed {session.output}" if session.ran else f"no statement ran: {session.output}"


def _call_table(result: Result) -> Table:
    table = Table(
        "Call", "Verdict", "Reason", "When the kernel makes it", caption=f"evaluated by {result.evaluated_by}"
    )
    table.caption_justify = "left"
    for call, decision in result.calls:
        verdict = decision.verdict.value
        optional = "" if call.needed or decision.verdict is Verdict.ALLOWED else " (not needed)"
        style = _STYLES[verdict] if not optional else "dim"
        table.add_row(call.action, Text(verdict + optional, style=style), Text(decision.reason), Text(call.when))
    return table
