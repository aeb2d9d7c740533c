"""The local AWS, Terraform, and a shop with roles for each end-to-end test.

These tests need terraform and a source of the AWS provider: a mirror on this machine, or the registry.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from sandbox.launcher import Sandbox
from terraform_cli import installation
from tests.availability import missing, terraform_binary
from tests.aws_proxy import AwsProxy, aws_proxy
from tests.e2e.execution_role import CONSOLE_TRUST, Document, ExecutionRole
from tests.e2e.provider import Provider, installed_provider
from tests.e2e.shop import Shop
from tests.e2e.terraform import Terraform

MakeRole = Callable[..., ExecutionRole]

_numbers = count()


@pytest.fixture(scope="session")
def binary() -> str:
    return terraform_binary()


@pytest.fixture(scope="session")
def aws(sandbox: Sandbox) -> Sandbox:
    """Return the local AWS; the environment of this process does not point at it."""
    return sandbox


@pytest.fixture(scope="session")
def environment(aws: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """Return the environment of Terraform."""
    return {
        **os.environ,
        **aws.environment,
        **installation.settings(tmp_path_factory.mktemp("settings")),
        # short commands: with garbage collection they take half as long again
        "GOGC": "off",
    }


@pytest.fixture(scope="session")
def provider(
    binary: str, environment: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Provider]:
    """Return the AWS provider of this process, which is kept running."""
    folder = tmp_path_factory.mktemp("terraform")
    (folder / "main.tf.json").write_text('{"terraform": {"required_providers": {"aws": {"source": "hashicorp/aws"}}}}')
    initialized = Terraform(folder, binary, environment).init()
    if "Failed to query available provider packages" in initialized.output:
        missing("terraform finds the AWS provider neither in a mirror on this machine nor in the registry")
    assert initialized.status == 0, initialized.output
    with installed_provider(folder) as installed:
        yield installed


@pytest.fixture
def new_shop(
    aws: Sandbox, binary: str, environment: Mapping[str, str], provider: Provider, tmp_path: Path, unique_name: str
) -> Shop:
    """Return a shop without a state bucket."""
    return Shop(aws, unique_name, tmp_path, binary, environment, provider)


@pytest.fixture
def shop(new_shop: Shop) -> Shop:
    """Return a shop with its own state bucket."""
    s3 = new_shop.aws.client("s3")
    s3.create_bucket(Bucket=new_shop.bucket)
    s3.put_bucket_versioning(Bucket=new_shop.bucket, VersioningConfiguration={"Status": "Enabled"})
    return new_shop


@pytest.fixture(scope="session")
def only_proxy(aws: Sandbox) -> Iterator[AwsProxy]:
    with aws_proxy(aws) as running:
        yield running


@pytest.fixture
def proxy(only_proxy: AwsProxy) -> AwsProxy:
    """Return a proxy in front of the local AWS, for `through`, which has no calls and no answers yet."""
    only_proxy.calls.clear()
    only_proxy.answers = {}
    return only_proxy


def through(proxy: AwsProxy) -> dict[str, str]:
    """Return the variables that send all calls of Terraform and boto3 through a proxy.

    AWS_MAX_ATTEMPTS limits boto3 to one retry. Terraform's S3 backend and the stacks' provider do not obey it.
    """
    return {"AWS_ENDPOINT_URL": proxy.environment["AWS_ENDPOINT_URL"], "AWS_MAX_ATTEMPTS": "2"}


@pytest.fixture
def unique_name(request: pytest.FixtureRequest) -> str:
    readable = re.sub("[^a-z0-9]+", "-", request.node.name.lower().removeprefix("test_"))[:45].strip("-")
    return f"{readable}-{next(_numbers)}"


@pytest.fixture
def make_role(aws: Sandbox, unique_name: str) -> Iterator[MakeRole]:
    """Create execution roles; at the end, nothing of a role but its grants may have changed."""
    made: list[ExecutionRole] = []

    def make(trust: Document = CONSOLE_TRUST, **options: Any) -> ExecutionRole:
        made.append(ExecutionRole(aws, f"{unique_name}-{len(made)}", trust, **options))
        return made[-1]

    yield make
    for role in made:
        if role.exists:
            assert role.read().the_rest == role.made.the_rest


@pytest.fixture
def role(make_role: MakeRole) -> ExecutionRole:
    """Return a role as the SageMaker console creates it."""
    return make_role()
