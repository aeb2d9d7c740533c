"""Words that several rooms print: foreign values in one-line messages, and numbers with their nouns."""

from __future__ import annotations

import json
import re


def shown(value: object) -> str:
    """Return a JSON value on one line, cut if long; in ASCII, so that look-alikes and control characters show."""
    text = json.dumps(value)
    if len(text) <= 160:
        return text
    quote = '"' if isinstance(value, str) else ""
    return f"{text[:150]}...{quote} ({len(text)} characters)"


def shown_key(key: str) -> str:
    """Return a key unchanged if it is readable in a path, quoted otherwise."""
    return key if re.fullmatch(r"[\w<][\w.:/<-]{0,63}", key, re.ASCII) else shown(key)


def counted(number: int, thing: str) -> str:
    """Return a number with its noun: `1 role`, `2 policies`, `20 user profiles by default`."""
    noun, *rest = thing.split(" by ")
    if number != 1:
        noun = re.sub("(?<![aeiou])y$", "ie", noun) + "s"
    return " by ".join([f"{number:,} {noun}", *rest])
