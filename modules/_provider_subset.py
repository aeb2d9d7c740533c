"""The part of the prebuilt AWS provider that is used, on the Python and on the Node side.

To import any class of the package is to import its 2,200 submodules, and to have Node read the JavaScript
of them all, before the first line of a stack runs. After `use_subset`, Python imports the submodules that
are named, and Node gets a copy of the package's tarball that holds those alone. The classes are the
package's own and jsii is left as it is: only the import system is told where to look, by the protocols it
has for that.
"""

import hashlib
import io
import json
import os
import re
import sys
import tarfile
import tempfile
from collections.abc import Collection, Iterable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.resources.abc import TraversableResources
from importlib.util import spec_from_file_location
from itertools import takewhile
from pathlib import Path
from types import ModuleType
from typing import Any

# Part of the name of a cached copy: raise it when `build_tarball` writes something else.
_FORMAT = 1


class UnknownLayoutError(Exception):
    """The package does not look as this module knows it."""


def use_subset(package: str, submodules: Collection[str], *, cache: Path | None = None) -> None:
    """Have `import package.submodule` load the named submodules only.

    Args:
        package: a prebuilt provider's Python package, `cdktf_cdktf_provider_aws`.
        submodules: names of its submodules, `iam_role`. To import another raises `ModuleNotFoundError`.
        cache: folder of the cut tarballs; by default one in the user's cache folder.

    Raises:
        UnknownLayoutError: the package is laid out in another way; nothing has been changed.
        OSError: the cut tarball cannot be written; nothing has been changed.
    """
    if package in sys.modules:
        return  # imported as a whole already, which serves as well
    spec = PathFinder.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return  # not installed: the import that follows says so
    locations = list(spec.submodule_search_locations)
    tarball = _only(Path(locations[0], "_jsii").glob("*.jsii.tgz"), "tarball")
    cut = _cached_tarball(tarball, sorted(submodules), cache or _cache_folder())
    sys.meta_path.insert(0, _SubsetFinder(package, locations, frozenset(submodules), cut.parent))


class _SubsetFinder(MetaPathFinder):
    def __init__(
        self, package: str, locations: list[str], submodules: frozenset[str], resources: Path
    ) -> None:
        self._package = package
        self._locations = locations
        self._submodules = submodules
        self._resources = resources

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == self._package:
            # A package without code of its own: its __init__ is what imports everything.
            spec = ModuleSpec(fullname, None, is_package=True)
            spec.submodule_search_locations = self._locations
            return spec
        parent, _, name = fullname.rpartition(".")
        if parent != self._package or name in self._submodules:
            return None
        if name == "_jsii":
            init = Path(self._locations[0], "_jsii", "__init__.py")
            return spec_from_file_location(
                fullname, init, loader=_JsiiLoader(fullname, str(init), resources=self._resources)
            )
        raise ModuleNotFoundError(
            f"{fullname} is not among the bindings in use, add it to modules/bindings.py"
        )


class _JsiiLoader(SourceFileLoader, Loader):
    """Runs the package's own `_jsii`, which loads its tarball as a resource and is given the cut one."""

    def __init__(self, fullname: str, path: str, *, resources: Path) -> None:
        super().__init__(fullname, path)
        self._resources = resources

    def get_resource_reader(self, fullname: str) -> Any:
        return _Resources(self._resources)


class _Resources(TraversableResources):
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def files(self) -> Path:
        return self._folder


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "glue-sessions", "bindings")


def _cached_tarball(tarball: Path, submodules: list[str], cache: Path) -> Path:
    """Return the cut copy of `tarball`, made at the first use, under the name that the package loads."""
    stat = tarball.stat()
    identity = [_FORMAT, str(tarball), stat.st_size, stat.st_mtime_ns, *submodules]
    folder = cache / hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:16]
    cut = folder / tarball.name
    if not cut.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        content = build_tarball(tarball, submodules)
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
            file.write(content)
        Path(file.name).replace(cut)  # at once: another process may be doing the same
    return cut


def build_tarball(tarball: Path, submodules: Iterable[str]) -> bytes:
    """Return `tarball`, a jsii package, cut to the named submodules.

    What remains is `package.json`, the assembly with the types of those submodules, their JavaScript, and an
    index that reads each of them when it is first asked for.

    Raises:
        UnknownLayoutError: something is not where the prebuilt providers have it.
    """
    # Python's iam_role is lib/iam-role/index.js, whose types are called @cdktf/provider-aws.iamRole.…
    scripts = {f"lib/{name.replace('_', '-')}/index.js" for name in submodules}
    folders = tuple(script.removesuffix("index.js") for script in scripts)
    kept: dict[str, bytes] = {}
    try:
        with tarfile.open(tarball, "r|gz") as source:
            for member in source:
                path = member.name.removeprefix("package/")
                file = source.extractfile(member)
                if file is None:
                    continue
                if path == ".jsii":
                    kept[path], kept["lib/index.js"] = _cut_assembly(file, scripts)
                elif path == "package.json" or (path.startswith(folders) and path.endswith(".js")):
                    kept[path] = file.read()
    except tarfile.TarError as error:
        raise UnknownLayoutError(f"{tarball.name} cannot be read ({error})") from error

    if missing := sorted({".jsii", "package.json", *scripts} - kept.keys()):
        raise UnknownLayoutError(f"{tarball.name} has no {', '.join(missing)}")
    if b'"main": "lib/index.js"' not in kept["package.json"] or b'"exports":' in kept["package.json"]:
        raise UnknownLayoutError(f"{tarball.name} is entered elsewhere than at lib/index.js")
    code = b"".join(kept.values())
    if needed := {f"lib/{folder.decode()}/" for folder in re.findall(rb'require\("\.\./([^/"]+)', code)} - {
        *folders
    }:
        raise UnknownLayoutError(f"the submodules need {', '.join(sorted(needed))} of {tarball.name}")
    return _pack(kept)


def _cut_assembly(lines: Iterable[bytes], scripts: set[str]) -> tuple[bytes, bytes]:
    """Return a jsii assembly with the types of `scripts` alone, and an index that exports these scripts.

    Read line by line, for it is 130 MB of JSON (two spaces of indentation) of which a hundredth part is kept.
    """
    lines = iter(lines)
    head = [*takewhile(lambda line: line != b'  "types": {\n', lines)]
    try:
        assembly = json.loads(b"".join(head).rstrip().rstrip(b",") + b"}")
        exported = {
            submodule: script
            for submodule, description in assembly["submodules"].items()
            if (script := re.sub("^src/(.*):$", r"lib/\1.js", description["symbolId"])) in scripts
        }
        if len(exported) != len(scripts):
            raise UnknownLayoutError(f"the assembly describes {len(exported)} of {len(scripts)} submodules")

        starts = tuple(f'    "{submodule}.'.encode() for submodule in exported)
        types: list[bytes] = []
        keep = False
        for line in takewhile(lambda line: not line.startswith(b"  }"), lines):
            if line.startswith(b'    "'):
                keep = line.startswith(starts)
            if keep:
                types.append(line)
        assembly["types"] = json.loads(b"{" + b"".join(types).rstrip().rstrip(b",") + b"}")
        assembly |= json.loads(b"{" + b"".join(lines))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnknownLayoutError(f"the assembly is not written as expected ({error!r})") from error
    assembly["submodules"] = {submodule: assembly["submodules"][submodule] for submodule in exported}

    index = ['"use strict";']
    for submodule, script in exported.items():
        name, file = json.dumps(submodule.rpartition(".")[2]), json.dumps(script.replace("lib/", "./", 1))
        index.append(
            f"Object.defineProperty(exports, {name}, {{ enumerable: true, get: () => require({file}) }});"
        )
    return json.dumps(assembly).encode(), "\n".join(index).encode()


def _pack(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as target:
        for path, content in sorted(files.items()):
            member = tarfile.TarInfo(f"package/{path}")
            member.size = len(content)
            target.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _only(paths: Iterable[Path], what: str) -> Path:
    found = list(paths)
    if len(found) != 1:
        raise UnknownLayoutError(f"{len(found)} files look like the package's {what}")
    return found[0]
