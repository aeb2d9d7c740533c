"""`cdktf plan` of one role against the local AWS, beside plain Terraform on the same JSON.

Each way plans in a folder that it has planned in before, as a person does or a pipeline that keeps its folder.
"""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from benchmarks import shop, synth
from benchmarks.environments import CDKTF, NODE, PYTHON, REPOSITORY
from benchmarks.measure import Result, Way, kept_environment, side_by_side
from terraform_cli import installation

PLAIN = "terraform init && terraform plan"
PROJECT = f"cdktf plan, {synth.PROJECT}"
COMMAND = f"python -m commands.plan, {synth.PROJECT}"
DOCUMENTED = f"cdktf plan, {synth.DOCUMENTED}"


def run(work: Path, *, rounds: int, progress: Callable[[str], None]) -> dict[str, Result]:
    """Measure all ways.

    Raises:
        TerraformMissingError: terraform is not installed.
        FailedError: a program has failed.
    """
    roles = shop.role_names(1)
    with shop.account(roles) as aws:
        shared = kept_environment(
            **aws.environment,
            **installation.settings(work / "terraform"),
            PATH=os.pathsep.join([str(PYTHON.parent), os.environ["PATH"]]),
            VIRTUAL_ENV=str(PYTHON.parent.parent),
            CDKTF_LOG_FILE_DIRECTORY=str(work),
        )
        return side_by_side(_ways(work, shared, roles), rounds=rounds, progress=progress)


def _ways(work: Path, shared: dict[str, str], roles: list[str]) -> list[Way]:
    configuration = shop.write_configuration(work / "glue-sessions.yaml", roles)
    # what the Makefile sets
    environment = {
        **shared,
        "GLUE_SESSIONS_CONFIG": str(configuration),
        "DISABLE_VERSION_CHECK": "1",
        "NODE_COMPILE_CACHE": str(work / "compiled JavaScript"),
    }
    # without internet, terraform providers lock has nobody to ask
    plan = (CDKTF, "plan", "--skip-provider-lock")
    project = Way(PROJECT, (*plan, "--output", work / "project"), REPOSITORY, environment)
    project.seconds()
    (stack,) = (work / "project/stacks").glob("*/cdk.tf.json")

    folder = work / "documented"
    folder.mkdir()
    (folder / "main.py").write_text(synth.documented())
    settings = {"language": "python", "app": "python main.py", "projectId": "benchmark", "sendCrashReports": "false"}
    (folder / "cdktf.json").write_text(json.dumps(settings))
    documented = {**shared, "BENCHMARK_STACK": str(stack), "JSII_NODE": str(NODE)}

    plain = work / "plain"
    plain.mkdir()
    shutil.copy(stack, plain)
    options = "-input=false -no-color"
    script = f'"$0" init {options} && "$0" plan {options} -out=plan'
    own = work / "command"
    return [
        project,
        Way(COMMAND, (PYTHON, "-m", "commands.plan", "--json"), REPOSITORY, {**environment, "CDKTF_OUTDIR": str(own)}),
        Way(PLAIN, ("sh", "-c", script, installation.binary()), plain, shared),
        Way(DOCUMENTED, plan, folder, documented),
    ]
