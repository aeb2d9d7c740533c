"""Patterns of policy documents: how they are spelled, and the symbols that they consist of.

In a pattern `*` stands for any run of characters and `?` for exactly one. `${name}` is a policy variable: a string
that is the same everywhere in one request and unknown here. `${*}`, `${?}` and `${$}` are the characters themselves.
Sources: IAM User Guide, "IAM JSON policy elements: Resource" (wildcards and the segments of an ARN), "IAM JSON policy
elements: Condition operators" (ArnLike), "Policy elements: Variables and tags".
"""

import enum
import re
from functools import lru_cache
from itertools import pairwise

_TOKEN = re.compile(r"\$\{[^{}]*\}|.", re.DOTALL)
_WILDCARD_RUN = re.compile(r"[*?]{2,}")
_ESCAPES = {"*": "${*}", "?": "${?}"}
_CHARACTERS = {"${*}": "\ue000", "${?}": "\ue001", "${$}": "$"}
"""The characters themselves as symbols, where `*` and `?` are wildcards."""
_DEFAULT = re.compile(r"\s*,\s*")


class Syntax(enum.Enum):
    """How far the wildcards of a pattern reach, and whether case counts."""

    TEXT = "text"
    """Wildcards match any characters."""
    RESOURCE = "resource"
    """In the first five fields of an ARN, wildcards match no colon; a `*` at the end of a field does."""
    ARN = "arn"
    """ArnLike: in the first five fields of an ARN, wildcards match no colon."""
    CASELESS = "caseless"
    """Text compared without regard to case."""


Pattern = tuple[str, Syntax]
"""A pattern and how it is read."""

# Symbols of a pattern: a character, a letter after CASELESS, a `${variable}`, or one of these.
STAR, ONE, FIELD_STAR, FIELD_ONE = "*", "?", "*:", "?:"
STARS = (STAR, FIELD_STAR)
WILDCARDS = (STAR, ONE, FIELD_STAR, FIELD_ONE)
CASELESS = "~"
"""Before a letter: in either case."""


def tokens(pattern: str) -> list[str]:
    """Return the characters and `${…}` of `pattern` one by one."""
    return _TOKEN.findall(pattern)


def escape(text: str) -> str:
    """Return the pattern that takes `*` and `?` in `text` as themselves; variables stay variables."""
    return "".join(_ESCAPES.get(token, token) for token in tokens(text))


def unescape(pattern: str) -> str:
    """Undo `escape`."""
    return pattern.replace("${*}", "*").replace("${?}", "?")


def without_variables(text: str) -> str:
    """Return the pattern that takes `${` in `text` as plain characters, as Version 2008-10-17 does."""
    return text.replace("${", "${$}{")


@lru_cache(maxsize=65_536)
def canonical(pattern: str) -> str:
    """Return one spelling for the patterns that differ within a run of wildcards or within `${…}` alone.

    Names of variables are compared without regard to case, and blanks around the comma of a default value do not
    count.
    """
    if "${" in pattern:
        pattern = "".join(_spelled(token) if len(token) > 1 else token for token in tokens(pattern))
    if "**" not in pattern and "*?" not in pattern:
        return pattern
    escaped = "".join(token if len(token) == 1 else token.replace("*", "\0") for token in tokens(pattern))
    escaped = _WILDCARD_RUN.sub(lambda run: "?" * run[0].count("?") + "*" * ("*" in run[0]), escaped)
    return escaped.replace("\0", "*")


def _spelled(token: str) -> str:
    if token in _CHARACTERS:
        return token
    name, *default = _DEFAULT.split(token[2:-1].strip(), maxsplit=1)
    return "${" + ", ".join([name.lower(), *default]) + "}"


@lru_cache(maxsize=65_536)
def is_literal(pattern: str) -> bool:
    """Return whether `pattern` matches one string only, whatever its variables stand for."""
    return not any(symbol in WILDCARDS for symbol in symbols_of(pattern))


@lru_cache(maxsize=65_536)
def variables(pattern: str) -> frozenset[str]:
    """Return the policy variables of a pattern, as `${aws:username}`."""
    if "${" not in pattern:
        return frozenset()
    return frozenset(symbol for symbol in symbols_of(pattern) if symbol.startswith("${"))


def variable_key(variable: str) -> str:
    """Return the condition key that a `${variable}` takes its value from, in lower case."""
    return variable[2:-1].partition(",")[0].strip().lower()


def has_variable(pattern: str) -> bool:
    """Return whether `pattern` names a policy variable."""
    return bool(variables(pattern))


def completed(arn: str) -> str:
    """Return a resource with the missing fields of an incomplete ARN added, as AWS adds them.

    `arn:aws:sqs` is `arn:aws:sqs:*:*:*`. A pattern with a `*` at the end of a field needs none: that one expands
    beyond the colon. Source: IAM User Guide, "IAM identifiers", on incomplete ARNs.
    """
    names = tokens(arn)
    missing = 6 - fields(arn)
    ends_field = ("*", ":") in pairwise([*names, ":"])
    if not arn.startswith("arn:") or missing <= 0 or ends_field:
        return arn
    return arn + ":*" * missing


def fields(arn: str) -> int:
    """Return how many fields an ARN or a pattern of one has; colons in the names of variables separate none."""
    return tokens(arn).count(":") + 1


@lru_cache(maxsize=65_536)
def symbols_of(pattern: str, syntax: Syntax = Syntax.TEXT, open_variables: bool = False) -> tuple[str, ...]:
    """Return the symbols of a pattern; with `open_variables`, a variable may stand for any run of characters."""
    whole = [_CHARACTERS.get(token, token) for token in tokens(canonical(pattern))]
    if open_variables:
        whole = ["*" if symbol.startswith("${") else symbol for symbol in whole]
    match syntax:
        case Syntax.CASELESS:
            whole = [CASELESS + symbol.lower() if _has_case(symbol) else symbol for symbol in whole]
        case Syntax.ARN | Syntax.RESOURCE if syntax is Syntax.ARN or pattern.startswith("arn:"):
            crosses = syntax is Syntax.RESOURCE
            colons = 0
            for position, symbol in enumerate(whole):
                if symbol == ":":
                    colons += 1
                if colons >= 5:
                    break
                ends_field = position + 1 == len(whole) or whole[position + 1] == ":"
                if symbol in (STAR, ONE) and not (symbol == STAR and crosses and ends_field):
                    whole[position] = symbol + ":"
    return tuple(whole)


def _has_case(symbol: str) -> bool:
    return len(symbol) == len(symbol.lower()) == len(symbol.upper()) == 1 and symbol.lower() != symbol.upper()


def letters_of(symbol: str) -> tuple[str, ...]:
    """Return the characters that a symbol which is no wildcard stands for."""
    if symbol.startswith(CASELESS) and len(symbol) > 1:
        return tuple(dict.fromkeys((symbol[1:], symbol[1:].upper())))
    return (symbol,)
