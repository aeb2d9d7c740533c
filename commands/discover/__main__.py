"""The command `discover`: see docs/discover.md."""

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aws.account import Account
    from aws.errors import Faults
    from commands.discover.findings import RoleFinding
    from commands.discover.report import Found
    from configuration import Configuration


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 is well, 2 is that nothing could be done."""
    parser = _parser()
    options = parser.parse_args(arguments)
    for region in options.region or ():
        if not re.fullmatch(r"[a-z]{2,4}(-[a-z]+){1,2}-[0-9]{1,2}", region):
            parser.error(f'supply the name of an AWS region, like eu-west-1, got "{region}"')
    if options.write is None and (options.additive or options.role):
        parser.error("--additive and --role go with --write")
    if options.write is not None and not re.fullmatch("[A-Za-z0-9][A-Za-z0-9_-]{0,31}", options.write):
        parser.error(f'supply the name of an environment, 1 to 32 letters, digits, _ and -, got "{options.write}"')
    try:
        return _run(options)
    except KeyboardInterrupt:
        print("interrupted, nothing was written", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="discover",
        description="Find SageMaker domains, user profiles and spaces, the execution role that applies to each, and"
        " what those roles have of the grants for Glue interactive sessions. Changes nothing in AWS.",
        epilog="exit status: 0 well, 2 nothing could be done",
    )
    add = parser.add_argument
    add("--region", nargs="+", metavar="R", help="regions to look in; otherwise all that are on for the account")
    add("--profile", metavar="P", help="profile of the AWS configuration")
    add("--json", action="store_true", help="print JSON (docs/discover.md)")
    add("--write", metavar="ENV", help="add the roles to this environment of glue-sessions.yaml, made if not there")
    add("--role", nargs="+", metavar="NAME", help="with --write: these roles alone")
    add(
        "--additive",
        action="store_true",
        help="with --write: where a role trusts others too, leave its trust policy to them (ownership additive)",
    )
    return parser


def _run(options: argparse.Namespace) -> int:
    # imported here, so that --help and wrong arguments are answered at once
    import boto3

    from aws.account import Account, Calls
    from aws.errors import AWS_ERRORS, Faults, in_words

    faults = Faults()
    try:
        session = boto3.Session(profile_name=options.profile)
        account = Account(session, calls=Calls(), region=options.region[0] if options.region else None)
        account.identity  # noqa: B018, asked before all else: without credentials nothing can be done
    except AWS_ERRORS as error:
        print(in_words(error), file=sys.stderr)
        return 2
    found = _find(account, options.region, faults)
    _print(found, as_json=options.json)
    for line in faults.lines:
        print(line, file=sys.stderr)
    if options.write is not None:
        return _write(found, options)
    return 2 if faults.lines and not found.domains else 0


def _find(account: "Account", asked: Sequence[str] | None, faults: "Faults") -> "Found":
    from concurrent.futures import ThreadPoolExecutor

    from aws.account import WORKERS
    from aws.roles import read_quotas, read_roles
    from commands.discover.findings import findings, role_arns
    from commands.discover.report import Found
    from commands.discover.studio import enabled_regions, read_domains
    from configuration import ConfigurationError, configuration_path, load
    from iam.readiness.grants import Quotas
    from terraform_cli import progress

    began = time.monotonic()
    try:
        configuration = load(configuration_path(os.environ), os.environ)
    except ConfigurationError:  # what is configured already is good to know, no more
        configuration = None
    with ThreadPoolExecutor(WORKERS) as pool, progress.shown() as steps:
        try:
            regions = list(dict.fromkeys(asked)) if asked else enabled_regions(account, faults)
            domains = read_domains(account, regions, pool=pool, faults=faults, progress=steps)
            arns = role_arns(domains)
            by_name = {arn.rpartition("/")[2]: arn for arn in arns if arn.split(":")[4] == account.identity.account_id}
            for arn in arns:
                if arn.split(":")[4] != account.identity.account_id:
                    faults.say(f"{arn}: is a role of another account than {account.identity.account_id}, not read")
            quotas = read_quotas(account, faults) if by_name else Quotas()
            roles = read_roles(account, by_name, pool=pool, faults=faults, progress=steps)
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
            raise
    left = _left_over(configuration, faults) if configuration else []
    by_arn = {by_name[name]: role for name, role in roles.items()}
    return Found(
        identity=account.identity,
        regions=regions,
        domains=domains,
        roles=findings(domains, by_arn, quotas=quotas, configuration=configuration),
        quotas=quotas,
        left_over=left,
        faults=faults.lines,
        calls=account.calls,
        seconds=time.monotonic() - began,
    )


def _left_over(configuration: "Configuration", faults: "Faults") -> list[str]:
    from aws.errors import AWS_ERRORS, code
    from aws.orphaned_states import left_over

    try:
        return list(left_over(configuration))
    except AWS_ERRORS as error:
        if code(error) != "NoSuchBucket":  # it has yet to be made
            faults.add(f"s3://{configuration.state.bucket}", "states of roles no longer configured", error)
        return []


def _print(found: "Found", *, as_json: bool) -> None:
    from rich.console import Console

    from commands.discover.report import print_tables, to_json

    if as_json:
        print(json.dumps(to_json(found), indent=2))
        return
    console = Console()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = 160
    print_tables(found, console)


def _write(found: "Found", options: argparse.Namespace) -> int:
    from commands.discover.writing import WritingError, write
    from configuration import configuration_path

    chosen = _chosen(found.roles, options.role)
    if isinstance(chosen, str):
        print(chosen, file=sys.stderr)
        return 2
    try:
        written = write(
            configuration_path(os.environ),
            os.environ,
            options.write,
            chosen,
            account_id=found.identity.account_id,
            quotas=found.quotas,
            additive=options.additive,
        )
    except WritingError as error:
        print(error, file=sys.stderr)
        return 2
    for line in written.said:
        print(line, file=sys.stderr if options.json else sys.stdout)
    for line in written.left_out:
        print(line, file=sys.stderr)
    return 0 if written.said else 2


def _chosen(roles: Sequence["RoleFinding"], names: Sequence[str] | None) -> "list[RoleFinding] | str":
    """Pick the roles that were asked for, or say which of them was not found."""
    if not roles:
        return "no execution roles to write were found"
    if not names:
        return list(roles)
    wanted = {name.rpartition("/")[2].lower(): name for name in names}
    missing = [name for key, name in wanted.items() if key not in {role.name.lower() for role in roles}]
    if missing:
        return f"no domain, user profile or space has the execution role {', '.join(missing)}, in the regions looked in"
    return [role for role in roles if role.name.lower() in wanted]


if __name__ == "__main__":
    sys.exit(main())
