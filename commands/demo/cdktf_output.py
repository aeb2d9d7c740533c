"""What cdktf and Terraform write, read: pure functions of text."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_ESCAPE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_PLANNED = re.compile(r"^Plan: (?:(\d+) to import, )?(\d+) to add, (\d+) to change, (\d+) to destroy\.$")
_APPLIED = re.compile(
    r"^Apply complete! Resources: (?:(\d+) imported, )?(\d+) added, (\d+) changed, (\d+) destroyed\.$"
)
_NO_CHANGES = re.compile(r"^No changes\.")

# `terraform init` begins and ends so; between them it writes the same forty lines each time
_INITIALIZING = "Initializing the backend..."
_INITIALIZED = "commands will detect it and remind you to do so if necessary."


@dataclass(frozen=True)
class Counts:
    """How many resources a plan or an apply adopts, adds, changes and destroys."""

    adopted: int = 0
    added: int = 0
    changed: int = 0
    destroyed: int = 0

    def __str__(self) -> str:
        if self == Counts():
            return "no changes"
        return f"adopt {self.adopted}, add {self.added}, change {self.changed}, destroy {self.destroyed}"


def plain(line: str) -> str:
    """Take the colours out of a line."""
    return _ESCAPE.sub("", line)


def without_stack(line: str, stack: str) -> str:
    """Take off what cdktf puts before the lines of a stack: its name, or as many blanks."""
    for prefix in (f"{stack}  ", " " * len(f"{stack}  ")):
        if line.startswith(prefix):
            return line.removeprefix(prefix)
    return "" if line == stack else line


def without_initialization(lines: Iterable[str]) -> Iterator[str]:
    """Leave out what `terraform init` writes when all is well; what it wrote when it broke off comes at the end."""
    held: list[str] = []
    for line in lines:
        text = plain(line).strip()
        if held or text == _INITIALIZING:
            held = [] if text == _INITIALIZED else [*held, line]
        else:
            yield line
    yield from held


def counts(lines: Iterable[str]) -> Counts | None:
    """Read the summary of a plan or an apply; None if there is none."""
    for line in lines:
        text = plain(line).strip()
        if match := _PLANNED.match(text) or _APPLIED.match(text):
            return Counts(*(int(number or 0) for number in match.groups()))
        if _NO_CHANGES.match(text):
            return Counts()
    return None
