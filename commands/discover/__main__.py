"""The command `discover`: see docs/discover.md."""

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from commands import command_line
from commands.command_line import EXIT_CANNOT_RUN

INTERRUPTED = "interrupted, nothing was written"

if TYPE_CHECKING:
    from aws.account import Account
    from aws.errors import Errors
    from commands.discover.findings import RoleFinding
    from commands.discover.report import Discovery
    from configuration import Configuration


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 0 for success, 2 for failure."""
    own = parser()
    options = command_line.parse(own, arguments, calls_aws=True)
    for region in options.region or ():
        if not re.fullmatch(r"[a-z]{2,4}(-[a-z]+){1,2}-[0-9]{1,2}", region):
            own.error(f'supply the name of an AWS region, like eu-west-1, got "{region}"')
    if options.write is None and (options.additive or options.role):
        own.error("--additive and --role require --write")
    if options.write is not None and not re.fullmatch("[A-Za-z0-9][A-Za-z0-9_-]{0,31}", options.write):
        own.error(f'supply the name of an environment, 1 to 32 letters, digits, _ and -, got "{options.write}"')
    return _run(options)


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    result = command_line.parser(
        "discover",
        "Find SageMaker domains, user profiles and spaces, the execution role of each, and which of the grants for Glue"
        " interactive sessions those roles have. Changes nothing in AWS.",
        "Exit status: 0 success; 2 wrong arguments, no credentials, no region could be read, or nothing written.",
    )
    command_line.add_format(result)
    add = result.add_argument
    add("--region", nargs="+", metavar="R", help="regions to search (default: all enabled regions of the account)")
    add("--profile", metavar="P", help="profile of the AWS configuration")
    add("--all", action="store_true", help="also print all domains, and the grants of all roles, as tables")
    add("--write", metavar="ENV", help="add the roles to this environment of glue-sessions.yaml, created if missing")
    add("--role", nargs="+", metavar="NAME", help="with --write: add only these roles")
    add(
        "--additive",
        action="store_true",
        help="with --write: where a role trusts others too, leave its trust policy to them (ownership additive)",
    )
    return result


def _run(options: argparse.Namespace) -> int:
    # imported here to keep --help and argument errors fast
    import boto3

    from aws.account import Account, Calls
    from aws.errors import AWS_ERRORS, Errors, in_words

    errors = Errors()
    try:
        session = boto3.Session(profile_name=options.profile)
        account = Account(session, calls=Calls(), region=options.region[0] if options.region else None)
        account.identity  # noqa: B018, read first: without credentials nothing else works
    except AWS_ERRORS as error:
        print(in_words(error), file=sys.stderr)
        return EXIT_CANNOT_RUN
    discovery = _discover(account, options.region, errors)
    _print(discovery, options)
    for line in errors.lines:
        print(line, file=sys.stderr)
    if options.write is not None:
        return _write(discovery, options)
    return EXIT_CANNOT_RUN if errors.lines and not discovery.domains else 0


def _discover(account: "Account", regions: Sequence[str] | None, errors: "Errors") -> "Discovery":
    from concurrent.futures import ThreadPoolExecutor

    from aws.account import WORKERS
    from aws.roles import NoRole, missing_roles, read_quotas, read_roles
    from aws.state_grants import reader
    from commands.discover.findings import findings, own_stacks, role_arns
    from commands.discover.report import Discovery, environment_of
    from commands.discover.studio import enabled_regions, read_domains
    from configuration import ConfigurationError, configuration_path, load
    from iam.documents.quotas import Quotas
    from terraform_cli import progress

    began = time.monotonic()
    account_id = account.identity.account_id
    path = configuration_path(os.environ)
    configuration = None
    try:
        configuration = load(path, os.environ)
    except ConfigurationError as error:  # it only adds which roles are configured
        if path.exists():
            first, *more = error.errors
            others = f" (and {len(more)} more)" if more else ""
            print(f"roles count as not configured: {first}{others}", file=sys.stderr)
    with ThreadPoolExecutor(WORKERS) as pool, progress.shown() as steps:
        try:
            searched = list(dict.fromkeys(regions)) if regions else enabled_regions(account, errors)
            domains = read_domains(account, searched, pool=pool, errors=errors, progress=steps)
            arns = role_arns(domains)
            by_name = {arn.rpartition("/")[2]: arn for arn in arns if arn.split(":")[4] == account_id}
            for arn in arns:
                if arn.split(":")[4] != account_id:
                    errors.add_line(f"{arn}: belongs to another account than {account_id}, not read")
            quotas = read_quotas(account, errors) if by_name else Quotas()
            roles = read_roles(account, by_name, pool=pool, errors=errors, progress=steps)
            configured = own_stacks(configuration, account_id)
            unused = {stack.role.name for stack in configured} - set(roles)
            missing = (
                missing_roles(account, sorted(unused), pool=pool, errors=errors, progress=steps) if unused else set()
            )
            missing |= {name for name, role in roles.items() if role is NoRole.MISSING}
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
            raise
    orphaned = _orphaned_states(configuration, errors) if configuration else []
    by_arn = {by_name[name]: role for name, role in roles.items()}
    return Discovery(
        identity=account.identity,
        regions=searched,
        domains=domains,
        roles=findings(
            domains,
            by_arn,
            quotas=quotas,
            configuration=configuration,
            state_grants=reader(configuration.state, errors) if configuration else None,
        ),
        quotas=quotas,
        orphaned_states=orphaned,
        configuration=configuration,
        without_role=[stack for stack in configured if stack.role.name in missing],
        environment=environment_of(account_id, configuration),
        errors=errors.lines,
        calls=account.calls,
        seconds=time.monotonic() - began,
    )


def _orphaned_states(configuration: "Configuration", errors: "Errors") -> list[str]:
    from aws.errors import AWS_ERRORS, code
    from aws.orphaned_states import orphaned_states

    try:
        return [str(each) for each in orphaned_states(configuration)]
    except AWS_ERRORS as error:
        if code(error) != "NoSuchBucket":  # not created yet
            errors.add(f"s3://{configuration.state.bucket}", "orphaned states", error)
        return []


def _print(discovery: "Discovery", options: argparse.Namespace) -> None:
    from commands import page
    from commands.discover.report import print_page, to_json

    if options.format == "json":
        print(json.dumps(to_json(discovery), indent=2))
    else:
        print_page(discovery, page.console(), everything=options.all, writing=options.write is not None)


def _write(discovery: "Discovery", options: argparse.Namespace) -> int:
    from commands.discover.writing import WritingError, write
    from configuration import configuration_path

    chosen = _chosen(discovery.roles, options.role)
    if isinstance(chosen, str):
        print(chosen, file=sys.stderr)
        return EXIT_CANNOT_RUN
    try:
        written = write(
            configuration_path(os.environ),
            os.environ,
            options.write,
            chosen,
            account_id=discovery.identity.account_id,
            quotas=discovery.quotas,
            additive=options.additive,
        )
    except WritingError as error:
        print(error, file=sys.stderr)
        return EXIT_CANNOT_RUN
    for line in written.lines:
        print(line, file=sys.stderr if options.format == "json" else sys.stdout)
    for line in written.left_out:
        print(line, file=sys.stderr)
    if options.format != "json":
        _print_next(options.write, {role.name.lower() for role in chosen})
    return 0 if written.lines else EXIT_CANNOT_RUN


def _print_next(environment_name: str, role_names: set[str]) -> None:
    from commands import page
    from commands.discover.words import advice_after_writing
    from configuration import ConfigurationError, configuration_path, load

    try:
        stacks = load(configuration_path(os.environ), os.environ).role_stacks
    except ConfigurationError:  # what it also needs has been printed
        return
    names = [
        stack.name
        for stack in stacks
        if stack.environment_name == environment_name and stack.role.name.lower() in role_names
    ]
    if names:
        page.show(page.console(), [], [], [advice_after_writing(names)])


def _chosen(roles: Sequence["RoleFinding"], names: Sequence[str] | None) -> "list[RoleFinding] | str":
    """Return the roles with these names, or an error that names the missing ones."""
    if not roles:
        return "there are no execution roles to write"
    if not names:
        return list(roles)
    wanted = {name.rpartition("/")[2].lower(): name for name in names}
    missing = [name for key, name in wanted.items() if key not in {role.name.lower() for role in roles}]
    if missing:
        return f"no domain, user profile or space in these regions has the execution role {', '.join(missing)}"
    return [role for role in roles if role.name.lower() in wanted]


if __name__ == "__main__":
    command_line.run(main, interrupted=INTERRUPTED)
