"""The environment variables that point an AWS client at the sandbox."""

import os
import shlex
from pathlib import Path

REGION = "us-east-1"
FILE_NAME = "environment"
OPERATOR_KEY = "sandbox-operator"
"""Access key of the person or program that administers the local account, as the account's root user."""

STUDIO_ADDRESS = "SANDBOX_STUDIO_ADDRESS"
"""Variable with the address that gives Studio applications credentials and tunnels."""


def client_environment(*, port: int, authority_file: Path, studio_address: str) -> dict[str, str]:
    """Return the variables for AWS clients (SDKs, CLI, Terraform) of the sandbox on `port`.

    Most clients read `AWS_REGION`, boto3 reads `AWS_DEFAULT_REGION`. The variables also keep clients from requesting
    credentials from the instance metadata service, and from using a proxy for the sandbox.
    """
    bypass = [name for name in os.environ.get("NO_PROXY", "").split(",") if name]
    return {
        "AWS_ENDPOINT_URL": f"https://127.0.0.1:{port}",
        "AWS_CA_BUNDLE": str(authority_file),
        "AWS_ACCESS_KEY_ID": OPERATOR_KEY,
        "AWS_SECRET_ACCESS_KEY": OPERATOR_KEY,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        STUDIO_ADDRESS: studio_address,
        "NO_PROXY": ",".join(dict.fromkeys([*bypass, "127.0.0.1", "localhost"])),
    }


def exports(variables: dict[str, str]) -> str:
    """Return shell lines that set `variables`."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())


def write(directory: Path, variables: dict[str, str]) -> Path:
    """Write `variables` for a shell to source, atomically and readable only by the owner; return the file."""
    path = directory / FILE_NAME
    unfinished = path.with_name(f".{FILE_NAME}.{os.getpid()}")
    unfinished.touch(mode=0o600)
    unfinished.write_text(exports(variables))
    unfinished.replace(path)
    return path


def read(path: Path) -> dict[str, str]:
    """Return the variables of a file that `write` wrote."""

    lines = (line.removeprefix("export ").partition("=") for line in path.read_text().splitlines())
    return {name: shlex.split(value)[0] for name, _, value in lines}
