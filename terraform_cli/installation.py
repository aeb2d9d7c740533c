"""Terraform as our commands run it: which binary, and where the AWS provider comes from.

`python -m terraform_cli.installation` checks that Terraform is usable. It needs only the standard library, so that it
runs before anything is installed.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

_PROVIDER = Path("registry.terraform.io/hashicorp/aws")
_INSTALL = "install Terraform 1.10 or newer, https://developer.hashicorp.com/terraform/install"
_IMAGES = Path("/opt")
OLDEST = (1, 10)  # the first to lock a state in S3 by a file, also of OpenTofu


class TerraformMissingError(Exception):
    """There is no terraform that can be used; says in one line what to install."""


def binary(environment: Mapping[str, str] = os.environ) -> str:
    """Path of the terraform binary; another one, such as `tofu`, is named as CDKTF does: TERRAFORM_BINARY_NAME.

    Raises:
        TerraformMissingError: it is not on PATH.
    """
    name = environment.get("TERRAFORM_BINARY_NAME") or "terraform"
    found = shutil.which(name, path=environment.get("PATH"))
    if not found:
        raise TerraformMissingError(f"{name} is not on PATH: {_INSTALL}")
    return found


def check(environment: Mapping[str, str] = os.environ) -> None:
    """Run the binary to see whether it is one that this project can use.

    Raises:
        TerraformMissingError: it is not on PATH, does not run or is too old.
    """
    path = binary(environment)
    try:
        told = subprocess.check_output(
            [path, "version", "-json"],
            env={**environment, "CHECKPOINT_DISABLE": "1"},
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            errors="replace",
        )
    except (OSError, subprocess.CalledProcessError):
        told = ""
    version = re.search(r'"terraform_version": *"((\d+)\.(\d+)[^"]*)"', told)
    if version is None:
        raise TerraformMissingError(f"{path} does not tell its version: {_INSTALL}")
    if (int(version[2]), int(version[3])) < OLDEST:
        raise TerraformMissingError(f"{path} is {version[1]}: {_INSTALL}")


def provider_mirror(environment: Mapping[str, str] = os.environ) -> Path | None:
    """A folder on this machine that holds the AWS provider, laid out as a filesystem mirror.

    Terraform's own implied mirrors come first (https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories),
    then folders of /opt, where images put theirs.
    """
    home = _home(environment)
    data_homes = [environment.get("XDG_DATA_HOME") or home / ".local/share"]
    data_homes += (environment.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(":")
    implied = [home / ".terraform.d/plugins", *(Path(each) / "terraform/plugins" for each in data_homes)]
    if sys.platform == "darwin":
        implied += [home / "Library/Application Support/io.terraform/plugins"]
        implied += [Path("/Library/Application Support/io.terraform/plugins")]
    images = [_IMAGES, *sorted(_IMAGES.iterdir())] if _IMAGES.is_dir() else []
    return next((folder for folder in [*implied, *images] if (folder / _PROVIDER).is_dir()), None)


def settings(directory: Path, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What to add to the environment so that terraform, run many times over, gets its provider without a download each.

    The user's own CLI configuration stands wherever there is one: TF_CLI_CONFIG_FILE or ~/.terraformrc.

    Args:
        directory: where the CLI configuration, or the cache of downloaded providers, may be put.
        environment: the environment terraform is going to run in.

    Returns:
        Variables: the CLI configuration to use, or a cache folder, no update checks, less garbage collection.
    """
    added = {
        "CHECKPOINT_DISABLE": "1",
        # Every run reads the provider's large schema, and collects garbage meanwhile: less of it makes a plan a
        # quarter faster, for a tenth more memory. https://pkg.go.dev/runtime#hdr-Environment_Variables
        "GOGC": environment.get("GOGC") or "400",
    }
    own = environment.get("TF_CLI_CONFIG_FILE")
    if Path(own or _home(environment) / ".terraformrc").is_file():
        return added
    directory.mkdir(parents=True, exist_ok=True)
    configuration = directory / "terraform.tfrc"
    mirror = provider_mirror(environment)
    if mirror:
        _write(
            configuration,
            "provider_installation {\n"
            f'  filesystem_mirror {{\n    path    = "{mirror}"\n    include = ["{_PROVIDER}"]\n  }}\n'
            f'  direct {{\n    exclude = ["{_PROVIDER}"]\n  }}\n'
            "}\n",
        )
        return {**added, "TF_CLI_CONFIG_FILE": str(configuration)}
    cache = directory / "providers"
    cache.mkdir(exist_ok=True)
    added["TF_PLUGIN_CACHE_DIR"] = environment.get("TF_PLUGIN_CACHE_DIR") or str(cache)
    if own:  # names a file that is not there: terraform would warn in every run
        _write(configuration, "")
        added["TF_CLI_CONFIG_FILE"] = str(configuration)
    return added


def _write(file: Path, text: str) -> None:
    # a terraform that another command runs may be reading it: it is not written anew for nothing
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
