"""`review` of a plan: that of one role, of five thousand IAM resources, and of policies that are hard to compare."""

import json
from collections.abc import Callable, Iterator
from itertools import islice, product
from pathlib import Path
from typing import Any

from benchmarks import shop
from benchmarks.environments import PYTHON, REPOSITORY
from benchmarks.measure import Result, Way, kept_environment, side_by_side
from iam.documents.grants import SESSION_USER_POLICY, SETUP_POLICY
from iam.documents.recipe import SAGEMAKER, inline_policy, trust_policy

ONE_ROLE = "one role: 3 resources"
MANY = "5,000 resources"
QUESTION_MARKS = "a run of ?"
PRODUCT = "20 patterns by 20"
CONDITION = "14 keys by 3 values"
LARGEST = "450 by 450, the largest inline policy"
HARD = (QUESTION_MARKS, PRODUCT, CONDITION, LARGEST)
_RESOURCES = 5_000


def run(work: Path, *, rounds: int, progress: Callable[[str], None]) -> dict[str, Result]:
    """Measure all.

    Raises:
        FailedError: a review has failed.
    """
    plans = {ONE_ROLE: plan(3), MANY: plan(_RESOURCES), **{name: _update(*sides) for name, sides in _hard().items()}}
    ways = []
    for number, (name, content) in enumerate(plans.items()):
        file = work / f"{number}.json"
        file.write_text(json.dumps(content))
        command = (PYTHON, "-m", "commands.review", "--fail-on", "never", "--format", "markdown", file)
        ways.append(Way(name, command, REPOSITORY, kept_environment()))
    return side_by_side(ways, rounds=rounds, progress=progress)


def plan(resources: int) -> dict[str, Any]:
    """Return a plan as `terraform show -json` gives it, which adopts roles and grants them the recipe's rights."""
    roles = shop.role_names(-(-resources // 3))
    changes = [change for role in roles for change in _of_role(role)]
    return {"format_version": "1.2", "terraform_version": "1.11.4", "resource_changes": changes[:resources]}


def _hard() -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Return statements before and after whose comparison would take minutes without care, by name."""

    def allow(actions: Any, resources: Any, **condition: Any) -> dict[str, Any]:
        statement = {"Effect": "Allow", "Action": actions, "Resource": resources}
        return {**statement, "Condition": {"StringEquals": condition}} if condition else statement

    uuid = "arn:aws:s3:::data/*-????????-????-????-????-????????????/"
    actions = [f"s3:*{number:02}*" for number in range(20)]
    buckets = [f"arn:aws:s3:::*{number:02}*" for number in range(20)]
    keys = {f"aws:RequestTag/k{number}": ["a", "b", "c"] for number in range(14)}
    names = ["".join(letters) for letters in islice(product("abcdefghij", repeat=3), 450)]
    opened = [f"*{name}*" for name in names]
    return {
        QUESTION_MARKS: (allow("s3:GetObject", f"{uuid}*"), allow("s3:GetObject", f"{uuid}x*")),
        PRODUCT: (allow(actions, buckets), allow(actions[1:], buckets[1:])),
        CONDITION: (allow("s3:*", "*", **keys), allow("s3:*", "*", **{key: found[:2] for key, found in keys.items()})),
        LARGEST: (
            allow([f"s3:*{name}" for name in names], opened),
            allow([f"s3:*{name}" for name in names[1:]], opened[1:]),
        ),
    }


def _update(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Return a plan that changes one inline policy."""
    policies = [json.dumps({"Version": "2012-10-17", "Statement": [statement]}) for statement in (before, after)]
    sides = [{"role": "one", "name": "data", "policy": policy} for policy in policies]
    return {"format_version": "1.2", "resource_changes": [_change("aws_iam_role_policy", "one", sides[0], sides[1])]}


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
