"""The command `verify`: see docs/verify.md."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from commands import command_line

if TYPE_CHECKING:
    from commands.verify.checking import Checker
    from commands.verify.results import Result
    from configuration import Configuration, RoleStack


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 is ready, 1 that a role is not, 2 that something could not be checked."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="verify",
        description="Check live roles against what glue-sessions.yaml declares and what the Glue kernel needs. Changes"
        " nothing in AWS, but for the session that --start-session starts and ends.",
        epilog="exit status: 0 every role is ready, 1 one is not, 2 one could not be checked",
    )
    command_line.add_stacks(parser)
    add = parser.add_argument
    add("--json", action="store_true", help="print JSON (docs/verify.md)")
    add("--start-session", action="store_true", help="start a smallest session with each ready role; this costs money")
    add("--yes", action="store_true", help="with --start-session: do not ask whether it may cost that")
    return parser


def _run(options: argparse.Namespace) -> int:
    from configuration import exit_with_error, load_or_exit
    from terraform_cli.stacks import StacksError, chosen

    configuration = load_or_exit()
    try:
        stacks = chosen(configuration.role_stacks, options.stacks)
    except StacksError as error:
        exit_with_error(error)
    if options.start_session and not _agreed(options):
        return 2
    return _check(configuration, stacks, options)


def _agreed(options: argparse.Namespace) -> bool:
    """Say what sessions cost, and ask; without a terminal --yes is the answer."""
    from commands.verify.session import COST

    print(f"{COST}, for each role that is ready", file=sys.stderr)
    if options.yes:
        return True
    if not sys.stdin.isatty():
        print("supply --yes with --start-session, there is no terminal to ask on", file=sys.stderr)
        return False
    print("start them? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() in ("y", "yes"):
        return True
    print("no session was started", file=sys.stderr)
    return False


def _check(configuration: "Configuration", stacks: "Sequence[RoleStack]", options: argparse.Namespace) -> int:
    from concurrent.futures import ThreadPoolExecutor

    import boto3

    from aws.account import WORKERS, Account, Calls
    from aws.errors import AWS_ERRORS, Faults, in_words
    from aws.orphaned_states import left_over
    from commands.verify.checking import Checker
    from commands.verify.results import exit_status, print_results, to_json
    from terraform_cli import progress

    faults = Faults()
    try:
        account = Account(boto3.Session(), calls=Calls(), region=stacks[0].environment.region)
        account.identity  # noqa: B018, asked before all else: without credentials nothing can be done
    except AWS_ERRORS as error:
        print(in_words(error), file=sys.stderr)
        return 2
    with ThreadPoolExecutor(WORKERS) as pool, progress.shown() as steps:
        checker = Checker(account, pool, faults, steps)
        try:
            results = checker.check(stacks)
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
            raise
    notes: list[str] = []
    if not options.stacks:
        try:
            notes += left_over(configuration)
        except AWS_ERRORS as error:
            faults.add(f"s3://{configuration.state.bucket}", "states of roles no longer configured", error)
    if options.start_session:
        notes += _start_sessions(checker, results)
    if options.json:
        print(json.dumps(to_json(results, notes=notes, faults=faults.lines, calls=account.calls), indent=2))
    else:
        from rich.console import Console

        console = Console(soft_wrap=False)
        if not console.is_terminal and "COLUMNS" not in os.environ:
            console.width = 160
        print_results(results, console, notes=notes)
    for line in faults.lines:
        print(line, file=sys.stderr)
    return exit_status(results)


def _start_sessions(checker: "Checker", results: "Sequence[Result]") -> list[str]:
    """Start a session with each role that may be ready, one after the other."""
    from commands.verify.session import run_session

    for result in results:
        if result.state not in ("ready", "undecided") or result.role_arn is None:
            print(f"{result.stack.name}: {result.state}, no session is started", file=sys.stderr)
            continue

        def say(step: str, name: str = result.stack.name) -> None:
            print(f"{name}: {step}", file=sys.stderr, flush=True)

        result.session = run_session(
            checker.accounts[result.stack.environment_name],
            result.role_arn,
            region=result.stack.environment.region,
            say=say,
        )
        if not result.session.ran:
            result.state = "not ready"
    return [
        "the sessions were started by the caller, who passed the roles: that Glue takes a role on and Spark answers is"
        " shown, and what the role itself may call is in the tables alone"
    ]


if __name__ == "__main__":
    sys.exit(main())
