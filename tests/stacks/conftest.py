import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from configuration import Configuration, load
from stacks.glue_sessions import GlueSessionsStack
from tests.template import Template, app_in_memory

Synthesize = Callable[..., Template]


def templates(configuration: Configuration) -> dict[str, Template]:
    """Every stack of a configuration, by name."""
    return {
        settings.name: Template.from_stack(
            GlueSessionsStack(app_in_memory(), settings=settings, state=configuration.state)
        )
        for settings in configuration.role_stacks
    }


@pytest.fixture
def synthesize(tmp_path: Path) -> Synthesize:
    """Synthesize the stack of one role: settings of the role, and those of its environment and of the state."""

    def synthesize(
        role: str = "execution-role",
        *,
        environment: Mapping[str, Any] | None = None,
        state: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> Template:
        document = {
            "state": {"bucket": "states", "region": "eu-west-1", **(state or {})},
            "environments": {
                "dev": {"region": "eu-west-1", **(environment or {}), "roles": [{"role": role, **settings}]}
            },
        }
        file = tmp_path / "glue-sessions.yaml"
        file.write_text(json.dumps(document))
        (template,) = templates(load(file, {})).values()
        return template

    return synthesize
