"""Where a stack's folder keeps its state: at the last run here, and as the stack says now.

Terraform records the backend of its last `init` in the folder, and stops at any other: "Backend configuration changed".
The same state, reached in another way, is no reason to stop. Another state is: a plan on an empty one adopts the role
again, and two states would own it.
"""

import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from iam.arn import partition_of


@dataclass(frozen=True)
class Place:
    """The object that holds a state: bucket names are unique in a partition, or at an endpoint."""

    bucket: str
    key: str
    partition: str
    endpoint: str = ""


def places(folder: Path, data: Path) -> tuple[Place, Place] | None:
    """Return where the state of a stack was at the last run here, and where it is now; None if one is not known.

    Args:
        folder: the stack's.
        data: the folder in which Terraform records the backend, usually `.terraform`.
    """
    try:
        last = json.loads((data / "terraform.tfstate").read_bytes())["backend"]["config"]
        now = json.loads((folder / "cdk.tf.json").read_bytes())["terraform"]["backend"]["s3"]
        return _place(last), _place(now)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def other_place(last: Place, now: Place, folder: Path, data: Path) -> str:
    """Return the error of a stack whose state is at another place now, the same line for all stacks that ran here."""
    was, is_now = last.key.split("/"), now.key.split("/")
    while was and is_now and was[-1] == is_now[-1]:
        del was[-1], is_now[-1]
    every = Path(*("*" if part == folder.name else part for part in data.parts))
    several = len(list(Path(every.anchor).glob(str(every.relative_to(every.anchor))))) > 1
    recorded = every if several else data
    if recorded.is_relative_to(Path.cwd()):
        recorded = recorded.relative_to(Path.cwd())
    # quoted, but for the wildcard
    folders = "*".join(shlex.quote(part) if part else "" for part in str(recorded).split("*"))
    which = ", for all stacks, which share this setting" if several else ""
    return (
        f"`state` names {_shown(now, is_now)}, and the last run here used {_shown(last, was)}: set it back; or, to use"
        f" the state at the new place from now on, which adopts the role again if it has no state there, run rm -r"
        f" {folders}{which}"
    )


def _shown(place: Place, prefix: list[str]) -> str:
    where = [place.partition] * (place.partition != "aws") + [place.endpoint] * bool(place.endpoint)
    return "/".join(["s3:/", place.bucket, *prefix]) + (f" ({', '.join(where)})" if where else "")


def _place(backend: dict[str, Any]) -> Place:
    endpoints = backend.get("endpoints") or {}
    return Place(backend["bucket"], backend["key"], partition_of(backend["region"]), endpoints.get("s3") or "")
