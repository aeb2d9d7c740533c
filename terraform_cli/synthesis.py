"""The app run as cdktf runs it: every stack's Terraform JSON, written into a folder."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from terraform_cli import stacks

if TYPE_CHECKING:
    from configuration import Configuration

_MAIN = Path(__file__).parents[1] / "main.py"


class SynthesisError(Exception):
    """The stacks could not be written; says why."""


def synthesized(patterns: Sequence[str], configuration: "Configuration", folder: Path) -> list[stacks.Stack]:
    """Write the stacks anew, and give those that patterns name, as `stacks.find` does.

    Raises:
        StacksError: a pattern matches nothing; nothing is written then.
        SynthesisError: as of `synthesize`.
    """
    stacks.chosen(configuration.role_stacks, patterns)
    synthesize(folder)
    return stacks.find(patterns, configuration, {"CDKTF_OUTDIR": str(folder)})


def synthesize(folder: Path, environment: Mapping[str, str] = os.environ) -> None:
    """Write the stacks that the configuration names.

    Args:
        folder: where to, as cdktf's output folder.
        environment: tells which configuration is read.

    Raises:
        SynthesisError: the folder cannot be made, the configuration is faulty, or the app has failed.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)  # the app makes its last part alone
    except OSError as error:
        raise SynthesisError(f"{folder}: cannot be made: {(error.strerror or str(error)).lower()}") from None
    done = subprocess.run(
        [sys.executable, "-O", _MAIN],
        env={**environment, "CDKTF_OUTDIR": str(folder)},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip() or "no message"
        raise SynthesisError(said if done.returncode == 2 else f"{_MAIN.name} failed: {said.splitlines()[-1]}")
