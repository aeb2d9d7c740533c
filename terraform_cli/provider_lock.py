"""The provider lock file that all stacks share: `.terraform.lock.hcl` next to glue-sessions.yaml."""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from terraform_cli import installation
from terraform_cli.installation import ProviderError
from terraform_cli.terraform import Terraform

PLATFORMS = ("linux_amd64", "linux_arm64", "darwin_amd64", "darwin_arm64", "windows_amd64")
"""The platforms in a lock file: those that people and pipelines run Terraform on."""


def check(lock_file: Path) -> None:
    """Check that the repository has a provider lock file. Raises ProviderError, which names the remedy."""
    if not lock_file.is_file():
        remedy = "run make provider-lock and commit the file, so that plan and apply have the same provider"
        raise ProviderError(f"{lock_file}: no such file: {remedy}")


def write(
    lock_file: Path, providers: Mapping[str, Any], folder: Path, environment: Mapping[str, str] = os.environ
) -> str:
    """Write the lock file: the newest providers in their ranges, from where Terraform takes providers.

    The registry has the hashes of all platforms, a mirror those of its own; a user's CLI configuration may name any
    source, and where the registry cannot be reached, only the hash of this platform is known.

    Args:
        lock_file: the file to write.
        providers: `required_providers` of the stacks.
        folder: an empty folder to initialize.
        environment: the environment to run Terraform in.

    Returns:
        The platforms that the lock file is for, in words.

    Raises:
        TerraformMissingError: there is no Terraform.
        ProviderError: the providers are not available.
    """
    (folder / "main.tf.json").write_text(json.dumps({"terraform": {"required_providers": providers}}))
    mirror = None if installation.has_own_settings(environment) else installation.provider_mirror(environment)
    platforms: Sequence[str] = _in_mirror(mirror / installation.provider(environment)) if mirror else PLATFORMS
    options = [f"-platform={each}" for each in platforms] + ([f"-fs-mirror={mirror}"] if mirror else [])
    terraform = Terraform(folder / "settings", environment)
    done = terraform.run(folder, "providers", "lock", "-no-color", *options)
    written = folder / ".terraform.lock.hcl"  # already by the init
    if not written.is_file():
        raise ProviderError("\n".join(done.errors) or f"terraform init ended with status {done.status}")
    shutil.copyfile(written, lock_file)
    if done.status:
        return f"this platform only, {'; '.join(done.errors) or 'the registry cannot be reached'}"
    return f"{', '.join(platforms)}, from {f'the mirror {mirror}' if mirror else 'the registry'}"


def _in_mirror(provider: Path) -> list[str]:
    """Return the platforms that a mirror has of a provider, unpacked or packed."""
    names = {each.name.removesuffix(".zip") for each in provider.glob("**/*")}
    return [each for each in PLATFORMS if any(name.endswith(each) for name in names)]
