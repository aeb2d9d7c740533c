"""The rules for workflow files."""

import re
from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from commands.pipeline.__main__ import STEPS
from tests.repository import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").iterdir())

# the least permissions of each job's token
PERMISSIONS = {
    "tests.yaml": {"tests": {"contents": "read"}},
    "plan.yaml": {
        "stacks": {"contents": "read"},
        "plan": {"contents": "read", "id-token": "write"},
        "review": {"contents": "read", "pull-requests": "write"},
    },
    "apply.yaml": {
        "reviewed": {"actions": "read", "contents": "read", "pull-requests": "read"},
        "apply": {"actions": "read", "contents": "read", "id-token": "write"},
    },
    "drift.yaml": {"drift": {"contents": "read", "id-token": "write", "issues": "write"}},
}

_PINNED = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40}")
_MAKE = re.compile(r"make ((?:[a-z-]+ ?)+?)(?: (?:STACK|VERSION)=\"\$(\w+)\")?")


def read(text: str) -> Any:
    """Parse a workflow as YAML 1.2, in which `on` is a string."""
    return YAML(typ="safe").load(text)


def violations(name: str, text: str) -> Iterator[str]:
    """Yield one line for each rule that a workflow violates.

    Args:
        name: the file's name.
        text: the file's content.
    """
    try:
        workflow = read(text)
    except YAMLError as error:
        yield f"is not YAML: {' '.join(str(error).split())}"
        return
    for key in workflow.keys() - {"name", "on", "permissions", "concurrency", "env", "jobs"}:
        yield f"has an unknown key {key}"
    if workflow.get("permissions") != {}:
        yield "gives its token permissions for all jobs"
    if "pull_request_target" in workflow["on"]:
        yield "runs the code of forks with permissions of this repository"
    if "secrets." in text:
        yield "uses a secret"
    if {job: settings.get("permissions") for job, settings in workflow["jobs"].items()} != PERMISSIONS[name]:
        yield "gives a job other permissions than the least"
    yield from _pins(text)
    for job, settings in workflow["jobs"].items():
        yield from (f"{job}: {violation}" for violation in _job(settings, workflow["jobs"]))


def _pins(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if "uses:" in line and not re.fullmatch(rf" +(- )?uses: {_PINNED.pattern} # v\d+\.\d+\.\d+", line):
            yield f"is not pinned to the commit of a named version: {line.strip()}"


def _job(job: dict[str, Any], jobs: dict[str, Any]) -> Iterator[str]:
    for key in ("name", "runs-on", "timeout-minutes"):
        if key not in job:
            yield f"has no {key}"
    needs = [job["needs"]] if isinstance(job.get("needs"), str) else job.get("needs", [])
    for needed, output in re.findall(r"needs\.([\w-]+)\.(?:result|outputs\.(\w+))", str(job)):
        if needed not in needs:
            yield f"does not need {needed}, whose result it uses"
        elif output and output not in jobs[needed]["outputs"]:
            yield f"uses the output {output}, which {needed} does not set"
    ids = {step.get("id") for step in job["steps"]}
    for step_id in re.findall(r"steps\.([\w-]+)\.", str(job)):
        if step_id not in ids:
            yield f"has no step {step_id}"
    for step in job["steps"]:
        yield from _step(step)


def _step(step: dict[str, Any]) -> Iterator[str]:
    if ("uses" in step) == ("run" in step):
        yield "has a step that has neither run nor uses, or both"
        return
    if "uses" in step:
        if step["uses"].startswith("actions/checkout@") and step.get("with") != {"persist-credentials": False}:
            yield "keeps the token in the clone"
        if "setup-terraform@" in step["uses"] and step["with"].get("terraform_wrapper") is not False:
            yield "wraps terraform, which hides its exit status"
        return
    call = _MAKE.fullmatch(step["run"])
    if call is None:
        yield f"runs more than make: {step['run']}"
        return
    for target in call[1].split():
        if not has_target(target):
            yield f"calls the missing target {target}"
    if call[2] and call[2] not in step.get("env", {}):
        yield f"passes {call[2]}, which is not in the step's env"


def has_target(target: str) -> bool:
    """Return whether the Makefile has a target."""
    if target.removeprefix("pipeline-") in STEPS:
        return True
    return re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE) is not None
