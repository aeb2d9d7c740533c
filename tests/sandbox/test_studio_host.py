"""The environment of a Studio application: credentials, and AWS host names."""

import http.client
import json
import os
import ssl
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from sandbox.environment import STUDIO_ADDRESS
from sandbox.launcher import Sandbox
from sandbox.studio import Kernel
from sandbox.studio_host import CredentialsRefusedError, credentials_path
from tests.sandbox.conftest import Role


@pytest.fixture(scope="module")
def role(sandbox: Sandbox) -> Role:
    return Role(sandbox, "AmazonSageMaker-ExecutionRole-1", "sagemaker.amazonaws.com")


def address_of(sandbox: Sandbox) -> str:
    return sandbox.environment[STUDIO_ADDRESS]


def get(address: str) -> tuple[int, dict[str, str]]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(address, timeout=120) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read() or b"{}") if error.code == 403 else {}


def test_an_sdk_in_studio_needs_no_endpoint_and_no_key(sandbox: Sandbox, role: Role) -> None:
    program = (
        "import boto3; print(boto3.client('sts', region_name='eu-west-1').get_caller_identity()['Arn']);"
        "print(boto3.client('iam').meta.endpoint_url)"
    )
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "AWS_CA_BUNDLE": str(sandbox.certificate_authority),
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": address_of(sandbox) + credentials_path(role.arn),
        "HTTPS_PROXY": address_of(sandbox),
        "NO_PROXY": "127.0.0.1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    ended = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert ended.stdout.split() == [
        "arn:aws:sts::123456789012:assumed-role/AmazonSageMaker-ExecutionRole-1/SageMaker",
        "https://iam.amazonaws.com",
    ]


def test_a_role_that_does_not_trust_sagemaker_gets_no_credentials(sandbox: Sandbox) -> None:
    closed = Role(sandbox, "closed", "glue.amazonaws.com")
    status, body = get(address_of(sandbox) + credentials_path(closed.arn))
    assert (status, body["code"]) == (403, "AccessDenied")
    assert "sagemaker.amazonaws.com" in body["message"]
    assert get(address_of(sandbox) + credentials_path("arn:aws:iam::123456789012:role/none"))[0] == 403


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("none", "there is no role arn:aws:iam::123456789012:role/none"),
        ("shut", "arn:aws:iam::123456789012:role/shut does not let sagemaker.amazonaws.com assume it"),
    ],
)
def test_a_kernel_of_a_role_without_credentials_is_refused_before_it_starts(
    sandbox: Sandbox, name: str, reason: str
) -> None:
    if name == "shut":
        Role(sandbox, name, "glue.amazonaws.com", path="/")
    kernel = Kernel(role_arn=f"arn:aws:iam::123456789012:role/{name}", sandbox=sandbox.environment)
    with pytest.raises(CredentialsRefusedError) as raised, kernel:
        pytest.fail("the kernel has started")
    assert str(raised.value) == reason


@pytest.mark.parametrize("path", ["/", "/_sagemaker-instance-credentials/", "/latest/meta-data/"])
def test_other_paths_are_not_found(sandbox: Sandbox, path: str) -> None:
    assert get(address_of(sandbox) + path)[0] == 404


@pytest.mark.parametrize("host", ["example.com", "amazonaws.com.example.com", "127.0.0.1"])
def test_the_proxy_connects_only_aws_host_names(sandbox: Sandbox, host: str) -> None:
    connection = http.client.HTTPSConnection(address_of(sandbox).rpartition("/")[2], timeout=120)
    connection.set_tunnel(host, 443)
    with pytest.raises(OSError, match="403"):
        connection.connect()
    connection.close()


def test_every_aws_host_name_has_a_certificate(sandbox: Sandbox) -> None:
    context = ssl.create_default_context(cafile=str(sandbox.certificate_authority))
    for host in ("iam.amazonaws.com", "api.sagemaker.eu-west-1.amazonaws.com", "b.s3.us-east-1.amazonaws.com"):
        connection = http.client.HTTPSConnection(address_of(sandbox).rpartition("/")[2], context=context, timeout=120)
        connection.set_tunnel(host, 443)
        connection.request("GET", "/_sandbox/decisions")
        assert connection.getresponse().status == 200
        connection.close()
