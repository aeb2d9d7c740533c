"""Run an app as cdktf does: it writes the Terraform JSON of every stack into a folder."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from terraform_cli import stacks

if TYPE_CHECKING:
    from configuration import Configuration

_PROJECT = Path(__file__).parents[1]


class SynthesisError(Exception):
    """The app failed; the message says why."""


def synthesized(patterns: Sequence[str], configuration: "Configuration", folder: Path) -> list[stacks.Stack]:
    """Synthesize all stacks of roles, or those of the other apps that are named; return what `stacks.find` does.

    Raises:
        StacksError: a pattern matches no stack; nothing is written.
        SynthesisError: see `synthesize`.
    """
    others, of_roles = stacks.by_app(patterns)
    if of_roles is not None:
        stacks.chosen(configuration.role_stacks, of_roles)
        synthesize(folder)
    for name in others:
        synthesize(folder / name, app=stacks.APPS[name])
    return stacks.find(patterns, configuration, {"CDKTF_OUTDIR": str(folder)})


def synthesize(folder: Path, environment: Mapping[str, str] = os.environ, *, app: str = "main.py") -> None:
    """Write the stacks of an app into a folder.

    Args:
        folder: the output folder, laid out as cdktf's.
        environment: names the configuration.
        app: the app's file in the project's folder.

    Raises:
        SynthesisError: the folder cannot be created, the configuration is wrong, or the app failed.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)  # the app creates only the last part of the path
    except OSError as error:
        raise SynthesisError(f"{folder}: cannot be created: {(error.strerror or str(error)).lower()}") from None
    done = subprocess.run(
        [sys.executable, "-O", _PROJECT / app],
        env={**environment, **_caches(folder, environment), "CDKTF_OUTDIR": str(folder)},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        message = done.stderr.strip() or "no message"
        raise SynthesisError(message if done.returncode == 2 else f"{app} failed: {message.splitlines()[-1]}")


def _caches(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Return variables that put jsii's cache and ours into the output folder where the home folder is read-only."""
    if os.access(environment.get("HOME") or Path.home(), os.W_OK):
        return {}
    cache = str(folder.absolute() / "cache")
    return {"JSII_RUNTIME_PACKAGE_CACHE_ROOT": cache, "XDG_CACHE_HOME": cache, **environment}
