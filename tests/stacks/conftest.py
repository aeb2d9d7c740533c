import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from configuration import Configuration, load
from stacks.glue_sessions import GlueSessionsStack
from tests.template import Template, app_in_memory

Synthesize = Callable[..., Template]


def templates(configuration: Configuration) -> dict[str, Template]:
    """Return every stack of a configuration, by name."""
    return {
        settings.name: Template.from_stack(
            GlueSessionsStack(app_in_memory(), settings=settings, state=configuration.state)
        )
        for settings in configuration.role_stacks
    }


def synthesize_in(
    folder: Path,
    role: str = "execution-role",
    *,
    environment: Mapping[str, Any] | None = None,
    state: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Template:
    """Synthesize the stack of one role.

    Args:
        folder: where to write the configuration.
        role: name or ARN.
        environment: settings of the environment.
        state: settings of the state.
        settings: settings of the role.
    """
    document = {
        "state": {"bucket": "states", "region": "eu-west-1", **(state or {})},
        "environments": {"dev": {"region": "eu-west-1", **(environment or {}), "roles": [{"role": role, **settings}]}},
    }
    file = folder / "glue-sessions.yaml"
    file.write_text(json.dumps(document))
    (template,) = templates(load(file, {})).values()
    return template


@pytest.fixture
def synthesize(tmp_path: Path) -> Synthesize:
    """Return `synthesize_in` for the test's folder."""
    return partial(synthesize_in, tmp_path)
