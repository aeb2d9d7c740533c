"""The resources that an attribute refers to, for values known only after apply.

A plan's `configuration` lists the references of each expression. A reference is followed through variables, module
outputs and `each.value` to resources of the plan. Which of several references an expression evaluates to is not in the
plan: several possible resources are therefore never narrowed down to one.

Source of the shapes: "Configuration Representation" in Terraform's "JSON Output Format".
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from plans.values import Json

_KEY = r"\[(?:\"(?:[^\"\\]|\\.)*\"|\d+)\]"
_MODULE = re.compile(rf"module\.([\w-]+)({_KEY})?\.?")
_RESOURCE = re.compile(rf"([\w-]+)({_KEY})?")
_OUTPUT = re.compile(rf"module\.([\w-]+)({_KEY})?\.([\w-]+)")

_MAX_STEPS = 20
"""Most variables and outputs that a reference is followed through."""

_NEVER_A_RESOURCE = ("each.key", "count.", "path.", "terraform.", "self.")

ModulePath: TypeAlias = Sequence[tuple[str, str]]
"""The names of nested modules, each with its key among instances."""


class Target(NamedTuple):
    """What an expression may refer to."""

    addresses: tuple[str, ...] = ()
    """The resources of the plan that it may refer to."""
    others: bool = False
    """Whether it may also refer to something that cannot be followed, such as a local value."""

    @property
    def single(self) -> str | None:
        """The only resource that it can refer to; None if there are several possibilities, or none."""
        return self.addresses[0] if len(self.addresses) == 1 and not self.others else None


@dataclass(frozen=True, slots=True)
class Block:
    """A resource or module call of the configuration: the references of its expressions."""

    references: Mapping[str, tuple[str, ...]]
    """By argument; an argument without references is a constant, one that is missing is not set."""
    for_each: tuple[str, ...] = ()
    provider: str = ""
    """The key of its provider configuration."""
    provisioners: tuple[tuple[str, str], ...] = ()
    """The types of its provisioners, such as `local-exec`, each with its expressions as JSON."""


@dataclass(slots=True)
class Module:
    """A module of the configuration."""

    resources: dict[str, Block] = field(default_factory=dict)
    calls: dict[str, tuple[Block, "Module"]] = field(default_factory=dict)
    outputs: dict[str, tuple[str, ...]] = field(default_factory=dict)


class Configuration:
    """The configuration that a plan was created from.

    Args:
        root: its root module.
    """

    def __init__(self, root: Module) -> None:
        self._root = root

    @classmethod
    def parse(cls, configuration: Mapping[str, Json]) -> "Configuration":
        """Return the configuration of a plan; parts of another shape than documented are left out."""
        return cls(_module(configuration.get("root_module")))

    def block(self, module: str, address: str, index: str) -> Block | None:
        """Return the block of a resource instance; None for a resource that is not in the configuration.

        Args:
            module: the address of its module, "" for the root.
            address: its own address.
            index: its key among instances, "" without one.
        """
        local = address.removeprefix(f"{module}.").removesuffix(index)
        return self._find(_MODULE.findall(module)).resources.get(local)

    def target(
        self, module: str, address: str, index: str, attribute: str, type_: str, addresses: Collection[str]
    ) -> Target:
        """Return what an attribute of a resource instance may refer to.

        Args:
            module: the address of the instance's module, "" for the root.
            address: its own address.
            index: its key among instances, "" without one.
            attribute: the attribute.
            type_: the resource type that is looked for; references to other types are ignored.
            addresses: the addresses of the plan's resources.
        """
        block = self.block(module, address, index)
        if block is None or attribute not in block.references:
            return Target()
        scope = _Scope(_MODULE.findall(module), index, block.for_each)
        found = [*self._follow(block.references[attribute], scope, type_, addresses, _MAX_STEPS)]
        return Target(tuple(dict.fromkeys(each for each in found if each)), None in found)

    def _follow(
        self, references: Iterable[str], scope: "_Scope", type_: str, addresses: Collection[str], steps: int
    ) -> Iterator[str | None]:
        """Yield the addresses of possible targets, None for what cannot be followed."""
        if not steps:
            yield None
            return
        for reference in _longest(references):
            head, _, rest = reference.partition(".")
            if reference.startswith(_NEVER_A_RESOURCE):
                continue
            if head == type_:
                yield from _instances(scope.prefix, type_, rest, scope.index, addresses)
            elif head == "var":
                yield from self._variable(rest, scope, type_, addresses, steps)
            elif head == "module":
                yield from self._output(reference, scope, type_, addresses, steps)
            elif head == "each":
                inner = _Scope(scope.module, scope.index, ())
                yield from self._follow(scope.for_each, inner, type_, addresses, steps - 1)
            elif head in ("local", "data"):
                yield None

    def _variable(
        self, rest: str, scope: "_Scope", type_: str, addresses: Collection[str], steps: int
    ) -> Iterator[str | None]:
        if not scope.module:  # a root module's variables are known during planning
            return
        *outer, (name, key) = scope.module
        call, _ = self._find(outer).calls.get(name, (Block({}), Module()))
        references = call.references.get(rest.partition(".")[0].partition("[")[0], ())
        outside = _Scope(outer, key or scope.index, call.for_each)
        yield from self._follow(references, outside, type_, addresses, steps - 1)

    def _output(
        self, reference: str, scope: "_Scope", type_: str, addresses: Collection[str], steps: int
    ) -> Iterator[str | None]:
        match = _OUTPUT.match(reference)
        inside = [*scope.module, (match[1], match[2] or "")] if match else []
        outputs = self._find(inside).outputs
        if not match or match[3] not in outputs:
            yield None
            return
        yield from self._follow(outputs[match[3]], _Scope(inside, scope.index, ()), type_, addresses, steps - 1)

    def _find(self, path: ModulePath) -> Module:
        module = self._root
        for name, _ in path:
            module = module.calls.get(name, (Block({}), Module()))[1]
        return module


@dataclass(frozen=True, slots=True)
class _Scope:
    """Where a reference is resolved."""

    module: ModulePath
    index: str
    for_each: tuple[str, ...]

    @property
    def prefix(self) -> str:
        return "".join(f"module.{name}{key}." for name, key in self.module)


def _longest(references: Iterable[str]) -> list[str]:
    """Return the references without those that only shorten another: Terraform lists `a.b.arn` and also `a.b`."""
    names = list(dict.fromkeys(references))
    return [name for name in names if not any(other.startswith((f"{name}.", f"{name}[")) for other in names)]


def _instances(prefix: str, type_: str, rest: str, index: str, addresses: Collection[str]) -> Iterator[str | None]:
    """Yield the address of a resource that is referred to, or of all its instances if it has several."""
    match = _RESOURCE.match(rest)
    if not match:
        yield None
        return
    base = f"{prefix}{type_}.{match[1]}"
    exact = base + (match[2] or "")
    if exact in addresses:
        yield exact
    elif not match[2] and base + index in addresses:
        yield base + index
    elif not match[2]:
        instances = [address for address in addresses if address.startswith(f"{base}[")]
        yield from instances or (None,)
    else:
        yield None


def _module(value: Json) -> Module:
    body = _mapping(value)
    resources = body.get("resources")
    module = Module()
    for each in resources if isinstance(resources, list) else ():
        entry = _mapping(each)
        module.resources[str(entry.get("address"))] = _block(entry, str(entry.get("provider_config_key") or ""))
    for name, each in _mapping(body.get("module_calls")).items():
        call = _mapping(each)
        module.calls[name] = _block(call), _module(call.get("module"))
    for name, each in _mapping(body.get("outputs")).items():
        module.outputs[name] = tuple(_references(_mapping(each).get("expression")))
    return module


def _block(entry: Mapping[str, Json], provider: str = "") -> Block:
    expressions = _mapping(entry.get("expressions"))
    references = {name: tuple(_references(each)) for name, each in expressions.items()}
    listed = entry.get("provisioners")
    provisioners = tuple(
        (str(each.get("type")), json.dumps(each.get("expressions"), sort_keys=True))
        for each in map(_mapping, listed if isinstance(listed, list) else ())
    )
    return Block(references, tuple(_references(entry.get("for_each_expression"))), provider, provisioners)


def _references(expression: Json) -> Iterator[str]:
    """Yield the references of an expression, or of all expressions in a nested block."""
    if isinstance(expression, list):
        for each in expression:
            yield from _references(each)
    elif isinstance(expression, dict):
        listed = expression.get("references")
        if isinstance(listed, list) and all(isinstance(each, str) for each in listed):
            yield from (each for each in listed if isinstance(each, str))
        else:
            for each in expression.values():
                if isinstance(each, (dict, list)):
                    yield from _references(each)


def _mapping(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}
