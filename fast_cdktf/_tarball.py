"""A prebuilt provider's tarball cut to some of its submodules, and the user's cache that keeps it."""

import hashlib
import io
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

# part of the name of a cached copy: raise it when `cut_tarball` writes something else
_FORMAT = 2
_SUBMODULES = "submodules.json"


class UnknownLayoutError(Exception):
    """The package is laid out in another way than this module knows."""


@dataclass(frozen=True)
class Cut:
    """A cut tarball.

    Attributes:
        folder: holds it, under the name that the package loads.
        submodules: names of the submodules in it.
    """

    folder: Path
    submodules: frozenset[str]


def cached_cut(tarball: Path, submodules: Iterable[str]) -> Cut:
    """Return a copy of `tarball` that holds these submodules and what they need, cut at the first use.

    Raises:
        UnknownLayoutError: something is not where the prebuilt providers have it.
        OSError: the tarball cannot be read, or the cache cannot be written.
    """
    wanted = sorted(submodules)

    def make() -> dict[str, bytes]:
        content, contained = cut_tarball(tarball, wanted)
        return {tarball.name: content, _SUBMODULES: json.dumps(contained).encode()}

    folder = cached_folder([tarball], [_FORMAT, *wanted], make)
    return Cut(folder, frozenset(json.loads((folder / _SUBMODULES).read_bytes())))


def cached_folder(sources: Iterable[Path], settings: Iterable[object], make: Callable[[], Mapping[str, bytes]]) -> Path:
    """Return a folder in the user's cache with the files that `make` returns by name, calling it at the first use.

    Args:
        sources: the files that `make` reads; when one changes, another folder is created.
        settings: what else the contents depend on, as JSON values.
        make: returns the contents.

    Raises:
        OSError: a source cannot be read, or the folder cannot be written.
    """
    stats = [(str(source), source.stat()) for source in sources]
    identity = [[[path, stat.st_size, stat.st_mtime_ns] for path, stat in stats], *settings]
    name = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "glue-sessions", "bindings")
    folder = cache / name
    if not folder.is_dir():
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as unfinished:
            new = Path(unfinished, name)
            new.mkdir()
            for file, content in make().items():
                (new / file).write_bytes(content)
            try:
                new.rename(folder)
            except OSError:
                if not folder.is_dir():  # it exists if another process has created it at the same time
                    raise
    return folder


def cut_tarball(tarball: Path, submodules: Iterable[str]) -> tuple[bytes, list[str]]:
    """Return `tarball`, a jsii package, cut to the named submodules and those they need, and the names of all.

    The copy holds `package.json`, the assembly with the types of those submodules, their JavaScript, and an index
    that reads each of them when it is first asked for.

    Raises:
        UnknownLayoutError: something is not where the prebuilt providers have it.
    """
    import tarfile  # after the first run, nothing is cut

    # Python's iam_role is lib/iam-role/index.js, whose types are called @cdktf/provider-aws.iamRole.…
    scripts = {f"lib/{name.replace('_', '-')}/index.js": name for name in submodules}
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
                    kept[path], kept["lib/index.js"] = _cut_assembly(file, scripts.keys())
                elif path == "package.json" or (path.startswith(folders) and path.endswith(".js")):
                    kept[path] = file.read()
    except tarfile.TarError as error:
        raise UnknownLayoutError(f"{tarball.name} cannot be read ({error})") from error

    if missing := sorted({".jsii", "package.json", *scripts} - kept.keys()):
        raise UnknownLayoutError(f"{tarball.name} has no {', '.join(missing)}")
    if b'"main": "lib/index.js"' not in kept["package.json"] or b'"exports":' in kept["package.json"]:
        raise UnknownLayoutError(f"{tarball.name} is entered elsewhere than at lib/index.js")
    required = {
        folder.decode().replace("-", "_")
        for content in kept.values()
        for folder in re.findall(rb'require\("\.\./([^/"]+)', content)
    }
    if required - {*scripts.values()}:
        return cut_tarball(tarball, required | {*scripts.values()})
    return _pack(kept), sorted(scripts.values())


def _cut_assembly(lines: Iterable[bytes], scripts: Iterable[str]) -> tuple[bytes, bytes]:
    """Return a jsii assembly with the types of `scripts` alone, and an index that exports these scripts.

    Read line by line, for it is 130 MB of JSON (two spaces of indentation) of which a hundredth part is kept.
    """
    scripts = {*scripts}
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
        index.append(f"Object.defineProperty(exports, {name}, {{ enumerable: true, get: () => require({file}) }});")
    return json.dumps(assembly).encode(), "\n".join(index).encode()


def _pack(files: dict[str, bytes]) -> bytes:
    import tarfile

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as target:
        for path, content in sorted(files.items()):
            member = tarfile.TarInfo(f"package/{path}")
            member.size = len(content)
            target.addfile(member, io.BytesIO(content))
    return buffer.getvalue()
