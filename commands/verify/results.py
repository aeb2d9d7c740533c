"""What a verification found, as values, for people and for programs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

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
"""Up to so many roles, each gets its table of calls; of more, those that are not ready."""

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
        stack: what was checked.
        state: `ready`, or why not; `undecided` where the documents leave a needed call open.
        problems: a line each, what is wrong.
        calls: what becomes of the kernel's calls.
        judged_by: what said so: `iam:SimulatePrincipalPolicy`, or `documents`.
        session: how the started session went, None if none was started.
    """

    stack: RoleStack
    state: State
    problems: Sequence[str] = ()
    calls: Sequence[CallResult] = ()
    judged_by: str | None = None
    role_arn: str | None = None
    session: SessionResult | None = None


def exit_status(results: Sequence[Result]) -> int:
    """Give 0 if all roles are ready (or released, as declared), 2 if one could not be checked, else 1."""
    states = {result.state for result in results}
    if "not checked" in states:
        return 2
    if any(result.session and result.session.left_over for result in results):
        return 1
    return 0 if states <= {"ready", "released"} else 1


def to_json(results: Sequence[Result], *, notes: Sequence[str], faults: Sequence[str], calls: Calls) -> dict[str, Any]:
    """Give the form that `--json` documents (docs/verify.md)."""
    return {
        "roles": [_as_json(result) for result in results],
        "notes": list(notes),
        "faults": list(faults),
        "api_calls": calls.by_operation,
    }


def _as_json(result: Result) -> dict[str, Any]:
    session = result.session
    return {
        "stack": result.stack.name,
        "environment": result.stack.environment_name,
        "role": result.stack.role.name,
        "arn": result.role_arn,
        "state": result.state,
        "problems": list(result.problems),
        "judged_by": result.judged_by,
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
        else {"ran": session.ran, "said": session.said, "left_over": session.left_over},
    }


def print_results(results: Sequence[Result], console: Console, *, notes: Sequence[str]) -> None:
    """Print a line for each role with its problems, and tables of calls."""
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
    return f"a statement ran and answered {session.said}" if session.ran else f"no statement ran: {session.said}"


def _call_table(result: Result) -> Table:
    table = Table("Call", "Verdict", "Why", "When the kernel makes it", caption=f"judged by {result.judged_by}")
    table.caption_justify = "left"
    for call, decision in result.calls:
        verdict = decision.verdict.value
        optional = "" if call.needed or decision.verdict is Verdict.ALLOWED else " (not needed)"
        style = _STYLES[verdict] if not optional else "dim"
        table.add_row(call.action, Text(verdict + optional, style=style), Text(decision.reason), Text(call.when))
    return table
