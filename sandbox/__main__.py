"""`python -m sandbox`: run the local AWS until a signal ends it."""

import argparse
import fcntl
import os
import shlex
import signal
import sys
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path

from sandbox import environment
from sandbox.iam_rules import Quotas

DEFAULT_SESSIONS_QUOTA = 4


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    result = argparse.ArgumentParser(
        prog="glue-sessions sandbox",
        description="A local AWS for demos and tests: IAM, STS, S3, SageMaker and Glue over TLS "
        "on 127.0.0.1. It keeps nothing: everything in it is lost when it ends.",
        epilog="Ends on Ctrl-C or SIGTERM. Exit status: 0 stopped by a signal; 2 could not run.",
    )
    result.add_argument("--port", type=int, default=0, metavar="N", help="port to listen on (default: a free one)")
    result.add_argument(
        "--directory",
        type=Path,
        metavar="DIR",
        help="where to write the certificate and the file `environment`, for a shell to source "
        "(default: a temporary directory, removed at the end)",
    )
    result.add_argument("--verbose", action="store_true", help="write a line for each request to stderr")
    result.add_argument(
        "--until-stdin-closes",
        action="store_true",
        help="end when standard input closes, so that the sandbox never outlives its parent process",
    )
    quotas = result.add_argument_group("IAM quotas that AWS raises on request")
    quotas.add_argument(
        "--trust-policy-quota",
        type=int,
        default=Quotas.trust_policy_characters,
        metavar="N",
        help="characters of a role's trust policy, excluding white space (default: %(default)s)",
    )
    quotas.add_argument(
        "--attached-policies-quota",
        type=int,
        default=Quotas.attached_policies,
        metavar="N",
        help="managed policies attached to a role (default: %(default)s)",
    )
    result.add_argument(
        "--sessions-quota",
        type=int,
        default=DEFAULT_SESSIONS_QUOTA,
        metavar="N",
        help="concurrent Glue sessions, each a Spark process of about 700 MB (default: %(default)s)",
    )
    return result


def main() -> int:
    """Run the sandbox; return the exit status."""
    arguments = parser().parse_args()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    if arguments.until_stdin_closes:
        threading.Thread(target=_wait_for_stdin_to_close, args=[ended], daemon=True).start()

    with ExitStack() as cleanup:
        try:
            directory = arguments.directory
            if directory is None:
                temporary = tempfile.TemporaryDirectory(prefix="sandbox-")
                directory = Path(cleanup.enter_context(temporary))
            directory.mkdir(parents=True, exist_ok=True)
            if not _claim(directory, cleanup):
                print(
                    f"sandbox: cannot run: another sandbox uses {directory}: supply another directory", file=sys.stderr
                )
                return 2
            _serve(arguments, directory.resolve(), ended, cleanup)
        except (OSError, OverflowError) as error:
            print(f"sandbox: cannot run: {error}", file=sys.stderr)
            return 2
    return 0


def _claim(directory: Path, cleanup: ExitStack) -> bool:
    """Return whether this sandbox is the only one of a directory, and keep it so until this process ends."""
    descriptor = os.open(directory, os.O_RDONLY)
    cleanup.callback(os.close, descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _serve(arguments: argparse.Namespace, directory: Path, ended: threading.Event, cleanup: ExitStack) -> None:
    # set before moto is used; `assembly` imports all of moto, which --help does not need
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
    cleanup.callback(running.stop)
    path = environment.write(directory, running.variables)
    cleanup.callback(path.unlink, missing_ok=True)
    print(
        f"The local AWS is ready. To use it from a shell:\n\n    source {shlex.quote(str(path))}\n\nwhich is\n",
        flush=True,
    )
    print(environment.exports(running.variables), flush=True)
    ended.wait()


def _wait_for_stdin_to_close(ended: threading.Event) -> None:
    while os.read(0, 4096):
        pass
    ended.set()


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # sys.exit would wait for threads that wait for clients
