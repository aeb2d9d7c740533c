import os
from collections.abc import Callable
from pathlib import Path

import pytest

from terraform_cli import installation
from terraform_cli.installation import TerraformMissingError

PROVIDER = "registry.terraform.io/hashicorp/aws"

Environment = dict[str, str]
MakeBinary = Callable[..., Environment]


@pytest.fixture(autouse=True)
def empty_opt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Replace /opt with an empty folder, which hides this machine's provider."""
    opt = tmp_path / "opt"
    opt.mkdir()
    monkeypatch.setattr(installation, "_IMAGES", opt)
    return opt


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    home = tmp_path / "home"
    home.mkdir()
    return {"HOME": str(home), "XDG_DATA_DIRS": str(tmp_path / "share"), "PATH": os.defpath}


@pytest.fixture
def make_binary(tmp_path: Path) -> MakeBinary:
    """Return a function that creates a program which prints `says`, alone on the PATH of the returned environment."""

    def make(says: str, name: str = "terraform", status: int = 0) -> Environment:
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\necho '{says}'\nexit {status}\n")
        program.chmod(0o755)
        return {"PATH": str(program.parent)}

    return make


def test_terraform_is_found_on_the_path(make_binary: MakeBinary, tmp_path: Path) -> None:
    assert installation.binary(make_binary("")) == str(tmp_path / "bin" / "terraform")


def test_another_binary_is_selected_as_in_cdktf(make_binary: MakeBinary, tmp_path: Path) -> None:
    environment = {**make_binary("", name="tofu"), "TERRAFORM_BINARY_NAME": "tofu"}
    assert installation.binary(environment) == str(tmp_path / "bin" / "tofu")


def test_without_terraform_one_line_names_what_to_install() -> None:
    with pytest.raises(TerraformMissingError) as raised:
        installation.binary({"PATH": "/nowhere"})
    assert str(raised.value) == (
        "terraform is not on PATH: install Terraform 1.10 or newer, https://developer.hashicorp.com/terraform/install"
    )


@pytest.mark.parametrize("version", ["1.10.0", "1.11.4", "1.12.0-alpha20250101", "2.0.0"])
def test_a_version_that_locks_state_in_s3_is_accepted(make_binary: MakeBinary, version: str) -> None:
    installation.check(make_binary(f'{{"terraform_version": "{version}"}}'))


@pytest.mark.parametrize(
    ("says", "status", "message"),
    [
        ('{"terraform_version": "1.9.8"}', 0, "is 1.9.8"),
        ('{"terraform_version": "0.15.5"}', 0, "is 0.15.5"),
        ('{"terraform_version": "newest"}', 0, "does not report its version"),
        ('{"terraform_version": 1.10}', 0, "does not report its version"),
        ("[]", 0, "does not report its version"),
        ("Terraform v1.11.4", 0, "does not report its version"),
        ('{"terraform_version": "1.11.4"}', 1, "does not report its version"),
    ],
)
def test_another_version_is_refused_in_one_line(make_binary: MakeBinary, says: str, status: int, message: str) -> None:
    with pytest.raises(TerraformMissingError) as raised:
        installation.check(make_binary(says, status=status))
    assert message in str(raised.value)
    assert "install Terraform 1.10 or newer" in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "folder",
    ["home/.terraform.d/plugins", "home/.local/share/terraform/plugins", "share/terraform/plugins", "opt", "opt/image"],
)
def test_a_provider_on_this_machine_is_used(tmp_path: Path, environment: Environment, folder: str) -> None:
    (tmp_path / folder / PROVIDER).mkdir(parents=True)
    assert installation.provider_mirror(environment) == tmp_path / folder


def test_the_users_data_folder_is_searched(tmp_path: Path, environment: Environment) -> None:
    (tmp_path / "data/terraform/plugins" / PROVIDER).mkdir(parents=True)
    own = {**environment, "XDG_DATA_HOME": str(tmp_path / "data")}
    assert installation.provider_mirror(own) == tmp_path / "data/terraform/plugins"


def test_opentofu_has_its_own_registry_and_data_folder(tmp_path: Path, environment: Environment) -> None:
    for folder in ("data/terraform", "data/opentofu", "opt"):
        (tmp_path / folder / "plugins" / PROVIDER).mkdir(parents=True)
    own = {**environment, "XDG_DATA_HOME": str(tmp_path / "data"), "TERRAFORM_BINARY_NAME": "/tofus/tofu-1.13"}
    assert installation.provider_mirror(own) is None
    provider = tmp_path / "data/opentofu/plugins/registry.opentofu.org/hashicorp/aws"
    provider.mkdir(parents=True)
    assert installation.provider_mirror(own) == tmp_path / "data/opentofu/plugins"
    text = Path(installation.settings(tmp_path / "made", own)["TF_CLI_CONFIG_FILE"]).read_text()
    assert text.count('["registry.opentofu.org/hashicorp/aws"]') == 2


def test_without_a_provider_on_this_machine_downloads_are_cached(tmp_path: Path, environment: Environment) -> None:
    assert installation.provider_mirror(environment) is None
    settings = installation.settings(tmp_path / "made", environment)
    assert "TF_CLI_CONFIG_FILE" not in settings
    assert settings["TF_PLUGIN_CACHE_DIR"] == str(tmp_path / "made/providers")
    assert (tmp_path / "made/providers").is_dir()


def test_the_users_provider_cache_is_used(tmp_path: Path, environment: Environment) -> None:
    settings = installation.settings(tmp_path, {**environment, "TF_PLUGIN_CACHE_DIR": "/their/cache"})
    assert settings["TF_PLUGIN_CACHE_DIR"] == "/their/cache"


def test_a_provider_on_this_machine_is_named_in_a_cli_configuration(tmp_path: Path, environment: Environment) -> None:
    (tmp_path / "opt" / PROVIDER).mkdir(parents=True)
    settings = installation.settings(tmp_path / "made", environment)
    text = Path(settings["TF_CLI_CONFIG_FILE"]).read_text()
    assert f'path    = "{tmp_path / "opt"}"' in text
    assert text.count(f'["{PROVIDER}"]') == 2


@pytest.mark.parametrize("by_variable", [True, False])
def test_the_users_cli_configuration_is_kept(tmp_path: Path, environment: Environment, by_variable: bool) -> None:
    (tmp_path / "opt" / PROVIDER).mkdir(parents=True)
    own = tmp_path / "own.tfrc" if by_variable else Path(environment["HOME"]) / ".terraformrc"
    own.write_text("")
    if by_variable:
        environment["TF_CLI_CONFIG_FILE"] = str(own)
    assert not {"TF_CLI_CONFIG_FILE", "TF_PLUGIN_CACHE_DIR"} & installation.settings(tmp_path, environment).keys()


def test_a_missing_cli_configuration_is_replaced(tmp_path: Path, environment: Environment) -> None:
    settings = installation.settings(tmp_path / "made", {**environment, "TF_CLI_CONFIG_FILE": str(tmp_path / "gone")})
    assert Path(settings["TF_CLI_CONFIG_FILE"]).read_text() == ""


@pytest.mark.parametrize(("given", "used"), [({}, "400"), ({"GOGC": "50"}, "50")])
def test_garbage_is_collected_less_often_unless_the_user_sets_gogc(
    tmp_path: Path, environment: Environment, given: Environment, used: str
) -> None:
    assert installation.settings(tmp_path, {**environment, **given})["GOGC"] == used
