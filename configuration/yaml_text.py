"""YAML text to plain values: ``${NAME}`` read from the environment, and each fault with its place."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from iam.wording import shown

Location = tuple[str | int, ...]
"""Keys and list indexes on the way from the document to a value, like ``("roles", 0, "role")``."""

MAX_DEPTH = 20
MAX_VALUES = 20_000  # some thousand roles; a few lines of aliases can stand for billions of values

_VARIABLE = re.compile(r"\$\$\{|\$\{(?P<name>[^}]*)(?P<end>\}?)")

# What ruamel.yaml finds wrong (its context and problem), in words that say what to change.
_PROBLEMS = (
    (r"found character '\\t'", "indent with spaces, got a tab"),
    (r"found character '(?P<c>.+)' that", "put the value in quotes, no plain value begins with {c}"),
    (r"directive|incompatible YAML", "remove the line that begins with %"),
    (r"(?:alias|anchor) expected", "put the value in quotes, no plain value begins with * or &"),
    (r"undefined alias ['\"](?P<c>.+)['\"]$", "no &{c} stands before the alias *{c}; a plain * needs quotes"),
    (r"tag|'!'", 'put the value in quotes, or remove the tag: what begins with "!"'),
    (r"block scalar", "begin the text on the line after | or >"),
    (r"scanning a double-quoted scalar", "write \\\\ for a backslash in double quotes, or use single quotes"),
    (r"scanning a quoted scalar", "close the quotes"),
    (
        r"mapping values are not allowed",
        'fix the indentation or a missing ":", or put a value that has ": " in quotes',
    ),
    (r"entries are not allowed|keys are not allowed", "begin this entry on a line of its own"),
    (r"could not find expected ':'", 'write "key: value", here is no ":"'),
    (r"block (?:collection|mapping)", "fix the indentation, this fits neither the list nor the keys above it"),
    (r"flow sequence", "close the list with ], or put a value that has one of [ ] {{ }} , in quotes"),
    (r"flow mapping", "close the braces with }}, or put a value that has one of [ ] {{ }} , in quotes"),
    (r"expected the node content", "supply a value here, or put it in quotes"),
    (r"single document", 'supply one document, a second one begins here: remove the "---"'),
    (r"document (?:start|end)", "remove this, or fix its indentation: the document has ended before it"),
    (r"maximum depth", f"nest at most {MAX_DEPTH} levels deep"),
)


class YAMLTextError(ValueError):
    """The text is no YAML document, or too much of one; where known, `line` and `column` count from 1."""

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


@dataclass
class Document:
    """A document as plain values: dictionaries with text keys, lists, text, whole numbers, booleans, None.

    A number that no setting can hold is NaN, a value that has a fault is None.
    """

    value: Any = None
    faults: list[tuple[Location, str]] = field(default_factory=list)
    written: dict[Location, str] = field(default_factory=dict)
    """Scalars that stand in the text in another form than their value has."""
    positions: dict[Location, int] = field(default_factory=dict)

    def position(self, at: Location) -> int:
        """Tell where in the document a location is, for sorting; what is missing stands where it is missing from."""
        while at and at not in self.positions:
            at = at[:-1]
        return self.positions.get(at, 0)


def read(text: str, environment: Mapping[str, str]) -> Document:
    """Read one YAML 1.2 document; aliases and merge keys are resolved.

    Raises:
        YAMLTextError: `text` cannot be read as YAML at all.
    """
    # The pure reader is the one that knows YAML 1.2, where `on` and `no` are text.
    yaml = YAML(typ="safe", pure=True)
    yaml.max_depth = MAX_DEPTH
    yaml.composer.warn_double_anchors = False
    try:
        root = yaml.compose(text)
    except ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise YAMLTextError(f"remove the character U+{error.character:04X}", line, column) from None
    except MarkedYAMLError as error:
        raise _in_words(error) from None
    except ValueError:  # of chr(): ruamel.yaml does not look at the number
        raise YAMLTextError(r"supply a character that exists for each escape, \U goes up to \U0010FFFF") from None
    reader = _Reader(environment)
    if root is not None:
        reader.document.value = reader.value(root, ())
    return reader.document


def variables(text: str) -> list[str]:
    """List the variables in a text, as ``${NAME}``."""
    return [match[0] for match in _VARIABLE.finditer(text) if match["name"]]


def _in_words(error: MarkedYAMLError) -> YAMLTextError:
    problem = " ".join(filter(None, (error.context, error.problem))).replace("\n", " ")
    mark = error.problem_mark
    for pattern, words in _PROBLEMS:
        if match := re.search(pattern, problem):
            return YAMLTextError(words.format(**match.groupdict()), mark.line + 1, mark.column + 1)
    return YAMLTextError(f"supply YAML, got what is none here ({problem})", mark.line + 1, mark.column + 1)


class _Reader:
    """Turns nodes into values, and remembers what is wrong with them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.document = Document()
        self._environment = environment
        self._count = 0
        self._open: list[Node] = []

    def value(self, node: Node, at: Location) -> Any:
        self._count += 1
        if self._count > MAX_VALUES:
            raise YAMLTextError(f"supply at most {MAX_VALUES} values, an alias counts as all that it names")
        if any(node is outer for outer in self._open):
            return self._fault(at, f"remove the alias *{node.anchor}, it stands inside of what it names")
        if len(at) > MAX_DEPTH:
            raise YAMLTextError(f"nest at most {MAX_DEPTH} levels deep")
        self.document.positions[at] = self._count
        self.document.written.pop(at, None)
        if isinstance(node, ScalarNode):
            return self._scalar(node, at)
        self._open.append(node)
        try:
            if isinstance(node, SequenceNode) and _tag(node) == "!!seq":
                return [self.value(item, (*at, index)) for index, item in enumerate(node.value)]
            if isinstance(node, MappingNode) and _tag(node) == "!!map":
                return self._mapping(node, at)
            return self._fault(at, f"remove the tag {shown(_tag(node))}")
        finally:
            self._open.pop()

    def _mapping(self, node: MappingNode, at: Location) -> dict[str, Any]:
        merges = [value for key, value in node.value if _tag(key) == "!!merge"]
        found = {key: value for merge in merges for key, value in self._merged(merge, at).items()}
        own: set[str] = set()
        for key, value in node.value:
            if _tag(key) == "!!merge":
                continue
            if not isinstance(key, ScalarNode):
                self._fault(at, f"supply text as a key, got a list or a mapping in line {_line(key)}")
            elif key.value in own:
                self._fault((*at, key.value), f"supply this key once, it stands again in line {_line(key)}")
            else:
                own.add(key.value)
                found[key.value] = self.value(value, (*at, key.value))
        return found

    def _merged(self, node: Node, at: Location) -> dict[str, Any]:
        """Resolve what stands after ``<<:``; of several mappings the first that has a key gives its value."""
        if isinstance(node, SequenceNode):
            sources = [((*at, "<<", index), source) for index, source in enumerate(node.value)]
        else:
            sources = [((*at, "<<"), node)]
        found: dict[str, Any] = {}
        for place, source in reversed(sources):
            if isinstance(source, MappingNode):
                found.update(self.value(source, at) or {})
            else:
                self._fault(place, "supply the alias of a mapping, or a list of such")
        return found

    def _scalar(self, node: ScalarNode, at: Location) -> Any:
        match _tag(node):
            case "!!str" | "!!timestamp" | "!!value" | "!!merge":
                return self._interpolated(node.value, at)
            case "!!null":
                return None
            case "!!bool":
                return {"true": True, "false": False}.get(node.value.lower(), node.value)
            case "!!int" | "!!float":
                self.document.written[at] = node.value
                return int(node.value) if re.fullmatch("[-+]?[0-9]{1,18}", node.value) else math.nan
            case tag:
                return self._fault(at, f"remove the tag {shown(tag)}")

    def _interpolated(self, text: str, at: Location) -> str | None:
        """Put variables in the place of ``${NAME}``; what they hold is text and is not read as YAML again."""
        faults: list[str] = []

        def replace(match: re.Match[str]) -> str:
            name = match["name"]
            if name is None:
                return "${"
            if not match["end"] or not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name):
                faults.append("write ${NAME} for a variable of the environment, or $${ for a plain ${")
            elif not self._environment.get(name):
                state = "empty" if name in self._environment else "not set"
                faults.append(f"set the environment variable {name}, it is {state}")
            return self._environment.get(name, "")

        value = _VARIABLE.sub(replace, text)
        if faults:
            for fault in dict.fromkeys(faults):
                self._fault(at, fault)
            return None
        if value != text:
            self.document.written[at] = text
        return value

    def _fault(self, at: Location, message: str) -> None:
        self.document.faults.append((at, message))


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def _tag(node: Node) -> str:
    """Give the tag as it is written, like ``!!str``."""
    return str(node.tag).replace("tag:yaml.org,2002:", "!!")
