"""Many stacks in one Terraform configuration: the JSON of each as synthesized, under separate addresses."""

import json
import re
from collections.abc import Mapping
from typing import Any

_GATHERED = ("import", "removed")


def merged(stacks: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return one configuration of all stacks; its state is that of the last one.

    Args:
        stacks: documents of `cdk.tf.json`, by a name of letters, digits, `_` and `-` that its addresses get.
    """
    root: dict[str, Any] = {}
    for name, document in stacks.items():
        for kind, blocks in _renamed(document, name).items():
            if kind in _GATHERED:
                root.setdefault(kind, []).extend(blocks)
            elif kind in ("resource", "data"):
                for type_, named in blocks.items():
                    root.setdefault(kind, {}).setdefault(type_, {}).update(named)
            elif kind in ("locals", "check"):
                root.setdefault(kind, {}).update(blocks)
            else:
                root[kind] = blocks
    return root


def _renamed(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    text = json.dumps({kind: blocks for kind, blocks in document.items() if kind != "//"})
    text = re.sub(r"\blocal\.(\w+)", rf"local.{name}_\1", text)
    text = re.sub(r"\b(aws_iam_role\w*)\.(live|execution_role|glue_sessions)\b", rf"\1.{name}", text)
    found: dict[str, Any] = json.loads(text)
    for kind in ("resource", "data"):
        for type_, named in found.get(kind, {}).items():
            (block,) = named.values()
            found[kind][type_] = {name: block}
    for kind in ("locals", "check"):
        if kind in found:
            found[kind] = {f"{name}_{key}": block for key, block in found[kind].items()}
    return found
