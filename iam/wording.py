"""Foreign values in one-line messages."""

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
