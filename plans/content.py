"""The JSON object of a plan, from the content of a file; any other content is named for what it is.

Source of the shapes: Terraform's "JSON Output Format" and "Machine-Readable UI", the HCP Terraform API's "Plans" and
"Plan Exports", OpenTofu's "State and Plan Encryption".
"""

import json
import re
import zlib

from plans.values import Json

SHOW = "the output of `terraform show -json PLAN`"
"""What to supply in place of anything that is not a plan."""

SUPPORTED_MAJOR_VERSIONS = ("0", "1")

MAX_DEPTH = 200
"""Most levels of objects and lists; a value of the AWS provider 5 has 29 at most. Reading takes calls for each."""

_LOG = f"is the log of `terraform plan -json`, which lacks the plan; supply {SHOW}"
_STATE = "is a state, not a plan; run `terraform plan -out PLAN` and supply PLAN"
_HCP = "supply the run's JSON plan: `json-output` of the API, or `terraform show -json PLAN`"
_TOO_DEEP = f"is JSON of more than {MAX_DEPTH} levels, too many for a plan; supply {SHOW}"

_OTHERS: dict[str, str] = {
    "@level": _LOG,
    "remote_plan_format": f"is the bookmark of a plan in HCP Terraform; supply {SHOW}, which reads the plan from there",
    "plan_format_version": f"is HCP Terraform's redacted plan, which lacks values; {_HCP}",
    "data": f"is a response of HCP Terraform's API, not the plan that it is about; {_HCP}",
    "encrypted_data": "is encrypted by OpenTofu; supply the output of `tofu show -json PLAN`",
    "provider_schemas": f"is a provider schema, not a plan; supply {SHOW}",
    "diagnostics": f"is the result of `terraform validate -json`, not a plan; supply {SHOW}",
    "values": _STATE,
    "lineage": _STATE,
}
"""What an object is that is not a plan, by a key that only it has."""


def load(content: bytes) -> dict[str, Json]:
    """Return the JSON object of a plan.

    Args:
        content: the content of a file, in UTF-8, UTF-16 or UTF-32, with or without a byte order mark.

    Raises:
        ValueError: it is something else; the message names it and the remedy, and completes a sentence about it.
    """
    text = _decoded(content)
    try:
        body: Json = json.loads(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    except json.JSONDecodeError as error:
        raise ValueError(_not_json(text, error)) from None
    except ValueError:
        raise ValueError(f"has a number of too many digits to be a plan; supply {SHOW}") from None
    if _is_deeper(body, MAX_DEPTH):
        raise ValueError(_TOO_DEEP)
    if not isinstance(body, dict):
        raise ValueError(f"is not a plan; supply {SHOW}")
    if "format_version" not in body or not body.keys() & {"resource_changes", "planned_values"}:
        known = next((what for key, what in _OTHERS.items() if key in body), None)
        if body.keys() <= {"format_version", "terraform_version"} and body:
            known = _STATE  # an empty one
        raise ValueError(known or f"is not a plan; supply {SHOW}")
    version = body["format_version"]
    if not isinstance(version, str) or version.partition(".")[0] not in SUPPORTED_MAJOR_VERSIONS:
        raise ValueError(f'has format_version {json.dumps(version)[:40]}; supported are "0.x" and "1.x"')
    return body


def _decoded(content: bytes) -> str:
    if content.startswith(b"\x1f\x8b"):
        raise ValueError(_compressed(content))
    encoding = json.detect_encoding(content)
    try:
        return content.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise ValueError(f"is neither a saved plan nor text in UTF-8 or UTF-16; supply {SHOW}") from None


def _compressed(content: bytes) -> str:
    """Return what a gzip file is, by its first block: tar writes `ustar` at its 257th byte."""
    try:
        start = zlib.decompressobj(wbits=31).decompress(content, 512)
    except zlib.error:
        start = b""
    if start[257:262] == b"ustar":
        return f"is a gzip archive, like HCP Terraform's plan export, which holds mock data for Sentinel; {_HCP}"
    return "is compressed with gzip; decompress it with `gunzip` and supply the result"


_PLAN = re.compile(r'\{\s*"format_version"')
_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
_PRINTED = re.compile(r"(Terraform|OpenTofu) (will|used|has|planned|detected)\b|No changes\.")


def _not_json(text: str, error: json.JSONDecodeError) -> str:
    """Return what a text is that is not JSON.

    Args:
        text: the text.
        error: where the JSON parser stopped.
    """
    body = text.strip()
    if not body:
        return f"is empty; supply a saved plan or {SHOW}"
    if body.startswith('{"@'):
        return _LOG
    plan = _PLAN.search(body)
    if plan and plan.start():
        return (
            f"has text before the JSON, {_quoted(body)}, as wrappers of Terraform write; supply the JSON alone "
            "(hashicorp/setup-terraform: `terraform_wrapper: false`; Terragrunt: `--log-disable`)"
        )
    if error.msg == "Extra data":
        rest = text[error.pos :].strip()
        if rest.startswith("{"):
            return "holds several JSON documents; supply each plan in a file of its own"
        return f"has text after the JSON, {_quoted(rest)}; supply the JSON alone"
    ends = body.endswith("}") and error.pos < len(text.rstrip()) and not error.msg.startswith("Unterminated")
    if body.startswith("{") and not ends:
        return f"is cut off: its JSON has no end; supply all of {SHOW}"
    if _PRINTED.search(_ESCAPES.sub("", body)):
        return f"is what `terraform plan` prints for people; supply a saved plan or {SHOW}"
    return f"is neither a saved plan nor JSON; supply {SHOW}"


def _quoted(text: str) -> str:
    """Return the start of a text's first line in quotes."""
    line = text.splitlines()[0]
    return f"{line[:60]!r}" + "…" * (len(line) > 60)


def _is_deeper(value: Json, levels: int) -> bool:
    """Return whether a value nests objects and lists deeper than this; it takes no recursion."""
    level = [value]
    for _ in range(levels):
        level = [
            child
            for each in level
            for child in (each.values() if isinstance(each, dict) else each if isinstance(each, list) else ())
            if isinstance(child, (dict, list))
        ]
        if not level:
            return False
    return True
