import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from aws.orphaned_states import OrphanedState, orphaned_states
from configuration import Configuration, load
from sandbox.launcher import Sandbox

BUCKET = "orphaned-states"


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    file = tmp_path / "glue-sessions.yaml"
    file.write_text(
        f"state: {{bucket: {BUCKET}, region: us-east-1, use_path_style: true}}\n"
        "environments: {dev: {region: us-east-1, roles: [{role: team}]}}\n"
    )
    return load(file, {})


@pytest.fixture
def states(aws: Sandbox) -> Iterator[dict[str, str]]:
    """Return the states in the bucket, by key."""

    def state(resource: str, *instances: object) -> str:
        resources = [{"type": resource, "name": "any_name", "instances": instances}]
        return json.dumps({"version": 4, "resources": resources})

    s3 = aws.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    contents = {
        "glue-sessions/dev/team.tfstate": state("aws_iam_role_policy", {}),
        "glue-sessions/dev/gone.tfstate": state("aws_iam_role_policy_attachment", {}),
        "glue-sessions/prod/gone.tfstate": state("aws_iam_role_policy", {}),
        "glue-sessions/dev/released.tfstate": state("aws_iam_role", {}),
        "glue-sessions/dev/destroyed.tfstate": state("aws_iam_role_policy"),
        "glue-sessions/dev/empty.tfstate": "",
        "glue-sessions/dev/odd.tfstate": "not a state",
        "glue-sessions/dev/gone.tfstate.tflock": state("aws_iam_role_policy", {}),
        "glue-sessions/pipeline-access.tfstate": state("aws_iam_role_policy", {}),
        "another/dev/x.tfstate": state("aws_iam_role_policy", {}),
    }
    for key, text in contents.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=text.encode())
    yield contents
    for key in contents:
        s3.delete_object(Bucket=BUCKET, Key=key)
    s3.delete_bucket(Bucket=BUCKET)


def test_states_of_unconfigured_roles_with_grants_are_orphaned(
    configuration: Configuration, states: dict[str, str]
) -> None:
    orphaned = list(orphaned_states(configuration))
    assert orphaned == [
        OrphanedState(BUCKET, "glue-sessions/dev/gone.tfstate", "dev/gone"),
        OrphanedState(BUCKET, "glue-sessions/prod/gone.tfstate", "prod/gone"),
    ]
    assert str(orphaned[0]) == (
        "orphaned state: dev/gone is not in the configuration, but its state"
        f" s3://{BUCKET}/glue-sessions/dev/gone.tfstate still has grants:"
        " add the role back with released: true, apply, then remove it"
    )


def test_a_missing_bucket_is_an_error_of_aws(aws: Sandbox, configuration: Configuration) -> None:
    with pytest.raises(ClientError, match="NoSuchBucket"):
        list(orphaned_states(configuration))
