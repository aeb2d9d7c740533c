from collections.abc import Iterator

import pytest

from sandbox.launcher import Sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def aws(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """Point the environment of this process at the local AWS."""
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    return sandbox
