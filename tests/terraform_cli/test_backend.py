"""A changed `state`: the same state is reached in the new way, another one stops (real: tests/e2e/test_states.py)."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from terraform_cli.backend import other_place, places

LAST = {"bucket": "states", "key": "glue-sessions/dev/a.tfstate", "region": "eu-west-1", "endpoints": None}


def stack(folder: Path, *, last: Any = LAST, now: Any) -> tuple[Path, Path]:
    """Write a stack's folder and what Terraform recorded in it."""
    data = folder / "cdktf.out/stacks/a/.terraform"
    data.mkdir(parents=True)
    (data / "terraform.tfstate").write_text(json.dumps({"backend": {"type": "s3", "config": last}}))
    (data.parent / "cdk.tf.json").write_text(json.dumps({"terraform": {"backend": {"s3": now}}}))
    return data.parent, data


@pytest.mark.parametrize(
    "now",
    [
        LAST,
        {**LAST, "profile": "other", "kms_key_id": "alias/states", "assume_role": {"role_arn": "arn:x"}},
        {**LAST, "region": "us-east-1"},
        {**LAST, "endpoints": {"iam": "https://iam.internal"}},
    ],
)
def test_another_way_to_the_same_state_is_the_same_place(tmp_path: Path, now: dict[str, Any]) -> None:
    found = places(*stack(tmp_path, now=now))
    assert found is not None
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("now", "where", "before"),
    [
        ({"bucket": "others"}, "s3://others", "s3://states"),
        ({"key": "platform/x/dev/a.tfstate"}, "s3://states/platform/x", "s3://states/glue-sessions"),
        ({"region": "cn-north-1"}, "s3://states (aws-cn)", "s3://states"),
        ({"endpoints": {"s3": "https://s3.internal"}}, "s3://states (https://s3.internal)", "s3://states"),
    ],
)
def test_another_state_is_an_error_that_names_both_places_and_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, now: dict[str, Any], where: str, before: str
) -> None:
    monkeypatch.chdir(tmp_path)
    folder, data = stack(tmp_path, now={**LAST, **now})
    found = places(folder, data)
    assert found is not None
    message = (
        f"`state` names {where}, and the last run here used {before}: set it back; or, to use the state at the new"
        " place from now on, which adopts the role again if it has no state there, run rm -r cdktf.out/stacks/"
    )
    assert other_place(*found, folder, data) == f"{message}a/.terraform"
    # the same line for each stack, so that it is printed once
    (folder.parent / "b/.terraform").mkdir(parents=True)
    assert other_place(*found, folder, data) == (f"{message}*/.terraform, for all stacks, which share this setting")


def test_the_command_names_a_folder_with_a_space_as_one(tmp_path: Path) -> None:
    folder, data = stack(tmp_path / "my clone", now={**LAST, "bucket": "others"})
    (folder.parent / "b/.terraform").mkdir(parents=True)
    found = places(folder, data)
    assert found is not None
    command = other_place(*found, folder, data).rpartition(", run ")[2].partition(", for all")[0]
    assert shlex.split(command) == ["rm", "-r", str(data).replace(f"/{folder.name}/", "/*/")]
    assert command.endswith("/stacks/'*/.terraform")


@pytest.mark.parametrize("last", [None, {}, {**LAST, "region": None}, "x"])
def test_what_terraform_recorded_in_another_form_is_left_to_terraform(tmp_path: Path, last: Any) -> None:
    assert places(*stack(tmp_path, last=last, now=LAST)) is None
    assert places(tmp_path, tmp_path) is None
