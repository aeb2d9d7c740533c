"""Write the data set of resource types again: `python -m plans.refresh_resource_types SCHEMA BINDINGS`.

SCHEMA is what `terraform providers schema -json` prints in a folder that requires the AWS provider 5. BINDINGS is a
wheel of the newest `cdktn-provider-aws` (`pip download --no-deps cdktn-provider-aws`), generated from provider 6.
The decisions are in `data/resource-access.toml`; read the diff of `data/resource-types.jsonl` after a refresh.
"""

import argparse
import io
import json
import re
import tarfile
import tomllib
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from plans.refresh_data import lines
from plans.resource_types import DECISIONS, RESOURCE_TYPES

_PROVIDER = "registry.terraform.io/hashicorp/aws"
_TYPE = re.compile(r'tfResourceType = "(aws_\w+)"')
_ATTRIBUTE = re.compile(r"^\s+(\w+): \{\n\s+value: .*?\n\s+isBlock: ", re.MULTILINE | re.DOTALL)

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


def of_bindings(wheel: Path) -> tuple[str, Attributes]:
    """Return the provider's version, and the arguments of each resource type, that bindings were generated from."""
    found: dict[str, frozenset[str]] = {}
    with zipfile.ZipFile(wheel) as archive:
        (tarball,) = (name for name in archive.namelist() if name.endswith(".jsii.tgz"))
        with tarfile.open(fileobj=io.BytesIO(archive.read(tarball)), mode="r:gz") as files:
            for member in files:
                file = files.extractfile(member)
                if file and member.name == "package/package.json":
                    version = str(json.load(file)["cdktf"]["provider"]["version"])
                elif file and re.fullmatch(r"package/lib/(?!data-aws-)[^/]+/index\.js", member.name):
                    code = file.read().decode()
                    if match := _TYPE.search(code):
                        found[match[1]] = frozenset(_ATTRIBUTE.findall(code))
    return version, found


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
        roles = [each for each in arguments if _is_role(each, decisions["roles"])]
        entry["documents"] = _without(decisions["not_documents"], name, documents)
        entry["roles"] = _without(decisions["not_roles"], name, roles)
        entry["grants"] = decisions["grants"].get(name, "")
        yield {key: value for key, value in entry.items() if value}


def _is_role(argument: str, names: Iterable[str]) -> bool:
    return any(argument == name or argument.endswith(f"_{name}") for name in names)


def _without(exceptions: Mapping[str, str], type_: str, arguments: Iterable[str]) -> list[str]:
    return [each for each in arguments if not {f"{type_}.{each}", f"*.{each}"} & exceptions.keys()]


def main() -> None:
    """Write the data set."""
    parser = argparse.ArgumentParser(prog="python -m plans.refresh_resource_types", description=__doc__)
    parser.add_argument("schema", type=Path)
    parser.add_argument("bindings", type=Path)
    options = parser.parse_args()
    newest, bindings = of_bindings(options.bindings)
    versions = {5: of_schema(json.loads(options.schema.read_bytes())), int(newest.partition(".")[0]): bindings}
    decisions = tomllib.loads(DECISIONS.read_text(encoding="utf-8"))
    source = f"the AWS provider's schema (5.100) and {options.bindings.name} (provider {newest})"
    RESOURCE_TYPES.write_text(lines(source, entries(versions, decisions)), encoding="utf-8")


if __name__ == "__main__":
    main()
