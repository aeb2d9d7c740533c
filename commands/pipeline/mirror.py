"""A mirror that holds one version of the AWS provider, so that terraform takes that and not the newest."""

import json
import subprocess
import tempfile
from pathlib import Path

from terraform_cli import installation
from terraform_cli.terraform import TerraformError

FOLDER = Path("~/.terraform.d/plugins")
"""An implied mirror of terraform: https://developer.hashicorp.com/terraform/cli/config/config-file"""


def mirror_provider(version: str) -> None:
    """Download the provider's newest version of a range, like `~> 5.100`, into FOLDER.

    Raises:
        TerraformError: it cannot be downloaded.
        TerraformMissingError: there is no terraform.
    """
    aws = {"source": "hashicorp/aws", "version": version}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "main.tf.json").write_text(json.dumps({"terraform": {"required_providers": {"aws": aws}}}))
        done = subprocess.run(
            [installation.binary(), "providers", "mirror", str(FOLDER.expanduser())], cwd=folder, check=False
        )
    if done.returncode:
        raise TerraformError(f"terraform providers mirror ended with status {done.returncode}")
