"""Run an app as cdktf does: it writes the Terraform JSON of every stack into a folder."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from configuration import TO_IMPORT, Configuration
from terraform_cli import stacks

_PROJECT = Path(__file__).parents[1]


class SynthesisError(Exception):
    """The app failed; the message says why."""


def synthesized(
    patterns: Sequence[str],
    configuration: Configuration,
    folder: Path,
    *,
    to_import: Mapping[str, Sequence[str]] | None = None,
) -> list[stacks.Stack]:
    """Synthesize all stacks of roles, or those of the other apps that are named; return what `stacks.find` does.

    Args:
        patterns: names, optionally with `*`, `?` and `[…]`.
        configuration: the configuration of the stacks.
        folder: the output folder.
        to_import: see `synthesize`.

    Raises:
        StacksError: a pattern matches no stack; nothing is written.
        SynthesisError: see `synthesize`.
    """
    others, of_roles = stacks.by_app(patterns)
    if of_roles is not None:
        stacks.chosen(configuration.role_stacks, of_roles)
        synthesize(folder, to_import=to_import)
    for name in others:
        synthesize(folder / name, app=stacks.APPS[name])
    return stacks.find(patterns, configuration, {"CDKTF_OUTDIR": str(folder)})


def synthesize(
    folder: Path,
    environment: Mapping[str, str] = os.environ,
    *,
    app: str = "main.py",
    to_import: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Write the stacks of an app into a folder.

    Args:
        folder: the output folder, laid out as cdktf's.
        environment: names the configuration.
        app: the app's file in the project's folder.
        to_import: addresses of policies that are not configured and are imported as they are, by the stack's name. They
            are passed as CDKTF's context.

    Raises:
        SynthesisError: the folder cannot be created, the configuration is wrong, or the app failed.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)  # the app creates only the last part of the path
    except OSError as error:
        raise SynthesisError(f"{folder}: cannot be created: {(error.strerror or str(error)).lower()}") from None
    context = {"CDKTF_CONTEXT_JSON": json.dumps({TO_IMPORT: to_import})} if to_import else {}
    done = subprocess.run(
        [sys.executable, "-O", _PROJECT / app],
        env={**environment, **_caches(folder, environment), **context, "CDKTF_OUTDIR": str(folder)},
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
