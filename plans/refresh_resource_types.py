"""Write the data set of resource types again: `python -m plans.refresh_resource_types SCHEMA BINDINGS`.

SCHEMA is what `terraform providers schema -json` prints in a folder that requires the AWS provider 5. BINDINGS is a
wheel of the newest `cdktn-provider-aws` (`pip download --no-deps cdktn-provider-aws`), generated from provider 6.
The decisions are in `data/resource-access.toml`; read the diff of `data/resource-types.jsonl` after a refresh.
"""

import argparse
import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from plans.refresh_data import lines
from plans.refresh_schema import RESOURCE, Bindings
from plans.resource_types import DECISIONS, RESOURCE_TYPES

_PROVIDER = "registry.terraform.io/hashicorp/aws"

Attributes = Mapping[str, frozenset[str]]
"""Names of the arguments of each resource type, those of nested blocks included."""


def of_schema(schema: Mapping[str, Any]) -> Attributes:
    """Return the arguments of each resource type in the output of `terraform providers schema -json`."""
    types = schema["provider_schemas"][_PROVIDER]["resource_schemas"]
    return {name: frozenset(_arguments(of["block"])) for name, of in types.items()}


def _arguments(block: Mapping[str, Any]) -> Iterator[str]:
    for name, attribute in block.get("attributes", {}).items():
        if attribute.get("optional") or attribute.get("required"):
            yield name
            yield from _arguments(attribute.get("nested_type", {}))
    for name, nested in block.get("block_types", {}).items():
        yield name
        yield from _arguments(nested["block"])


def of_bindings(bindings: Bindings) -> Attributes:
    """Return the arguments of each resource type that bindings were generated from."""
    types = bindings.of_kind(RESOURCE)
    return {name: frozenset(argument for argument, _ in of.arguments()) for name, of in types.items()}


def entries(versions: Mapping[int, Attributes], decisions: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield an entry for each resource type.

    Args:
        versions: the arguments of each type, by the provider's major version.
        decisions: the content of `data/resource-access.toml`.
    """
    for name in sorted({name for types in versions.values() for name in types}):
        arguments = sorted({each for types in versions.values() for each in types.get(name, ())})
        entry: dict[str, Any] = {
            "name": name,
            "providers": [major for major, types in versions.items() if name in types],
        }
        documents = [each for each in arguments if each in decisions["documents"]]
        roles = [each for each in arguments if is_role(each, decisions["roles"])]
        entry["documents"] = _without(decisions["not_documents"], name, documents)
        entry["roles"] = _without(decisions["not_roles"], name, roles)
        entry["grants"] = decisions["grants"].get(name, "")
        yield {key: value for key, value in entry.items() if value}


def is_role(argument: str, names: Iterable[str]) -> bool:
    """Return whether an argument has one of these names, or ends with one after an underscore."""
    return any(argument == name or argument.endswith(f"_{name}") for name in names)


def _without(exceptions: Iterable[str], type_: str, arguments: Iterable[str]) -> list[str]:
    return [each for each in arguments if not excepted(exceptions, type_, each)]


def excepted(exceptions: Iterable[str], type_: str, argument: str) -> bool:
    """Return whether one of the patterns matches `type.argument`: it is no document, or no role."""
    return any(fnmatchcase(f"{type_}.{argument}", pattern) for pattern in exceptions)


def main() -> None:
    """Write the data set."""
    parser = argparse.ArgumentParser(prog="python -m plans.refresh_resource_types", description=__doc__)
    parser.add_argument("schema", type=Path)
    parser.add_argument("bindings", type=Path)
    options = parser.parse_args()
    bindings = Bindings.of_wheel(options.bindings)
    newest = int(bindings.version.partition(".")[0])
    versions = {5: of_schema(json.loads(options.schema.read_bytes())), newest: of_bindings(bindings)}
    decisions = tomllib.loads(DECISIONS.read_text(encoding="utf-8"))
    source = f"the AWS provider's schema (5.100) and {options.bindings.name} (provider {bindings.version})"
    RESOURCE_TYPES.write_text(lines(source, entries(versions, decisions)), encoding="utf-8")


if __name__ == "__main__":
    main()
