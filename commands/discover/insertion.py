"""Adds roles to the text of ``glue-sessions.yaml``; every byte that is there already stays."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, SequenceNode

from configuration import yaml_text

_STEP = 2


class NotInsertableError(Exception):
    """The text is written in a way that a place for the roles cannot be found in; the message has what to add."""


def with_roles(
    text: str,
    environment_name: str,
    roles: Sequence[Mapping[str, Any]],
    *,
    new_environment: Mapping[str, Any],
) -> str:
    """Give the text with more roles at the end of an environment.

    Args:
        text: a configuration.
        environment_name: the environment, created at the end if there is none of that name.
        roles: what to add, like ``{"role": …, "trust": {"keep": …}}``.
        new_environment: the settings of the environment if it is created, without its roles.

    Raises:
        NotInsertableError: the roles would not end up there and there alone.
    """
    try:
        expected = _value(text)
        environments = expected["environments"]
        if environment_name in environments:
            environments[environment_name]["roles"] += roles
            changed = _inserted(text, ("environments", environment_name, "roles"), roles)
        else:
            added = {environment_name: {**new_environment, "roles": list(roles)}}
            environments.update(added)
            changed = _inserted(text, ("environments",), added)
        # what was meant, and what the text says now: an alias or an odd layout shows here
        right = _value(changed) == expected
    except (KeyError, TypeError, AttributeError, YAMLError, yaml_text.YAMLTextError):
        right = False
    if not right:
        what = "; ".join(_flow(role) for role in roles)
        raise NotInsertableError(f"add to environments.{environment_name}.roles by hand: {what}")
    return changed


def _value(text: str) -> Any:
    """Read the text as values, variables as they are written."""
    return yaml_text.read(text.replace("${", "$${"), {}).value


def _inserted(text: str, at: tuple[str, ...], added: Sequence[Any] | Mapping[str, Any]) -> str:
    yaml = YAML(typ="rt")
    node = yaml.compose(text)
    for key in at:
        node = next(value for name, value in node.value if name.value == key)
    newline = "\r\n" if "\r\n" in text else "\n"
    if node.flow_style:
        items = _flow(added)[1:-1]
        end = node.end_mark.index - 1
        between = ", " if node.value else ""
        return text[:end] + between + items + text[end:]
    lines = list(_lines(added))
    column = node.start_mark.column
    is_ended, after = _rest(text, _last(node).end_mark.index)
    # comments that are indented further are about what stands above them
    while re.match(rf" {{{column + 1},}}#", after):
        is_ended, after = _rest(text, len(text) - len(after))
    before = text[: len(text) - len(after)]
    added_text = "".join(f"{' ' * column}{line}{newline}" for line in lines)
    return before + ("" if is_ended else newline) + added_text + after


def _rest(text: str, index: int) -> tuple[bool, str]:
    """Say whether the line that `index` is in ends with a line break, and what follows it."""
    found = text.find("\n", index)
    return found >= 0, text[found + 1 :] if found >= 0 else ""


def _last(node: Node) -> Node:
    """Find what the node's text ends with; a block's own end is where the next thing begins."""
    while isinstance(node, CollectionNode) and node.value and not node.flow_style:
        node = node.value[-1][1] if isinstance(node, MappingNode) else node.value[-1]
    assert isinstance(node, Node | SequenceNode)
    return node


def _lines(value: Any) -> Iterator[str]:
    """Write values in block style, unindented."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if isinstance(item, Mapping | list):
                yield f"{_scalar(key)}:"
                yield from (f"{' ' * _STEP}{line}" for line in _lines(item))
            else:
                yield f"{_scalar(key)}: {_scalar(item)}"
        return
    for item in value:
        first, *more = _lines(item)
        yield f"- {first}"
        yield from (f"  {line}" for line in more)


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value)


# Text that is itself in YAML wherever it stands, also within brackets
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./@-]*(?::[A-Za-z0-9_./@-]+|::[A-Za-z0-9_./@-]+)*")


def _scalar(value: Any) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in ("true", "false", "null"):
        return value
    return json.dumps(value)
