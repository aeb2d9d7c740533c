"""Drift as the text of an issue."""

from collections.abc import Iterator, Sequence

from review.drift.report import STATES, Reading, verdict
from review.markdown import LIMIT, code
from review.report import counted


def markdown(readings: Sequence[Reading]) -> str:
    """Return the drift in Markdown, the gravest first, in at most LIMIT characters; what does not fit is counted."""
    in_order = sorted(readings, key=lambda reading: STATES.index(reading.state))
    text = f"### {'❌' if STATES.index(in_order[0].state) < 2 else '✅'} Drift: {verdict(readings)}\n"
    for position, reading in enumerate(in_order):
        section = "\n".join(_stack(reading)) + "\n"
        if len(text) + len(section) > LIMIT - 200:
            left = counted(len(in_order) - position, "more stack")
            return f"{text}\n_{left} folded: `drift` prints all._\n"
        text += section
    return text


def _stack(reading: Reading) -> Iterator[str]:
    yield ""
    yield f"#### {code(reading.stack)}: {reading.state}"
    for title, lines in reading.sections:
        yield ""
        yield f"{title[0].upper()}{title[1:]}:"
        yield ""
        yield from (f"- {code(line)}" for line in lines)
