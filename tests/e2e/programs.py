"""The programs that people run, on a shop's configuration and with its cdktf.out."""

import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import environments
from tests.e2e.shop import Shop
from tests.repository import ROOT


def cdktf(shop: Shop, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the command line of the library that the tests run with: cdktf, or cdktn."""
    path = [str(environments.NODE.parent), os.environ["PATH"]]
    program = Path(sys.prefix).parent / "node_modules/.bin" / (os.environ.get("GLUE_SESSIONS_CDK") or "cdktf")
    command = [str(program), *arguments, "--output", str(shop.folder / "cdktf.out")]
    return _run(command, shop, PATH=os.pathsep.join(path), VIRTUAL_ENV=sys.prefix, FORCE_COLOR="0")


def on_cdk_terrain(shop: Shop, *words: str, path: Path) -> "subprocess.CompletedProcess[str]":
    """Run a program with CDK Terrain's environment, as `./glue-sessions` and `make CDK=cdktn` do.

    Args:
        shop: whose configuration and cdktf.out it uses.
        words: the program, its name alone if it is installed in the environment, and its arguments.
        path: a folder with all other programs that it may need.
    """
    home = environments.CDK_TERRAIN / ".venv"
    program = str(home / "bin" / words[0]) if "/" not in words[0] else words[0]
    found = os.pathsep.join([str(home / "bin"), str(path)])
    variables = {"PATH": found, "VIRTUAL_ENV": str(home), "GLUE_SESSIONS_CDK": "cdktn", "FORCE_COLOR": "0"}
    output = str(shop.folder / "cdktf.out")
    return _run([program, *words[1:]], shop, **{**shop.environment_of_commands, "CDKTF_OUTPUT": output, **variables})


def command(shop: Shop, name: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run one of this project's commands, named as its module is: `apply_plan`."""
    return _run([sys.executable, "-m", f"commands.{name}", *arguments], shop)


def on_a_terminal(shop: Shop, *arguments: str, at_the_question: Callable[[], str]) -> tuple[int, str]:
    """Run a command on a terminal, answer its questions; return its exit status and output."""
    environment = {
        **shop.environment_of_commands,
        "GLUE_SESSIONS_CONFIG": str(shop.configuration_file),
        "CDKTF_OUTDIR": str(shop.folder / "cdktf.out"),
        "NO_COLOR": "1",
        "TERM": "xterm",
    }
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(ROOT)
        os.execve(sys.executable, [sys.executable, "-m", "commands", *arguments], environment)
    output = b""
    answered = 0
    while True:
        try:
            output += os.read(terminal, 65536)
        except OSError:  # the program has ended
            break
        if output.count(b'Only "yes" applies it: ') > answered:
            answered += 1
            os.write(terminal, at_the_question().encode())
    os.close(terminal)
    _, status = os.waitpid(process, 0)
    return os.waitstatus_to_exitcode(status), re.sub("\x1b[^a-zA-Z]*[a-zA-Z]|\r", "", output.decode())


def _run(arguments: list[str], shop: Shop, **variables: str) -> "subprocess.CompletedProcess[str]":
    environment = {
        **shop.environment,
        "GLUE_SESSIONS_CONFIG": str(shop.configuration_file),
        "CDKTF_OUTDIR": str(shop.folder / "cdktf.out"),
        **variables,
    }
    return subprocess.run(
        arguments,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
