"""The Terraform installation: which binary runs, and where the AWS provider comes from.

`python -m terraform_cli.installation` checks that Terraform is usable. It needs only the standard library, so that
it runs before anything is installed.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from terraform_cli.environment import TerraformMissingError as TerraformMissingError
from terraform_cli.environment import without_arguments

_REGISTRY, _REGISTRY_OF_OPENTOFU = "registry.terraform.io", "registry.opentofu.org"

_INSTALL = "install Terraform 1.10 or newer, https://developer.hashicorp.com/terraform/install"
_IMAGES = Path("/opt")
OLDEST = (1, 10)  # the first Terraform, and the first OpenTofu, to lock a state in S3 with a file


class ProviderError(Exception):
    """The AWS provider cannot be downloaded, or its lock file is missing; one line."""


def binary(environment: Mapping[str, str] = os.environ) -> str:
    """Return the path of the Terraform binary; TERRAFORM_BINARY_NAME selects another, such as `tofu`, as in CDKTF.

    Raises:
        TerraformMissingError: the binary is not on PATH.
    """
    name = environment.get("TERRAFORM_BINARY_NAME") or "terraform"
    path = shutil.which(name, path=environment.get("PATH"))
    if not path:
        raise TerraformMissingError(f"{name} is not on PATH: {_INSTALL}")
    return path


def version(environment: Mapping[str, str] = os.environ) -> str:
    """Return the version of the binary.

    Raises:
        TerraformMissingError: the binary is not on PATH or does not run.
    """
    path = binary(environment)
    try:
        output = subprocess.check_output(
            [path, "version", "-json"],
            env={**without_arguments(environment), "CHECKPOINT_DISABLE": "1"},
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            errors="replace",
        )
    except (OSError, subprocess.CalledProcessError):
        output = ""
    found = re.search(r'"terraform_version": *"(\d+\.\d+[^"]*)"', output)
    if found is None:
        raise TerraformMissingError(f"{path} does not report its version: {_INSTALL}")
    return found[1]


def check(environment: Mapping[str, str] = os.environ) -> None:
    """Check that the binary runs and is new enough.

    Raises:
        TerraformMissingError: the binary is not on PATH, does not run or is too old.
    """
    found = version(environment)
    if tuple(map(int, re.findall(r"\d+", found)[:2])) < OLDEST:
        raise TerraformMissingError(f"{binary(environment)} is {found}: {_INSTALL}")


def is_opentofu(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether the binary is OpenTofu, by its name."""
    return Path(environment.get("TERRAFORM_BINARY_NAME") or "terraform").name.startswith("tofu")


def provider(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the AWS provider's folder in a mirror: OpenTofu has a registry of its own."""
    return Path(_REGISTRY_OF_OPENTOFU if is_opentofu(environment) else _REGISTRY, "hashicorp/aws")


def has_own_settings(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether the user has a CLI configuration: TF_CLI_CONFIG_FILE or ~/.terraformrc."""
    return Path(environment.get("TF_CLI_CONFIG_FILE") or _home(environment) / ".terraformrc").is_file()


def implied_mirror(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder that Terraform and OpenTofu take providers from first.

    Source: https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories
    """
    return _home(environment) / ".terraform.d/plugins"


def provider_mirror(environment: Mapping[str, str] = os.environ) -> Path | None:
    """Return a folder on this machine that holds the AWS provider as a filesystem mirror, None if there is none.

    The implied mirrors come first, then the folders of /opt, where container images put theirs.
    """
    home, provider_folder = _home(environment), provider(environment)
    data_homes = [environment.get("XDG_DATA_HOME") or home / ".local/share"]
    data_homes += (environment.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(":")
    program = "opentofu" if is_opentofu(environment) else "terraform"
    implied = [implied_mirror(environment), *(Path(each, program, "plugins") for each in data_homes)]
    if sys.platform == "darwin":
        implied += [home / "Library/Application Support/io.terraform/plugins"]
        implied += [Path("/Library/Application Support/io.terraform/plugins")]
    images = [_IMAGES, *sorted(_IMAGES.iterdir())] if _IMAGES.is_dir() else []
    return next((folder for folder in [*implied, *images] if (folder / provider_folder).is_dir()), None)


def settings(directory: Path, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return environment variables with which repeated Terraform runs download the provider at most once.

    The user's CLI configuration (TF_CLI_CONFIG_FILE or ~/.terraformrc) takes precedence.

    Args:
        directory: folder for a CLI configuration, or for the cache of downloaded providers.
        environment: the environment that Terraform will run in.

    Returns:
        The CLI configuration or a cache folder, no update checks, less garbage collection.
    """
    added = {
        "CHECKPOINT_DISABLE": "1",
        # Every run parses the provider's large schema; with less garbage collection a plan is a quarter faster and
        # takes a tenth more memory. https://pkg.go.dev/runtime#hdr-Environment_Variables
        "GOGC": environment.get("GOGC") or "400",
    }
    if has_own_settings(environment):
        return added
    directory.mkdir(parents=True, exist_ok=True)
    configuration = directory / "terraform.tfrc"
    mirror, mirrored = provider_mirror(environment), provider(environment)
    if mirror:
        _write(
            configuration,
            "provider_installation {\n"
            f'  filesystem_mirror {{\n    path    = "{mirror}"\n    include = ["{mirrored}"]\n  }}\n'
            f'  direct {{\n    exclude = ["{mirrored}"]\n  }}\n'
            "}\n",
        )
        return {**added, "TF_CLI_CONFIG_FILE": str(configuration)}
    cache = directory / "providers"
    cache.mkdir(exist_ok=True)
    added["TF_PLUGIN_CACHE_DIR"] = environment.get("TF_PLUGIN_CACHE_DIR") or str(cache)
    if environment.get("TF_CLI_CONFIG_FILE"):  # names a missing file: Terraform would warn in every run
        _write(configuration, "")
        added["TF_CLI_CONFIG_FILE"] = str(configuration)
    return added


def mirror_provider(range_: str, environment: Mapping[str, str] = os.environ) -> None:
    """Download the newest AWS provider of a version range, like `~> 5.100`, into the implied mirror of the home folder.

    Raises:
        TerraformMissingError: there is no Terraform.
        ProviderError: the provider cannot be downloaded.
    """
    providers = {"aws": {"source": "hashicorp/aws", "version": range_}}
    mirror = implied_mirror(environment)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "main.tf.json").write_text(json.dumps({"terraform": {"required_providers": providers}}))
        command = [binary(environment), "providers", "mirror", str(mirror)]
        done = subprocess.run(command, cwd=folder, env=dict(environment), check=False)
    if done.returncode:
        raise ProviderError(f"{Path(command[0]).name} providers mirror ended with status {done.returncode}")


def _write(file: Path, text: str) -> None:
    # another command's Terraform may be reading the file
    if not file.is_file() or file.read_text() != text:
        file.write_text(text)


def _home(environment: Mapping[str, str]) -> Path:
    return Path(environment.get("HOME") or Path.home())


if __name__ == "__main__":
    try:
        check()
    except TerraformMissingError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
