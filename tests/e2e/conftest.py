"""The local AWS, terraform, and what the end-to-end tests make of them.

These tests need terraform and a source of the AWS provider: a mirror on this machine, or the registry.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path

import pytest

from sandbox.launcher import Sandbox
from terraform_cli import installation
from tests.availability import missing, terraform_binary
from tests.aws_proxy import AwsProxy, aws_proxy
from tests.e2e.execution_role import CONSOLE_TRUST, Document, ExecutionRole
from tests.e2e.shop import Shop
from tests.e2e.terraform import Terraform

MakeRole = Callable[..., ExecutionRole]

_HERE = Path(__file__).parent
_numbers = count()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def binary() -> str:
    return terraform_binary()


@pytest.fixture(scope="session")
def aws() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture(scope="session")
def environment(aws: Sandbox, binary: str, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """Return the environment terraform runs in, once it is known to get its provider there."""
    folder = tmp_path_factory.mktemp("terraform")
    environment = {
        **os.environ,
        **aws.environment,
        **installation.settings(folder / "settings"),
        # one short command after another: with the garbage collected they take half as long again
        "GOGC": "off",
    }
    (folder / "main.tf.json").write_text('{"terraform": {"required_providers": {"aws": {"source": "hashicorp/aws"}}}}')
    initialized = Terraform(folder, binary, environment).init()
    if "Failed to query available provider packages" in initialized.output:
        missing("terraform finds the AWS provider neither in a mirror on this machine nor in the registry")
    assert initialized.status == 0, initialized.output
    return environment


@pytest.fixture
def new_shop(aws: Sandbox, binary: str, environment: Mapping[str, str], tmp_path: Path, unique_name: str) -> Shop:
    """Return a shop whose state bucket has yet to be made."""
    return Shop(aws, unique_name, tmp_path, binary, environment)


@pytest.fixture
def shop(new_shop: Shop) -> Shop:
    """Return a shop with a state bucket of its own."""
    s3 = new_shop.aws.client("s3")
    s3.create_bucket(Bucket=new_shop.bucket)
    s3.put_bucket_versioning(Bucket=new_shop.bucket, VersioningConfiguration={"Status": "Enabled"})
    return new_shop


@pytest.fixture
def proxy(aws: Sandbox) -> Iterator[AwsProxy]:
    """Return a proxy before the local AWS; `through` leads there."""
    with aws_proxy(aws) as running:
        yield running


def through(proxy: AwsProxy) -> dict[str, str]:
    """Return what leads all calls through a proxy, of terraform and of boto3; a refused one is tried once more."""
    return {"AWS_ENDPOINT_URL": proxy.environment["AWS_ENDPOINT_URL"], "AWS_MAX_ATTEMPTS": "2"}


@pytest.fixture
def unique_name(request: pytest.FixtureRequest) -> str:
    readable = re.sub("[^a-z0-9]+", "-", request.node.name.lower().removeprefix("test_"))[:45].strip("-")
    return f"{readable}-{next(_numbers)}"


@pytest.fixture
def make_role(aws: Sandbox, unique_name: str) -> Iterator[MakeRole]:
    """Make execution roles; afterwards, nothing but the grants may be another than it was made."""
    made: list[ExecutionRole] = []

    def make(trust: Document = CONSOLE_TRUST) -> ExecutionRole:
        made.append(ExecutionRole(aws, f"{unique_name}-{len(made)}", trust))
        return made[-1]

    yield make
    for role in made:
        if role.exists:
            assert role.read().the_rest == role.made.the_rest


@pytest.fixture
def role(make_role: MakeRole) -> ExecutionRole:
    """Return a role as the SageMaker console makes it."""
    return make_role()
