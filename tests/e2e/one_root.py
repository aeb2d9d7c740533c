"""Many stacks in one Terraform configuration: the JSON of each as synthesized, under separate addresses."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

COMMON = "cdk.tf.json"
"""The file with the blocks that a configuration has once."""

_MAIN = ("live", "execution_role", "glue_sessions")


def files_of(stacks: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the files of one configuration of all stacks; its backend and provider are those of the last one.

    Each stack has a file to itself, since Terraform reads the file again for each warning.

    Args:
        stacks: documents of `cdk.tf.json`, by a name of letters, digits, `_` and `-` that its addresses get.
    """
    files: dict[str, dict[str, Any]] = {}
    common: dict[str, Any] = {}
    for name, document in stacks.items():
        blocks = _renamed(document, name)
        common.update({kind: blocks.pop(kind) for kind in ("terraform", "provider") if kind in blocks})
        files[f"{name}.tf.json"] = blocks
    return {**files, COMMON: common}


def write(folder: Path, files: Mapping[str, Mapping[str, Any]]) -> None:
    """Write a configuration into a folder, in place of the one that is there."""
    for file in folder.glob("*.tf.json"):
        if file.name not in files:
            file.unlink()
    for name, document in files.items():
        # indented as CDKTF does it: Terraform repeats whole lines in the details of each warning
        (folder / name).write_text(json.dumps(document, indent=2))


def _renamed(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    def label(old: str) -> str:
        return name if old in _MAIN else f"{name}-{old}"

    text = json.dumps({kind: blocks for kind, blocks in document.items() if kind != "//"})
    text = re.sub(r"\blocal\.(\w+)", rf"local.{name}_\1", text)
    text = re.sub(r"\b(aws_iam_role(?:_policy(?:_attachment)?)?)\.(\w+)", lambda m: f"{m[1]}.{label(m[2])}", text)
    found: dict[str, Any] = json.loads(text)
    for kind in ("resource", "data"):
        for type_, named in found.get(kind, {}).items():
            found[kind][type_] = {label(old): block for old, block in named.items()}
    for kind in ("locals", "check"):
        if kind in found:
            found[kind] = {f"{name}_{key}": block for key, block in found[kind].items()}
    return found
