"""Drift in words: as sentences, on the terminal, as the text of an issue, and as JSON."""

from collections.abc import Iterator, Sequence
from typing import Any, assert_never

from rich.console import Console
from rich.text import Text

from iam.documents.recipe import GLUE
from iam.engine import sentences
from iam.engine.statements import merged
from iam.wording import counted
from plans.roles import Held, boundary_text
from plans.values import visible
from review.drift.entries import (
    Adoption,
    AttributesChange,
    BoundaryChange,
    CallsLost,
    Entry,
    FailedCheckMessage,
    GrantStays,
    Move,
    OtherChange,
    PolicyGained,
    PolicyLost,
    PolicyNotCompared,
    ResourceAction,
    StatementChange,
    TrustLost,
    TrustMissing,
    TrustOfAnotherStack,
)
from review.drift.report import STATES, Reading, verdict
from review.markdown import LIMIT
from review.markdown_text import code
from review.report import done

SCHEMA_VERSION = 1
"""Raised when a reader of the JSON of an earlier version could misread it."""

AT_MOST = 12
"""Most actions, resources or principals of a statement, and statements of a policy, that a sentence lists."""

AT_MOST_CALLS = 3
"""Most lost calls that a sentence lists; the rest are counted."""

TITLES = {
    "drifted": "drifted",
    "affected": "who is affected",
    "apply": "what apply would do about it",
    "left_alone": "changed by others, and left alone by apply",
    "not_applied": "configured and not applied yet: what apply would do",
    "staying": "not configured, and still on the role: its state does not have it",
    "faults": "could not be read",
}
"""The sections of a stack in the order they are shown, by their key in the JSON."""

_STYLES = {
    "drifted": "bold red",
    "not read": "bold red",
    "with grants left": "bold red",
    "not applied": "yellow",
    "as applied": "green",
}


def sentence(entry: Entry) -> str:
    """Return an entry of an analysis as one line."""
    match entry:
        case StatementChange(policy, change, spelling):
            trust = policy.kind == "trust"
            place = "" if trust else f"{policy}: "
            return place + sentences.change(change, spelling, trust=trust, at_most=AT_MOST)
        case PolicyGained(policy, held):
            return f"gained: {policy}{_content(held)}"
        case PolicyLost(policy, held):
            return f"lost: {policy}{_content(held)}"
        case PolicyNotCompared(policy, problem):
            return f"changed: {'the trust policy' if policy.kind == 'trust' else policy} ({problem})"
        case BoundaryChange(before, after):
            return f"boundary {boundary_text(before) or 'none'} → {boundary_text(after) or 'none'}"
        case AttributesChange(names):
            return f"changed: {', '.join(names)}"
        case ResourceAction(address, actions):
            return f"{done(actions)}: {address}"
        case Adoption(address):
            return f"adopted (imported): {address}"
        case Move(address, moved_from):
            return f"moved from {moved_from}: {address}"
        case OtherChange(address):
            return f"changed without a change of access: {address}"
        case FailedCheckMessage(message):
            return message
        case TrustOfAnotherStack():
            return "nothing about the trust policy, which another stack owns"
        case GrantStays(policy, certain):
            if certain:
                return f"{policy}: no plan of a single step deletes it; `apply` imports it first, and then deletes it"
            return (
                f"whether the released role keeps {policy} is undecided: this plan does not read its policies, and"
                " `verify` does"
            )
        case TrustMissing():
            return "Glue sessions will be refused: trust missing"
        case TrustLost():
            return _trust_lost(entry)
        case CallsLost():
            return _calls_lost(entry)
        case _:
            assert_never(entry)


def _content(held: Held) -> str:
    """Return what a policy allows, unless its name says it: AWS managed policies are long and known."""
    if held.problem or held.note:
        return f" ({held.problem or held.note})"
    assert held.policy
    statements = [
        sentences.statement(each, held.policy.spelling, trust=False, at_most=AT_MOST)
        for each in merged(held.policy.statements)
    ]
    more = [f"{len(statements) - AT_MOST:,} more"] if len(statements) > AT_MOST else []
    return f" ({'; '.join([*statements[:AT_MOST], *more])})"


def _trust_lost(entry: TrustLost) -> str:
    if entry.service == GLUE:
        effect = "Glue sessions may be refused" if entry.undecided else "Glue sessions will be refused"
    else:
        can = "may not be able to" if entry.undecided else "cannot"
        effect = f"SageMaker {can} run notebooks as the role"
    cause = "trust now depends on a condition" if entry.undecided else "trust lost"
    return f"{effect}: {cause}{_unless(entry.restored)}"


def _calls_lost(entry: CallsLost) -> str:
    effect = entry.feature or "Glue sessions cannot start or run"
    if not entry.certain:
        effect = effect.replace("cannot", "may not be able to")
    more = f" and {len(entry.actions) - AT_MOST_CALLS} more" if len(entry.actions) > AT_MOST_CALLS else ""
    return f"{effect}: {', '.join(entry.actions[:AT_MOST_CALLS])}{more} lost{_unless(entry.restored)}"


def _unless(restored: bool) -> str:
    return "" if restored else ", and apply does not restore it"


def sections(reading: Reading) -> dict[str, list[str]]:
    """Return the lines of a stack by their key in the JSON; empty sections included."""
    analysis = reading.analysis
    return {
        "drifted": list(map(sentence, analysis.drifted)),
        "affected": list(map(sentence, analysis.affected)),
        "apply": list(map(sentence, analysis.apply)),
        "left_alone": list(map(sentence, analysis.left_alone)),
        "not_applied": list(map(sentence, analysis.not_applied)),
        "staying": list(map(sentence, analysis.staying)),
        "faults": list(reading.errors),
    }


def show(readings: Sequence[Reading], console: Console) -> None:
    """Print each stack with its sections, then the verdict."""
    for reading in readings:
        style = _STYLES[reading.state]
        console.print(Text.assemble((reading.state, style), "  ", (reading.stack, "bold")), soft_wrap=True)
        for name, lines in sections(reading).items():
            if lines:
                console.print(Text(f"  {TITLES[name]}"), soft_wrap=True)
            for line in lines:
                console.print(Text(visible(f"    {line}")), soft_wrap=True)
    console.print(verdict(readings), soft_wrap=True)


def markdown(readings: Sequence[Reading]) -> str:
    """Return the drift in Markdown, the most severe first, in at most LIMIT characters; the rest is counted."""
    in_order = sorted(readings, key=lambda reading: STATES.index(reading.state))
    sign = "✅" if in_order[0].state in ("not applied", "as applied") else "❌"
    text = f"### {sign} Drift: {verdict(readings)}\n"
    for position, reading in enumerate(in_order):
        section = "\n".join(_stack(reading)) + "\n"
        if len(text) + len(section) > LIMIT - 200:
            rest = counted(len(in_order) - position, "more stack")
            return f"{text}\n_{rest} folded: `drift` prints all._\n"
        text += section
    return text


def _stack(reading: Reading) -> Iterator[str]:
    yield ""
    yield f"#### {code(reading.stack)}: {reading.state}"
    for name, lines in sections(reading).items():
        if lines:
            title = TITLES[name]
            yield ""
            yield f"{title[0].upper()}{title[1:]}:"
            yield ""
            yield from (f"- {code(line)}" for line in lines)


def as_json(readings: Sequence[Reading]) -> dict[str, Any]:
    """Return the form that docs/drift.md describes."""
    return {
        "schema_version": SCHEMA_VERSION,
        "verdict": verdict(readings),
        "stacks": [
            {
                "name": reading.stack,
                "environment": reading.environment,
                "role": reading.role,
                "state": reading.state,
                **sections(reading),
            }
            for reading in readings
        ],
    }
