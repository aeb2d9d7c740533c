"""AWS's managed policies, actions and service principals, from the data sets beside this file.

`plans.refresh_data` writes the sets and records their sources. Lines are parsed lazily.
"""

import json
import re
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from iam.engine import pattern_syntax, wildcards
from iam.engine.statements import Policy, permissions_policy

_FOLDER = Path(__file__).parent / "data"
MANAGED_POLICIES = _FOLDER / "managed-policies.jsonl"
ACTIONS = _FOLDER / "actions.jsonl"
SERVICE_PRINCIPALS = _FOLDER / "service-principals.jsonl"


@cache
def _lines(path: Path) -> dict[str, str]:
    """Return the lines of a data set by the name in each; the first, which describes the set, by ""."""
    first, *lines = path.read_text(encoding="utf-8").splitlines()
    return {"": first} | {line.split('"', 4)[3]: line for line in lines}


def _entry(path: Path, name: str) -> Any:
    line = _lines(path).get(name)
    return None if line is None else json.loads(line)


class ManagedPolicy(NamedTuple):
    """An AWS managed policy of the data set."""

    version: str
    updated: str
    policy: Policy


def managed_policies_date() -> str:
    """Return the day, as YYYY-MM-DD, of the data set of managed policies."""
    return str(_entry(MANAGED_POLICIES, "")["date"])


def actions_date() -> str:
    """Return the day, as YYYY-MM-DD, of the data set of actions."""
    return str(_entry(ACTIONS, "")["date"])


@lru_cache(maxsize=512)
def managed_policy(arn: str) -> ManagedPolicy | None:
    """Return the AWS managed policy of an ARN in any partition; None if the data set does not contain it."""
    service, region, account, resource = [*arn.split(":", 5), *[""] * 6][2:6]
    if (service, region, account) != ("iam", "", "aws") or not resource.startswith("policy/"):
        return None
    entry = _entry(MANAGED_POLICIES, resource.removeprefix("policy/"))
    if entry is None:
        return None
    return ManagedPolicy(entry["version"], entry["updated"], permissions_policy(entry["document"]))


def service_principals_date() -> str:
    """Return the day, as YYYY-MM-DD, of the data set of service principals."""
    return str(_entry(SERVICE_PRINCIPALS, "")["date"])


_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]+")
_DOMAINS = (
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".amazonaws.eu",
    ".c2s.ic.gov",
    ".cloud.adc-e.uk",
    ".csp.hci.ic.gov",
    ".sc2s.sgov.gov",
)
"""The domains of AWS's partitions (botocore's partitions.json)."""


@lru_cache(maxsize=1024)
def is_service_principal(name: str) -> bool:
    """Return whether a name is a service principal: of the data set, or of a service that has actions.

    The name may contain a region and end in the domain of any partition: `states.cn-north-1.amazonaws.com.cn`. A part
    of a service, such as `export.rds.amazonaws.com`, is known by its service.
    """
    prefix = next((name.removesuffix(domain) for domain in _DOMAINS if name.endswith(domain)), "")
    labels = [label for label in prefix.split(".") if not _REGION.fullmatch(label)]
    principals = (f"{'.'.join(labels[at:])}.amazonaws.com" for at in range(len(labels)))
    return any(each in _lines(SERVICE_PRINCIPALS) for each in principals) or (
        bool(labels) and bool(labels[-1]) and labels[-1] in _lines(ACTIONS)
    )


class Action(NamedTuple):
    """An action as AWS documents it."""

    name: str
    """In AWS's spelling, with its service: `iam:PassRole`."""
    level: str
    """read, list, write, tag or permissions."""
    resources: tuple[str, ...]
    """Patterns of the ARNs it supports; empty if it supports only `*`."""
    keys: tuple[str, ...]
    """Lower-case patterns of its condition keys, without the global ones."""

    def supports(self, resource: str) -> bool:
        """Return whether the action can be used on a resource that a pattern matches; every action supports `*`."""
        return wildcards.covers(resource, pattern_syntax.escape("*")) or any(
            wildcards.overlap(resource, arn) for arn in self.resources
        )


@cache
def service(prefix: str) -> dict[str, Action] | None:
    """Return the actions of a service by lower-case name; None if the service is unknown."""
    entry = _entry(ACTIONS, prefix) if prefix else None
    if entry is None:
        return None
    return {
        f"{prefix}:{name}".lower(): Action(
            f"{prefix}:{name}",
            level,
            tuple(entry["resources"][index] for index in resources),
            tuple(entry["keys"][index] for index in keys),
        )
        for name, (level, resources, keys) in entry["actions"].items()
    }


@lru_cache(maxsize=4096)
def actions(pattern: str) -> tuple[Action, ...] | None:
    """Return the actions that a lower-case pattern matches; None if it matches more than one service."""
    prefix, _, name = pattern.partition(":")
    if not name or "*" in prefix or "?" in prefix:
        return None
    known = service(prefix) or {}
    if pattern_syntax.is_literal(pattern):
        return (known[pattern],) if pattern in known else ()
    return tuple(action for key, action in known.items() if wildcards.covers(pattern, key))
