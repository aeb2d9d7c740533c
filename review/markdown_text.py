"""Text of a plan in Markdown: names are code, prose is prose, and nothing in either is markup or a mention."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from plans.values import visible


def code(text: str) -> str:
    """Return text as inline code."""
    if not text:
        return ""
    flat = visible(" ".join(text.split())).replace("|", "\\|")
    ticks = "`" * (max((len(run) for run in re.findall("`+", flat)), default=0) + 1)
    pad = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{ticks}{pad}{flat}{pad}{ticks}"


_WORD = re.compile(r"(?P<open>[(\"']*)(?P<core>.*?)(?P<close>[\"'),.;:!?]*)")
_OF_A_NAME = re.compile(
    r"[:*_/<>|@#`~\\$={}\[\]]|\w\.\w|[a-z][A-Z]|[A-Za-z]-?\d|\d-?[A-Za-z]|[A-Za-z]-\w+-[A-Za-z]|^\d{12}$|&[\w#]"
)
"""What no English word contains, but ARNs, actions, hosts, keys, values and accounts do."""

_SERVICES = ("EC2", "S3")
"""What AWS calls services in prose."""


def prose(text: str, names: Collection[str] = ()) -> str:
    """Return a sentence in which each name is code; what stands in backticks stays code.

    Args:
        text: the sentence.
        names: words that are names although they look like others, such as a role's.
    """
    parts = re.split(r"(`[^`|]+`)", visible(" ".join(text.split())))
    pieces = [part if position % 2 else _words(part, names) for position, part in enumerate(parts)]
    # two pieces of code side by side would be one run of backticks, which ends neither and lets markup through
    return re.sub("`\0`", "` `", "\0".join(filter(None, pieces))).replace("\0", "")


def _words(text: str, names: Collection[str]) -> str:
    return " ".join(_word(word, names) for word in text.split(" "))


def _word(word: str, names: Collection[str]) -> str:
    match = _WORD.fullmatch(word)
    if match and (match["core"] in names or (_OF_A_NAME.search(match["core"]) and match["core"] not in _SERVICES)):
        return f"{match['open']}{code(match['core'])}{match['close']}"
    return re.sub(r"([\\|*_~<>\[\]#`])", r"\\\1", word).replace("@", "@\u200b")


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Collection[int] = ()) -> Iterator[str]:
    """Yield a table; the columns of `numbers` are aligned to the right."""
    yield f"| {' | '.join(heads)} |"
    yield "|" + "".join("---:|" if position in numbers else "---|" for position in range(len(heads)))
    yield from (f"| {' | '.join(row)} |" for row in rows)


def folded(summary: str, lines: Iterable[str]) -> Iterator[str]:
    """Yield lines that a reader has to unfold; the summary is HTML, so code in it is not in backticks."""
    yield ""
    yield f"<details><summary>{summary}</summary>"
    yield ""
    yield from lines
    yield ""
    yield "</details>"


def listed(names: Sequence[str], at_most: int) -> str:
    """Return names as code, the first of them if they are many; the rest are counted."""
    shown = ", ".join(code(name) for name in names[:at_most])
    return f"{shown} and {len(names) - at_most:,} more" if len(names) > at_most else shown
