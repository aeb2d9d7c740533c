"""The demo from its start to its end."""

import argparse
import os
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

from commands.demo import shell
from commands.demo.journey import STEPS, DemoError, Journey
from commands.demo.narrator import Narrator
from configuration import exit_with_error
from sandbox.launcher import Sandbox, SandboxError
from terraform_cli import installation

_REPOSITORY = Path(__file__).resolve().parents[2]


def run() -> int:
    """Run the demo; give the exit status. Ctrl-C, and SIGTERM, raise KeyboardInterrupt once all is ended."""
    argparse.ArgumentParser(
        prog="python -m commands.demo",
        description="Plan, apply, drift and repair on a local AWS: no account is needed, nothing is left behind.",
        epilog="Exit status: 0 all went as told, 1 something did not, 2 could not run.",
    ).parse_args()
    signal.signal(signal.SIGTERM, _interrupt)
    # for this process too: boto3 would read the user's profile
    own = shell.own_environment(os.environ)
    os.environ.clear()
    os.environ.update(own)
    try:
        installation.check()
        _tell(Narrator())
    except (installation.TerraformMissingError, SandboxError) as error:
        exit_with_error(error)
    except DemoError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _tell(narrator: Narrator) -> None:
    started = time.monotonic()
    with ExitStack() as at_the_end:
        directory = Path(at_the_end.enter_context(tempfile.TemporaryDirectory(prefix="glue-sessions-demo-")))
        narrator.say("Starting a local AWS on this machine: IAM, STS, S3, SageMaker and Glue, over TLS.")
        with narrator.running("starting"):
            aws = at_the_end.enter_context(Sandbox())
        environment = {
            **os.environ,
            **aws.environment,
            **installation.settings(_REPOSITORY / ".local" / "terraform"),
            "GLUE_SESSIONS_CONFIG": str(directory / "glue-sessions.yaml"),
            # cdktf reads its options from such variables too
            "CDKTF_OUTPUT": str(directory / "cdktf.out"),
            "CDKTF_SKIP_PROVIDER_LOCK": "true",
            "CDKTF_DISABLE_PLUGIN_CACHE_ENV": "true",
            "CDKTF_NO_COLOR": str(not narrator.colours).lower(),
            # cdktf then writes no animation
            "CI": "true",
        }
        commands = at_the_end.enter_context(shell.Shell(_REPOSITORY, environment))
        journey = Journey(aws, commands, narrator, directory, results=_REPOSITORY / ".local" / "demo")
        for number, step in enumerate(STEPS, start=1):
            narrator.heading(f"{number}/{len(STEPS)}  {step.__doc__}")
            step(journey)
    narrator.heading(f"All of it in {time.monotonic() - started:.0f} s, and nothing of it is left running.")


def _interrupt(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt
