"""How each resource type of the AWS provider bears on access, from a data set beside this file.

`plans.refresh_resource_types` writes the set from the provider's schema and from the decisions in
`data/resource-access.toml`.
"""

import json
from functools import cache
from pathlib import Path
from typing import NamedTuple

_FOLDER = Path(__file__).parent / "data"
RESOURCE_TYPES = _FOLDER / "resource-types.jsonl"
DECISIONS = _FOLDER / "resource-access.toml"


class ResourceType(NamedTuple):
    """How a resource type bears on access; not at all if everything but the name is empty."""

    name: str
    documents: tuple[str, ...]
    """Arguments that hold a policy document, at any depth."""
    roles: tuple[str, ...]
    """Arguments that name a role, or an instance profile, which a service works as: setting one is iam:PassRole."""
    grants: str
    """How it decides about access without a document, "" if it does not."""


def resource_type(name: str) -> ResourceType | None:
    """Return how a resource type bears on access; None for a type that the data set does not know.

    Args:
        name: like `aws_s3_bucket_policy`.
    """
    return _types().get(name)


@cache
def _types() -> dict[str, ResourceType]:
    _, *lines = RESOURCE_TYPES.read_text(encoding="utf-8").splitlines()
    entries = map(json.loads, lines)
    return {
        entry["name"]: ResourceType(
            entry["name"],
            tuple(entry.get("documents", ())),
            tuple(entry.get("roles", ())),
            entry.get("grants", ""),
        )
        for entry in entries
    }
