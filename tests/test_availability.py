"""A test without its requirements is skipped with a reason, and fails in continuous integration."""

import pytest

from tests.availability import missing, terraform_binary


def test_without_terraform_a_test_is_skipped_and_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(pytest.skip.Exception, match="terraform is not on PATH: install Terraform"):
        terraform_binary()


def test_in_continuous_integration_it_fails_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no provider"):
        missing("no provider")
