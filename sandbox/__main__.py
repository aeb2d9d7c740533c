"""`python -m sandbox`: run the local AWS until it is told to end."""

import argparse
import os
import signal
import sys
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path

from sandbox import environment
from sandbox.iam_quotas import Quotas

DEFAULT_SESSIONS_QUOTA = 4


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    made = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="A local AWS for demos and tests: IAM, STS, S3, SageMaker and Glue over TLS "
        "on 127.0.0.1. Nothing is kept: what is made in it is gone when it ends.",
        epilog="Ends on Ctrl-C or SIGTERM. Exit status: 0 ended as told, 2 could not run.",
    )
    made.add_argument("--port", type=int, default=0, metavar="N", help="port to listen on (default: a free one)")
    made.add_argument(
        "--directory",
        type=Path,
        metavar="DIR",
        help="where to put the certificate and the file `environment`, which a shell can source "
        "(default: a temporary one, removed at the end)",
    )
    made.add_argument("--verbose", action="store_true", help="write a line for each request to stderr")
    made.add_argument(
        "--until-stdin-closes",
        action="store_true",
        help="end when standard input does, so that whoever started the sandbox cannot leave it behind",
    )
    quotas = made.add_argument_group("IAM quotas that AWS raises on request")
    quotas.add_argument(
        "--trust-policy-quota",
        type=int,
        default=Quotas.trust_policy_characters,
        metavar="N",
        help="characters of a role's trust policy, white space not counted (default: %(default)s)",
    )
    quotas.add_argument(
        "--attached-policies-quota",
        type=int,
        default=Quotas.attached_policies,
        metavar="N",
        help="managed policies attached to a role (default: %(default)s)",
    )
    made.add_argument(
        "--sessions-quota",
        type=int,
        default=DEFAULT_SESSIONS_QUOTA,
        metavar="N",
        help="Glue sessions at the same time, each a Spark of about 700 MB (default: %(default)s)",
    )
    return made


def main() -> int:
    """Run the sandbox; return the exit status."""
    arguments = parser().parse_args()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    if arguments.until_stdin_closes:
        threading.Thread(target=_await_end_of_stdin, args=[ended], daemon=True).start()

    with ExitStack() as at_the_end:
        try:
            directory = arguments.directory
            if directory is None:
                temporary = tempfile.TemporaryDirectory(prefix="sandbox-")
                directory = Path(at_the_end.enter_context(temporary))
            directory.mkdir(parents=True, exist_ok=True)
            _serve(arguments, directory.resolve(), ended, at_the_end)
        except (OSError, OverflowError) as error:
            print(f"sandbox: cannot run: {error}", file=sys.stderr)
            return 2
    return 0


def _serve(arguments: argparse.Namespace, directory: Path, ended: threading.Event, at_the_end: ExitStack) -> None:
    # moto reads its settings when it is imported, which also takes two seconds: not for --help.
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
    from sandbox import assembly

    quotas = Quotas(arguments.trust_policy_quota, arguments.attached_policies_quota)
    running = assembly.start(
        directory,
        port=arguments.port,
        quotas=quotas,
        sessions_quota=arguments.sessions_quota,
        log_requests=arguments.verbose,
    )
    at_the_end.callback(running.end)
    path = environment.write(directory, running.variables)
    at_the_end.callback(path.unlink, missing_ok=True)
    print(f"The local AWS is ready. To use it from a shell:\n\n    source {path}\n\nwhich is\n", flush=True)
    print(environment.exports(running.variables), flush=True)
    ended.wait()


def _await_end_of_stdin(ended: threading.Event) -> None:
    while os.read(0, 4096):
        pass
    ended.set()


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # not sys.exit, which would wait for the threads that wait for their clients
