"""The schema of the AWS provider that CDKTF's or CDK Terrain's bindings were generated from.

The bindings bring it as JavaScript, with the names, types and nesting of all attributes. They do not have which ones
are deprecated.
"""

import io
import json
import re
import tarfile
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, NamedTuple, Self

RESOURCE, DATA_SOURCE, PROVIDER = "TerraformResource", "TerraformDataSource", "TerraformProvider"

_FILE = re.compile(r"package/lib/([^/]+)/(?:index|index-structs/structs\d+)\.js")
"""The code of a resource type; long ones are spread over more than one file."""
_SOURCE_MAP = b"//# sourceMappingURL"
_CONSTRUCT = re.compile(r"^class (\w+) extends cdk(?:tf|tn)\.(Terraform\w+) \{", re.MULTILINE)
_TYPE = re.compile(r'tfResourceType = "(\w+)"')
_DEFINITION = re.compile(r"^(?:class|function) (\w+)[ (].*?^\}", re.MULTILINE | re.DOTALL)
_READ = re.compile(r"(tolist\()?this\.get(\w+)Attribute\('(\w+)'\)")
_BLOCK = re.compile(r'new (?:(cdk\w+)\.|\w+\.)?(\w+?)(List|Map|OutputReference)\(this, "(\w+)"(?:, (true|false))?\)')
_ARGUMENT = re.compile(
    r'^\s+(\w+): \{\n\s+value: .*?\n\s+isBlock: (\w+),\n\s+type: "(\w+)",\n\s+storageClassType: "(\w+)"', re.MULTILINE
)


class Attribute(NamedTuple):
    """An attribute or a block of a resource type, a data source or the provider.

    Attributes:
        type: such as `string`, `set of string`, `list of blocks`; `any` if the bindings do not type it.
        is_argument: whether a configuration can set it.
        attributes: what a block contains, by name.
    """

    type: str
    is_argument: bool
    attributes: "Mapping[str, Attribute]"


@dataclass
class Described:
    """A resource type, a data source, or the provider.

    Attributes:
        kind: `RESOURCE`, `DATA_SOURCE`, `PROVIDER`, or the class of another kind.
        name: such as `aws_iam_role`; "" for the provider.
    """

    kind: str
    name: str
    _class: str
    _code: str

    def arguments(self) -> Iterator[tuple[str, str]]:
        """Yield the name and type of each argument at any depth; `block` for a block of any kind."""
        for name, is_block, collection, type_ in _ARGUMENT.findall(self._code):
            yield name, "block" if is_block == "true" else _shown(type_, collection)

    @cached_property
    def attributes(self) -> Mapping[str, Attribute]:
        """All attributes and blocks by name."""
        definitions = {match[1]: match[0] for match in _DEFINITION.finditer(self._code)}
        own = definitions[self._class]
        return _attributes(own, own, definitions)


def _attributes(
    reads: str, arguments: str, definitions: Mapping[str, str], within: tuple[str, ...] = ()
) -> Mapping[str, Attribute]:
    typed = {name: rest for name, *rest in _ARGUMENT.findall(arguments)}
    found = {}
    for is_set, type_, name in _READ.findall(reads):
        found[name] = Attribute(_shown(type_, "set" if is_set else "list"), name in typed, {})
    for library, struct, kind, name, wraps_set in _BLOCK.findall(reads):
        if library:
            found[name] = Attribute(_shown(struct + kind, "list"), name in typed, {})
            continue
        many = {"List": "set of blocks" if wraps_set == "true" else "list of blocks", "Map": "map of blocks"}
        found[name] = Attribute(many.get(kind, "block"), name in typed, _block(struct, definitions, within))
    for name in typed.keys() - found.keys():  # of the provider, which nothing reads
        is_block, collection, type_ = typed[name]
        if is_block == "true":
            block = _block(type_.removesuffix("List"), definitions, within)
            found[name] = Attribute(f"{collection} of blocks", True, block)
        else:
            found[name] = Attribute(_shown(type_, collection), True, {})
    return found


def _block(struct: str, definitions: Mapping[str, str], within: tuple[str, ...]) -> Mapping[str, Attribute]:
    """Return what a block contains; nothing if it is within itself, as statements of a web ACL are."""
    if struct in within:
        return {}
    arguments = definitions.get(f"{struct[0].lower()}{struct[1:]}ToHclTerraform", "")
    return _attributes(definitions.get(f"{struct}OutputReference", ""), arguments, definitions, (*within, struct))


def _shown(type_: str, collection: str) -> str:
    plain = type_[0].lower() + type_[1:]
    if plain == "list":
        return f"{collection} of string"
    for suffix, shown in (("List", collection), ("Map", "map")):
        if plain.endswith(suffix):
            return f"{shown} of {plain.removesuffix(suffix)}"
    return plain


class Bindings(NamedTuple):
    """The provider's version that bindings were generated from, and what it has."""

    version: str
    described: list[Described]

    @classmethod
    def of_wheel(cls, wheel: Path) -> Self:
        """Read bindings as a package registry has them."""
        with zipfile.ZipFile(wheel) as archive:
            (tarball,) = (name for name in archive.namelist() if name.endswith(".jsii.tgz"))
            return cls.of_tarball(io.BytesIO(archive.read(tarball)))

    @classmethod
    def installed(cls, package: Path) -> Self:
        """Read bindings as they are installed, from the folder of their Python package."""
        (tarball,) = package.glob("_jsii/*.jsii.tgz")
        with tarball.open("rb") as file:
            return cls.of_tarball(file)

    @classmethod
    def of_tarball(cls, tarball: BinaryIO) -> Self:
        """Read the npm package in bindings."""
        code: dict[str, str] = defaultdict(str)
        with tarfile.open(fileobj=tarball, mode="r:gz") as files:
            for member in files:
                if member.name == "package/package.json":
                    version = str(json.loads(_content(files, member))["cdktf"]["provider"]["version"])
                elif match := _FILE.fullmatch(member.name):
                    code[match[1]] += _content(files, member).partition(_SOURCE_MAP)[0].decode()
        return cls(version, [_described(each) for each in code.values() if _CONSTRUCT.search(each)])

    def of_kind(self, kind: str) -> dict[str, Described]:
        """Return the resource types, or the data sources, by name."""
        return {each.name: each for each in self.described if each.kind == kind}


def _content(files: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = files.extractfile(member)
    return file.read() if file else b""


def _described(code: str) -> Described:
    ((class_, kind),) = _CONSTRUCT.findall(code)
    type_ = _TYPE.search(code)
    return Described(kind, "" if kind == PROVIDER or type_ is None else type_[1], class_, code)
