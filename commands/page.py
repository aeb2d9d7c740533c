"""How `verify` and `discover` print: a summary, what is not well, then what to type next, as `drift` does too."""

import os
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import assert_never

from rich.console import Console
from rich.text import Text

from iam.documents.grants import InlinePolicyGrant, ManagedPolicyGrant, PolicyGrant

PROGRAM = "./glue-sessions"
"""What the advice puts before the name of a command."""

_WIDEST = 100
_WITHOUT_A_TERMINAL = 160
_NAMES_SHOWN = 3


@dataclass(frozen=True)
class Group:
    """What some roles have in common.

    Attributes:
        state: their state.
        style: color of the state.
        names: their names.
        lines: a line for each problem.
    """

    state: str
    style: str
    names: Sequence[str]
    lines: Sequence[str]


@dataclass(frozen=True)
class Advice:
    """What to do next.

    Attributes:
        text: what the commands achieve, or what to do where no command does it.
        commands: what to type.
    """

    text: str
    commands: Sequence[str] = ()


def command(*words: str) -> str:
    """Return a command line of this project, as a shell reads it."""
    return " ".join([PROGRAM, *(shlex.quote(word) for word in words)])


def console() -> Console:
    """Return a console on standard output; without a terminal it is wide, so that tables keep their shape."""
    made = Console(highlight=False)
    if not made.is_terminal and "COLUMNS" not in os.environ:
        made.width = _WITHOUT_A_TERMINAL
    return made


def show(
    to: Console,
    summary: Sequence[str],
    groups: Iterable[Group],
    advice: Sequence[Advice],
    *,
    notes: Sequence[str] = (),
) -> None:
    """Print a page.

    Args:
        to: the console.
        summary: the first lines.
        groups: what is not well.
        advice: what to do about it.
        notes: what else was found; each names its remedy.
    """
    for line in summary:
        _put(to, _wrapped(to, line, "", ""))
    for group in groups:
        first, *more = _wrapped(to, f"{group.state}: {shortened(group.names)}", "", "  ")
        first.stylize(group.style, 0, len(group.state))
        _put(to, [Text(), first, *more])
        for line in group.lines:
            _put(to, _wrapped(to, line, "  - ", "    "))
    for note in notes:
        _put(to, [Text(), *_wrapped(to, note, "", "  ")])
    show_advice(to, advice)


def show_advice(to: Console, advice: Sequence[Advice]) -> None:
    """Print what to do next, nothing if there is no advice."""
    if advice:
        _put(to, [Text(), Text("next:", style="bold")])
    for each in advice:
        _put(to, _wrapped(to, each.text, "  - ", "    "))
        # not wrapped, so that it can be copied
        _put(to, (Text(f"      {line}", style="bold") for line in each.commands))


def _wrapped(to: Console, text: str, first: str, indent: str) -> Iterator[Text]:
    width = min(to.width, _WIDEST)
    # names and ARNs are not broken
    return map(
        Text,
        wrap(
            text, width, initial_indent=first, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        ),
    )


def _put(to: Console, lines: Iterable[Text]) -> None:
    for line in lines:
        to.print(line, soft_wrap=True)


def policy_in_words(grant: PolicyGrant) -> str:
    """Return the name of a policy that this project grants, with its kind."""
    match grant:
        case ManagedPolicyGrant():
            return f"the managed policy {grant.policy_name}"
        case InlinePolicyGrant():
            return f"the inline policy {grant.policy_name}"
        case _:
            assert_never(grant)


def shortened(names: Sequence[str]) -> str:
    """Return the first names of a list, and the number of the others."""
    more = len(names) - _NAMES_SHOWN
    return ", ".join(names[:_NAMES_SHOWN]) + (f", and {more:,} more" if more > 0 else "")
