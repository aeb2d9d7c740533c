"""`review` of a plan: that of one role, and a plan of five thousand IAM resources."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks import shop
from benchmarks.environments import PYTHON, REPOSITORY
from benchmarks.measure import Result, Way, kept_environment, side_by_side
from iam.documents.grants import SESSION_USER_POLICY, SETUP_POLICY
from iam.documents.recipe import SAGEMAKER, inline_policy, trust_policy

ONE_ROLE = "one role: 3 resources"
MANY = "5,000 resources"
_RESOURCES = 5_000


def run(work: Path, *, rounds: int, progress: Callable[[str], None]) -> dict[str, Result]:
    """Measure both.

    Raises:
        FailedError: a review has failed.
    """
    ways = []
    for name, count in ((ONE_ROLE, 3), (MANY, _RESOURCES)):
        file = work / f"{count}.json"
        file.write_text(json.dumps(plan(count)))
        command = (PYTHON, "-m", "commands.review", "--fail-on", "never", "--format", "markdown", file)
        ways.append(Way(name, command, REPOSITORY, kept_environment()))
    return side_by_side(ways, rounds=rounds, progress=progress)


def plan(resources: int) -> dict[str, Any]:
    """Return a plan as `terraform show -json` gives it, which adopts roles and grants them the recipe's rights."""
    roles = shop.role_names(-(-resources // 3))
    changes = [change for role in roles for change in _of_role(role)]
    return {"format_version": "1.2", "terraform_version": "1.11.4", "resource_changes": changes[:resources]}


def _of_role(role: str) -> Iterator[dict[str, Any]]:
    console = {"Effect": "Allow", "Principal": {"Service": SAGEMAKER}, "Action": "sts:AssumeRole"}
    before = {"name": role, "assume_role_policy": json.dumps({"Version": "2012-10-17", "Statement": [console]})}
    yield _change("aws_iam_role", role, before, {"name": role, "assume_role_policy": json.dumps(trust_policy())})
    policy = json.dumps(inline_policy("recipe", partition="aws", account_id="123456789012", role_arn=""))
    yield _change("aws_iam_role_policy", role, None, {"role": role, "name": SETUP_POLICY.policy_name, "policy": policy})
    attachment = {"role": role, "policy_arn": SESSION_USER_POLICY.arn("aws")}
    yield _change("aws_iam_role_policy_attachment", role, None, attachment)


def _change(type_: str, name: str, before: dict[str, Any] | None, after: dict[str, Any]) -> dict[str, Any]:
    return {
        "address": f"{type_}.{name}",
        "mode": "managed",
        "type": type_,
        "name": name,
        "change": {
            "actions": ["update" if before else "create"],
            "before": before,
            "after": after,
            "after_unknown": {},
        },
    }
