"""The command `verify`: see docs/verify.md."""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from commands import command_line

if TYPE_CHECKING:
    from aws.errors import Errors
    from commands.verify.checking import Checker
    from commands.verify.results import Result
    from configuration import Configuration, RoleStack


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 0 if every role is ready, 1 if one is not, 2 if one could not be checked."""
    options = command_line.parse(parser(), arguments, calls_aws=True)
    # imported here to keep --help and argument errors fast
    from configuration import exit_with_error, load_or_exit
    from terraform_cli.stacks import StacksError, chosen

    configuration = load_or_exit()
    try:
        stacks = chosen(configuration.role_stacks, options.stacks)
    except StacksError as error:
        exit_with_error(error)
    if options.start_session and not _confirmed(options):
        return command_line.EXIT_CANNOT_RUN
    return _check(configuration, stacks, options)


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    result = command_line.parser(
        "verify",
        "Check roles in AWS: whether they match glue-sessions.yaml, and whether the Glue kernel's calls are allowed."
        " Changes nothing in AWS, except for the session that --start-session starts and deletes.",
        "Exit status: 0 every role is ready, or released as configured; 1 one is not; 2 one could not be checked.",
    )
    command_line.add_stacks(result)
    command_line.add_format(result)
    add = result.add_argument
    add("--all", action="store_true", help="also print each call of each role, with the reason of its verdict")
    add("--start-session", action="store_true", help="start a minimal session with each ready role; this costs money")
    add("--yes", action="store_true", help="with --start-session: do not ask for confirmation of the cost")
    return result


def _confirmed(options: argparse.Namespace) -> bool:
    """Print the cost of sessions and ask for confirmation; without a terminal, --yes is required."""
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
    from aws.errors import AWS_ERRORS, Errors, in_words
    from commands import page
    from commands.verify.checking import Checker
    from commands.verify.results import exit_status, print_results, to_json
    from terraform_cli import progress

    errors = Errors()
    try:
        account = Account(boto3.Session(), calls=Calls(), region=stacks[0].environment.region)
        account.identity  # noqa: B018, read first: without credentials nothing else works
    except AWS_ERRORS as error:
        print(in_words(error), file=sys.stderr)
        return command_line.EXIT_CANNOT_RUN
    with ThreadPoolExecutor(WORKERS) as pool, progress.shown() as steps:
        checker = Checker(account, pool, errors, steps, configuration)
        try:
            results = checker.check(stacks)
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
            raise
    notes = [] if options.stacks else _orphaned_states(configuration, errors)
    if options.start_session:
        notes += _start_sessions(checker, results)
    if options.format == "json":
        print(json.dumps(to_json(results, notes=notes, errors=errors.lines, calls=account.calls), indent=2))
    else:
        print_results(results, page.console(), notes=notes, everything=options.all)
    for line in errors.lines:
        print(line, file=sys.stderr)
    return exit_status(results)


def _orphaned_states(configuration: "Configuration", errors: "Errors") -> list[str]:
    from aws.errors import AWS_ERRORS
    from aws.orphaned_states import orphaned_states

    try:
        return [str(each) for each in orphaned_states(configuration)]
    except AWS_ERRORS as error:
        errors.add(f"s3://{configuration.state.bucket}", "orphaned states", error)
        return []


def _start_sessions(checker: "Checker", results: "Sequence[Result]") -> list[str]:
    """Start a session with each role that is ready or undecided, one after the other; return notes."""
    from commands.verify.problems import SessionFailed
    from commands.verify.session import run_session

    for result in results:
        if result.state not in ("ready", "undecided") or result.role_arn is None:
            print(f"{result.stack.name}: {result.state}, no session is started", file=sys.stderr)
            continue

        def report(step: str, name: str = result.stack.name) -> None:
            print(f"{name}: {step}", file=sys.stderr, flush=True)

        result.session = run_session(
            checker.accounts[result.stack.environment_name],
            result.role_arn,
            region=result.stack.environment.region,
            report=report,
        )
        if not result.session.ran:
            result.state = "not ready"
            result.problems = [*result.problems, SessionFailed(result.session.output)]
    return [
        "the caller started the sessions and passed the roles: this shows that Glue can assume each role and that Spark"
        " answers; the tables show which calls the role itself may make"
    ]


if __name__ == "__main__":
    command_line.run(main)
