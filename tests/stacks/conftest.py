import json
import os
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from configuration import Configuration, load
from stacks.glue_sessions import GlueSessionsStack
from tests.repository import ROOT
from tests.template import Template, app_in_memory

Synthesize = Callable[..., Template]


def templates(configuration: Configuration, *, to_import: Collection[str] = ()) -> dict[str, Template]:
    """Return every stack of a configuration, by name."""
    return {
        settings.name: Template.from_stack(
            GlueSessionsStack(app_in_memory(), settings=settings, state=configuration.state, to_import=to_import)
        )
        for settings in configuration.role_stacks
    }


def synthesize_in(
    folder: Path,
    role: str = "execution-role",
    *,
    environment: Mapping[str, Any] | None = None,
    state: Mapping[str, Any] | None = None,
    to_import: Collection[str] = (),
    **settings: Any,
) -> Template:
    """Synthesize the stack of one role.

    Args:
        folder: where to write the configuration.
        role: name or ARN.
        environment: settings of the environment.
        state: settings of the state.
        to_import: addresses of policies to import although they are not configured.
        settings: settings of the role.
    """
    document = {
        "state": {"bucket": "states", "region": "eu-west-1", **(state or {})},
        "environments": {"dev": {"region": "eu-west-1", **(environment or {}), "roles": [{"role": role, **settings}]}},
    }
    file = folder / "glue-sessions.yaml"
    file.write_text(json.dumps(document))
    (template,) = templates(load(file, {}), to_import=to_import).values()
    return template


def run_app(script: str, configuration: Path, out: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run an app as CDKTF does.

    Args:
        script: its file in the root of the repository.
        configuration: the glue-sessions.yaml.
        out: where the app writes.
        variables: further environment variables.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("COV_", "GLUE_SESSIONS_"))}
    return subprocess.run(
        [sys.executable, str(ROOT / script)],
        cwd=configuration.parent,
        env={**inherited, "GLUE_SESSIONS_CONFIG": str(configuration), "CDKTF_OUTDIR": str(out), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def synthesize(tmp_path: Path) -> Synthesize:
    """Return `synthesize_in` for the test's folder."""
    return partial(synthesize_in, tmp_path)
