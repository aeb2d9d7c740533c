"""A fleet of any size to measure with: its configuration, and its account in the local AWS."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from iam.documents.recipe import SAGEMAKER
from sandbox.launcher import Sandbox

BUCKET = "terraform-states"
REGION = "us-east-1"


def role_names(count: int) -> list[str]:
    """Return `count` names of execution roles, the same ones each time."""
    return [f"sagemaker-execution-{number:04}" for number in range(1, count + 1)]


def write_configuration(file: Path, roles: list[str]) -> Path:
    """Write a glue-sessions.yaml with one line for each role; return the file."""
    lines = [
        "state:",
        f"  bucket: {BUCKET}",
        f"  region: {REGION}",
        "  use_path_style: true",
        "environments:",
        "  default:",
        f"    region: {REGION}",
        "    roles:",
        *(f"      - role: {role}" for role in roles),
    ]
    file.write_text("\n".join(lines) + "\n")
    return file


@contextmanager
def account(roles: list[str]) -> Iterator[Sandbox]:
    """Yield a local AWS that has the state bucket and the roles, and logs each request."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": SAGEMAKER}, "Action": "sts:AssumeRole"}],
    }
    with Sandbox(["--verbose"]) as aws:
        aws.client("s3").create_bucket(Bucket=BUCKET)
        iam = aws.client("iam")
        for role in roles:
            iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trust))
        yield aws
