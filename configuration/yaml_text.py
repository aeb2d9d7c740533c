"""YAML text as plain values: ``${NAME}`` replaced from the environment, and each error with its location."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Union

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from iam.wording import shown

Location = tuple[str | int, ...]
"""Keys and list indexes that lead from the document to a value, like ``("roles", 0, "role")``."""

YAMLValue = Union["YAMLMapping", list["YAMLValue"], str, int, float, bool, None]
"""A value: a number that no setting can hold is NaN, a value that has an error is None."""
YAMLMapping = dict[str, YAMLValue]

MAX_DEPTH = 20
MAX_VALUES = 20_000  # some thousand roles; a few lines of aliases can expand to billions of values

_VARIABLE = re.compile(r"\$\$\{|\$\{(?P<name>[^}]*)(?P<end>\}?)")

# ruamel.yaml's context and problem, and the message for it: what to change.
_PROBLEMS = (
    (r"found character '\\t'", "indent with spaces, got a tab"),
    (r"found character '(?P<c>.+)' that", "put the value in quotes, no plain value begins with {c}"),
    (r"directive|incompatible YAML", "remove the line that begins with %"),
    (r"(?:alias|anchor) expected", "put the value in quotes, no plain value begins with * or &"),
    (r"undefined alias ['\"](?P<c>.+)['\"]$", "there is no &{c} before the alias *{c}; a plain * needs quotes"),
    (r"tag|'!'", 'put the value in quotes, or remove the tag: what begins with "!"'),
    (r"block scalar", "begin the text on the line after | or >"),
    (r"scanning a double-quoted scalar", "write \\\\ for a backslash in double quotes, or use single quotes"),
    (r"scanning a quoted scalar", "close the quotes"),
    (
        r"mapping values are not allowed",
        'fix the indentation or a missing ":", or put a value that has ": " in quotes',
    ),
    (r"entries are not allowed|keys are not allowed", "begin this entry on its own line"),
    (r"could not find expected ':'", 'write "key: value", there is no ":" here'),
    (r"block (?:collection|mapping)", "fix the indentation, this fits neither the list nor the keys above it"),
    (r"flow sequence", "close the list with ], or put a value that has one of [ ] {{ }} , in quotes"),
    (r"flow mapping", "close the braces with }}, or put a value that has one of [ ] {{ }} , in quotes"),
    (r"expected the node content", "supply a value here, or put it in quotes"),
    (r"single document", 'supply one document, a second one begins here: remove the "---"'),
    (r"document (?:start|end)", "remove this, or fix its indentation: the document has ended before it"),
    (r"maximum depth", f"nest at most {MAX_DEPTH} levels deep"),
)


class YAMLTextError(ValueError):
    """The text is not a YAML document, or too large; `line` and `column` count from 1 and may be unknown."""

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


@dataclass
class Document:
    """A document as plain values.

    Attributes:
        value: the root.
        errors: location and message of each value that cannot be read.
        written: the text of each scalar whose value has another form.
        positions: the position of each value in the document, in reading order.
    """

    value: YAMLValue = None
    errors: list[tuple[Location, str]] = field(default_factory=list)
    written: dict[Location, str] = field(default_factory=dict)
    positions: dict[Location, int] = field(default_factory=dict)

    def position(self, at: Location) -> int:
        """Return the position of a location, for sorting; a missing one takes its parent's."""
        while at and at not in self.positions:
            at = at[:-1]
        return self.positions.get(at, 0)


def read(text: str, environment: Mapping[str, str]) -> Document:
    """Return one YAML 1.2 document with its aliases and merge keys resolved.

    Args:
        text: the document.
        environment: the variables that ``${NAME}`` refers to.

    Raises:
        YAMLTextError: `text` cannot be read as YAML at all.
    """
    # Only the pure Python reader supports YAML 1.2, where `on` and `no` are text.
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
        raise _reworded(error) from None
    except ValueError:  # from chr(): ruamel.yaml does not check the number
        raise YAMLTextError(r"supply a character that exists for each escape, \U goes up to \U0010FFFF") from None
    reader = _Reader(environment)
    if root is not None:
        reader.document.value = reader.value(root, ())
    return reader.document


def variables(text: str) -> list[str]:
    """Return the variables in a text, each as ``${NAME}``."""
    return [match[0] for match in _VARIABLE.finditer(text) if match["name"]]


def variable_names(text: str) -> tuple[str, ...]:
    """Return the names of the variables in a text, each once."""
    return tuple(dict.fromkeys(match["name"] for match in _VARIABLE.finditer(text) if match["name"]))


def _reworded(error: MarkedYAMLError) -> YAMLTextError:
    problem = " ".join(filter(None, (error.context, error.problem))).replace("\n", " ")
    mark = error.problem_mark
    for pattern, words in _PROBLEMS:
        if match := re.search(pattern, problem):
            return YAMLTextError(words.format(**match.groupdict()), mark.line + 1, mark.column + 1)
    return YAMLTextError(f"supply YAML, this is not valid here ({problem})", mark.line + 1, mark.column + 1)


class _Reader:
    """Converts nodes to values, and records their errors."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.document = Document()
        self._environment = environment
        self._count = 0
        self._open: list[Node] = []

    def value(self, node: Node, at: Location) -> YAMLValue:
        self._count += 1
        if self._count > MAX_VALUES:
            raise YAMLTextError(f"supply at most {MAX_VALUES} values, an alias counts as every value that it refers to")
        if any(node is outer for outer in self._open):
            self._error(at, f"remove the alias *{node.anchor}, it is inside the value that it refers to")
            return None
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
            self._error(at, f"remove the tag {shown(_tag(node))}")
            return None
        finally:
            self._open.pop()

    def _mapping(self, node: MappingNode, at: Location) -> YAMLMapping:
        merges = [value for key, value in node.value if _tag(key) == "!!merge"]
        result = {key: value for merge in merges for key, value in self._merged(merge, at).items()}
        own: set[str] = set()
        for key, value in node.value:
            if _tag(key) == "!!merge":
                continue
            if not isinstance(key, ScalarNode):
                self._error(at, f"supply text as a key, got a list or a mapping in line {_line(key)}")
            elif key.value in own:
                self._error((*at, key.value), f"supply this key once, it is repeated in line {_line(key)}")
            else:
                own.add(key.value)
                result[key.value] = self.value(value, (*at, key.value))
        return result

    def _merged(self, node: Node, at: Location) -> YAMLMapping:
        """Return the mapping after ``<<:``; of several mappings, the first that has a key supplies its value."""
        if isinstance(node, SequenceNode):
            sources = [((*at, "<<", index), source) for index, source in enumerate(node.value)]
        else:
            sources = [((*at, "<<"), node)]
        result: YAMLMapping = {}
        for place, source in reversed(sources):
            if not isinstance(source, MappingNode):
                self._error(place, "supply the alias of a mapping, or a list of such aliases")
            elif isinstance(value := self.value(source, at), dict):
                result.update(value)
        return result

    def _scalar(self, node: ScalarNode, at: Location) -> YAMLValue:
        match _tag(node):
            case "!!str" | "!!timestamp" | "!!value" | "!!merge":
                return self._interpolated(node.value, at)
            case "!!null":
                return None
            case "!!bool":
                return {"true": True, "false": False}.get(node.value.lower(), str(node.value))
            case "!!int" | "!!float":
                self.document.written[at] = node.value
                return int(node.value) if re.fullmatch("[-+]?[0-9]{1,18}", node.value) else math.nan
            case tag:
                self._error(at, f"remove the tag {shown(tag)}")
                return None

    def _interpolated(self, text: str, at: Location) -> str | None:
        """Replace each ``${NAME}``; its value is text and is not read as YAML again."""
        errors: list[str] = []

        def replace(match: re.Match[str]) -> str:
            name = match["name"]
            if name is None:
                return "${"
            if not match["end"] or not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name):
                errors.append("write ${NAME} for a variable of the environment, or $${ for a plain ${")
            elif not self._environment.get(name):
                state = "empty" if name in self._environment else "not set"
                errors.append(f"set the environment variable {name}, it is {state}")
            return self._environment.get(name, "")

        value = _VARIABLE.sub(replace, text)
        if errors:
            for error in dict.fromkeys(errors):
                self._error(at, error)
            return None
        if value != text:
            self.document.written[at] = text
        return value

    def _error(self, at: Location, message: str) -> None:
        self.document.errors.append((at, message))


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def _tag(node: Node) -> str:
    """Return the tag as the text has it, like ``!!str``."""

    return str(node.tag).replace("tag:yaml.org,2002:", "!!")
