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
    "tests.yaml": {"changes": {"contents": "read"}, "tests": {"contents": "read"}, "gate": {}},
    "plan.yaml": {
        "stacks": {"contents": "read"},
        "plan": {"contents": "read", "id-token": "write"},
        "review": {"contents": "read", "pull-requests": "write"},
        "gate": {},
    },
    "apply.yaml": {
        "reviewed": {"actions": "read", "contents": "read", "pull-requests": "read"},
        "apply": {"actions": "read", "contents": "read", "id-token": "write"},
    },
    "drift.yaml": {"drift": {"contents": "read", "id-token": "write", "issues": "write"}},
}

_PINNED = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40}")
_MAKE = re.compile(r"make ((?:[a-z-]+ ?)+?)(?: (?:STACK|VERSION|FOLDER|ROW)=\"\$(\w+)\")?")


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
    if "pull_request" in workflow["on"] and len((workflow["on"]["pull_request"] or {}).get("branches", [])) != 1:
        yield "checks pull requests into any branch: one that is retargeted keeps the checks of its commit"
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
    if job["name"].endswith(" gate"):
        yield from _gate(job, jobs)
    if job["permissions"].get("pull-requests") == "write":
        yield from _comments(job)
    ids = {step.get("id") for step in job["steps"]}
    for step_id in re.findall(r"steps\.([\w-]+)\.", str(job)):
        if step_id not in ids:
            yield f"has no step {step_id}"
    for step in job["steps"]:
        if job["permissions"] or "run" not in step:
            yield from _step(step)


def _gate(job: dict[str, Any], jobs: dict[str, Any]) -> Iterator[str]:
    if job.get("if") != "always()":
        yield "may be skipped, which counts as passed"
    if missing := jobs.keys() - {"gate"} - set(job["needs"]):
        yield f"passes whatever happens to {', '.join(sorted(missing))}"
    if job["permissions"]:
        yield "has permissions, and needs none"


def _comments(job: dict[str, Any]) -> Iterator[str]:
    """A job that may comment runs only main's code, so that a pull request cannot write its own review."""
    if "id-token" in job["permissions"]:
        yield "may both comment and assume a role in AWS"
    for step in job["steps"]:
        if step.get("uses", "").startswith("actions/checkout@"):
            into_folder, ref = "path" in step["with"], step["with"].get("ref")
            if not into_folder and ref != "${{ github.base_ref }}":
                yield "comments, and runs the code of the pull request"
        downloads = step.get("uses", "").startswith("actions/download-artifact@")
        # a link in the pull request's files could lead anywhere
        if downloads and not step["with"]["path"].startswith("${{ runner.temp }}/"):
            yield "comments, and puts what the pull request's code wrote where main's code can be"


def _step(step: dict[str, Any]) -> Iterator[str]:
    if ("uses" in step) == ("run" in step):
        yield "has a step that has neither run nor uses, or both"
        return
    if "uses" in step:
        checkout = step["uses"].startswith("actions/checkout@")
        if checkout and step.get("with", {}).get("persist-credentials") is not False:
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
