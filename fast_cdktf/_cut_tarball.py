"""A jsii package's tarball cut to some of its submodules."""

import io
import json
import re
import tarfile
from collections.abc import Iterable
from itertools import takewhile
from pathlib import Path

from fast_cdktf._provider_subset import UnknownLayoutError


def cut_tarball(tarball: Path, submodules: Iterable[str]) -> bytes:
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
    if needed := {f"lib/{folder.decode()}/" for folder in re.findall(rb'require\("\.\./([^/"]+)', code)} - {*folders}:
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
        index.append(f"Object.defineProperty(exports, {name}, {{ enumerable: true, get: () => require({file}) }});")
    return json.dumps(assembly).encode(), "\n".join(index).encode()


def _pack(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as target:
        for path, content in sorted(files.items()):
            member = tarfile.TarInfo(f"package/{path}")
            member.size = len(content)
            target.addfile(member, io.BytesIO(content))
    return buffer.getvalue()
