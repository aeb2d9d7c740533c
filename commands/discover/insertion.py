"""Add roles to the text of `glue-sessions.yaml` without changing any existing byte."""

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
    """The text has no safe place for the roles; the message has the roles to add by hand."""


def with_roles(
    text: str,
    environment_name: str,
    roles: Sequence[Mapping[str, object]],
    *,
    new_environment: Mapping[str, object],
) -> str:
    """Return the text with more roles at the end of an environment.

    Args:
        text: a configuration.
        environment_name: the environment, created at the end of the file if missing; so is `environments`.
        roles: the entries to add, like `{"role": …, "trust": {"keep": …}}`.
        new_environment: settings for a created environment, without its roles.

    Raises:
        NotInsertableError: the text has no place where exactly these roles can be added.
    """
    try:
        expected = _value(text)
        added: dict[str, object] = {environment_name: {**new_environment, "roles": list(roles)}}
        if "environments" not in expected:
            expected["environments"] = added
            changed = _inserted(text, (), {"environments": added})
        elif environment_name in (environments := expected["environments"]):
            environments[environment_name]["roles"] += roles
            changed = _inserted(text, ("environments", environment_name, "roles"), roles)
        else:
            environments.update(added)
            changed = _inserted(text, ("environments",), added)
        # reading the new text back shows an alias or an unusual layout
        correct = _value(changed) == expected
    except (KeyError, TypeError, AttributeError, YAMLError, yaml_text.YAMLTextError):
        correct = False
    if not correct:
        what = "; ".join(_flow(role) for role in roles)
        raise NotInsertableError(f"add to environments.{environment_name}.roles by hand: {what}")
    return changed


def _value(text: str) -> Any:
    """Return the text as values, with variables unexpanded."""
    return yaml_text.read(text.replace("${", "$${"), {}).value


def _inserted(text: str, at: tuple[str, ...], added: Sequence[object] | Mapping[str, object]) -> str:
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
    # comments that are indented further belong to the entry above
    while re.match(rf" {{{column + 1},}}#", after):
        is_ended, after = _rest(text, len(text) - len(after))
    before = text[: len(text) - len(after)]
    added_text = "".join(f"{' ' * column}{line}{newline}" for line in lines)
    return before + ("" if is_ended else newline) + added_text + after


def _rest(text: str, index: int) -> tuple[bool, str]:
    """Return whether the line at `index` ends with a line break, and the text after it."""
    end = text.find("\n", index)
    return end >= 0, text[end + 1 :] if end >= 0 else ""


def _last(node: Node) -> Node:
    """Return the last scalar of a node: the end mark of a block is no help, it is where the next node begins."""
    while isinstance(node, CollectionNode) and node.value and not node.flow_style:
        node = node.value[-1][1] if isinstance(node, MappingNode) else node.value[-1]
    assert isinstance(node, Node | SequenceNode)
    return node


def _lines(value: object) -> Iterator[str]:
    """Yield the lines of values in block style, unindented."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if isinstance(item, Mapping | list):
                yield f"{_scalar(key)}:"
                yield from (f"{' ' * _STEP}{line}" for line in _lines(item))
            else:
                yield f"{_scalar(key)}: {_scalar(item)}"
        return
    assert isinstance(value, list | tuple)
    for item in value:
        first, *more = _lines(item)
        yield f"- {first}"
        yield from (f"  {line}" for line in more)


def _flow(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value)


# text that YAML reads as itself everywhere, also within brackets
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./@-]*(?::[A-Za-z0-9_./@-]+|::[A-Za-z0-9_./@-]+)*")


def _scalar(value: object) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in ("true", "false", "null"):
        return value
    return json.dumps(value)
