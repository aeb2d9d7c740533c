"""The command `demo`: grant, drift and repair on a local AWS."""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from commands import command_line

if TYPE_CHECKING:
    from commands.demo.output import Output

_REPOSITORY = Path(__file__).resolve().parents[2]

INTERRUPTED = "interrupted, nothing is left running"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; return 0 for success, 1 if a step has an unexpected result, 2 if the demo cannot start."""
    options = parser().parse_args(arguments)
    # imported here to keep --help and argument errors fast
    from commands.demo import shell
    from commands.demo.output import Output
    from commands.demo.steps import DemoError
    from configuration import exit_with_error
    from sandbox.launcher import SandboxError
    from terraform_cli import installation
    from terraform_cli.interruption import sigterm_as_interrupt

    # also for this process: boto3 would read the user's profile
    environment = shell.without_user_settings(os.environ)
    os.environ.clear()
    os.environ.update(environment)
    try:
        installation.check()
        with sigterm_as_interrupt():
            _run(Output(verbose=options.verbose))
    except (installation.TerraformMissingError, SandboxError) as error:
        exit_with_error(error)
    except DemoError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    result = command_line.parser(
        "demo",
        "Plan, apply, drift and repair on a local AWS. Needs no AWS account, and leaves nothing running.",
        "Exit status: 0 success; 1 a step had an unexpected result; 2 the demo could not start.",
    )
    result.add_argument("--verbose", action="store_true", help="also print each command and its output")
    return result


def _run(output: "Output") -> None:
    from commands.demo.shell import Shell
    from commands.demo.steps import OWN_ACCOUNT, STEPS, Demo
    from sandbox.launcher import Sandbox
    from terraform_cli import installation

    started = time.monotonic()
    with ExitStack() as cleanup:
        directory = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="glue-sessions-demo-")))
        with output.step("Start a local AWS"):
            aws = cleanup.enter_context(Sandbox())
            output.result("IAM, STS, S3, SageMaker and Glue, over TLS")
        environment = {
            **os.environ,
            **aws.environment,
            **installation.settings(_REPOSITORY / ".local" / "terraform"),
            "GLUE_SESSIONS_CONFIG": str(directory / "glue-sessions.yaml"),
            # where cdktf, and the commands of this project, write to
            "CDKTF_OUTPUT": str(directory / "cdktf.out"),
            "CDKTF_OUTDIR": str(directory / "cdktf.out"),
            "CDKTF_SKIP_PROVIDER_LOCK": "true",
            "CDKTF_DISABLE_PLUGIN_CACHE_ENV": "true",
            "CDKTF_NO_COLOR": str(not output.colors).lower(),
            # suppresses cdktf's animation
            "CI": "true",
        }
        commands = cleanup.enter_context(Shell(_REPOSITORY, environment))
        demo = Demo(aws, commands, output, directory, results=_REPOSITORY / ".local" / "demo")
        for step in STEPS:
            with output.step(str(step.__doc__).replace("cdktf", demo.cdk)):
                step(demo)
    output.end(f"Done in {time.monotonic() - started:.0f} s, and nothing is left running. {OWN_ACCOUNT}")


if __name__ == "__main__":
    command_line.run(main, interrupted=INTERRUPTED)
