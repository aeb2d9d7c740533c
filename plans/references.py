"""Which resource an attribute refers to, where its value is known only after apply.

A plan's `configuration` names what each expression refers to; a reference is followed through variables,
outputs and `for_each` to a resource of the plan. What cannot be followed (locals, functions over several
resources) is None.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from plans.plan import ResourceChange

_KEY = r"\[(?:\"(?:[^\"\\]|\\.)*\"|\d+)\]"
_MODULE = re.compile(rf"module\.([\w-]+)({_KEY})?\.?")
_RESOURCE = re.compile(rf"[\w-]+(?:{_KEY})?")
_OUTPUT = re.compile(rf"module\.([\w-]+)({_KEY})?\.([\w-]+)")
_MAX_STEPS = 20
"""How many variables and outputs a reference is followed through."""


class References:
    """Finds resources by reference; `configuration` is the plan's root module."""

    def __init__(self, configuration: Mapping[str, Any], addresses: Collection[str]) -> None:
        self._root = configuration
        self._addresses = addresses
        self._resources: dict[int, dict[str, Any]] = {}

    def target(self, change: ResourceChange, attribute: str, type_: str) -> str | None:
        """Return the address of the `type_` that an attribute of `change` refers to, None where unknown."""
        module = _MODULE.findall(change.module)
        local = change.address.removeprefix(f"{change.module}.").removesuffix(change.index)
        resource = self._resource(module, local)
        expressions = resource.get("expressions") or {}
        return self._follow(
            (expressions.get(attribute) or {}).get("references") or (),
            module,
            type_,
            change.index,
            (resource.get("for_each_expression") or {}).get("references") or (),
            _MAX_STEPS,
        )

    def _follow(
        self,
        references: Iterable[str],
        module: list[tuple[str, str]],
        type_: str,
        index: str,
        each: Iterable[str],
        steps: int,
    ) -> str | None:
        if not steps:
            return None
        prefix = "".join(f"module.{name}{key}." for name, key in module)
        for reference in references:
            head, _, rest = reference.partition(".")
            candidates: list[str | None]
            if head == type_:
                found = _RESOURCE.match(rest)
                name = f"{prefix}{type_}.{found[0] if found else rest}"
                candidates = [name, name + index]
            elif head == "var" and module:
                call = self._module(module[:-1]).get("module_calls", {}).get(module[-1][0]) or {}
                outside = (call.get("expressions") or {}).get(rest.partition(".")[0]) or {}
                key = module[-1][1] or index
                each_call = (call.get("for_each_expression") or {}).get("references") or ()
                candidates = [
                    self._follow(outside.get("references") or (), module[:-1], type_, key, each_call, steps - 1)
                ]
            elif head == "module":
                found = _OUTPUT.match(reference)
                if not found:
                    continue
                inside = [*module, (found[1], found[2] or "")]
                output = (self._module(inside).get("outputs") or {}).get(found[3]) or {}
                following = (output.get("expression") or {}).get("references") or ()
                candidates = [self._follow(following, inside, type_, index, (), steps - 1)]
            elif head == "each":
                candidates = [self._follow(each, module, type_, index, (), steps - 1)]
            else:
                continue
            for candidate in candidates:
                if candidate in self._addresses:
                    return candidate
        return None

    def _module(self, path: Iterable[tuple[str, str]]) -> Mapping[str, Any]:
        module = self._root
        for name, _ in path:
            module = ((module.get("module_calls") or {}).get(name) or {}).get("module") or {}
        return module

    def _resource(self, path: Iterable[tuple[str, str]], address: str) -> Mapping[str, Any]:
        module = self._module(path)
        if id(module) not in self._resources:
            self._resources[id(module)] = {entry["address"]: entry for entry in module.get("resources") or ()}
        return self._resources[id(module)].get(address) or {}
