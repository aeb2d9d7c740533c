"""The backend of a stack's state, the versions a stack needs, and the provider lock file that all stacks share."""

import shutil
from pathlib import Path
from typing import Any

from cdktf import App, S3Backend, TerraformStack

from configuration import Configuration, State
from modules import hcl

# S3 lock files came with 1.10
_TERRAFORM = ">= 1.10"

# a range, whatever version the bindings were generated from: every resource used here reads the same in all of it, and
# shops pin the provider in their own lock file
_AWS_PROVIDER = ">= 5.100, < 7.0"

MAX_RETRIES = 10
"""How often the AWS provider makes a call that AWS answers with an error of its own, or throttles, in all.

It waits twice as long before each further attempt: ten take 36 to 46 seconds (measured with provider 5.100, where every
answer is a 500), eleven a minute and a half. The provider's own 25 would take more than an hour, without a word, and
AWS_MAX_ATTEMPTS does not change them. Terraform's S3 backend makes five attempts, in 7 to 22 seconds.
"""


def keep_state(stack: TerraformStack, *, state: State, key: str, aws_provider: str | None = None) -> None:
    """Set the stack's S3 backend, encrypted and locked by a lock file, and its required versions.

    Args:
        stack: the stack.
        state: where the shop keeps its states.
        key: the object of this stack's state.
        aws_provider: the version constraint of the AWS provider, if the configuration has one.
    """
    settings = hcl.literals(state.model_dump(exclude={"key_prefix"}, exclude_defaults=True))
    S3Backend(stack, key=key, encrypt=True, **settings)
    terraform: dict[str, Any] = {
        "required_version": _TERRAFORM,
        "required_providers": {"aws": {"source": "hashicorp/aws", "version": aws_provider or _AWS_PROVIDER}},
        # CDKTF's S3Backend has no such parameter, and CDK Terrain's needs targetVersions in cdktf.json
        "backend": {"s3": {"use_lockfile": True}},
    }
    stack.add_override("terraform", terraform)


def write(app: App, configuration: Configuration) -> None:
    """Write the stacks of an app, each with a copy of the configuration's provider lock file if that exists."""
    app.synth()
    if configuration.provider_lock.is_file():
        for document in Path(app.outdir, "stacks").glob("*/cdk.tf.json"):
            shutil.copyfile(configuration.provider_lock, document.with_name(configuration.provider_lock.name))
