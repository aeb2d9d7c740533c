"""What was found, for people and for programs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from aws.account import Calls, Identity
from commands.discover.findings import RoleFinding, as_json
from commands.discover.studio import Domain
from iam.engine.decision import Verdict
from iam.readiness.grants import Quotas

_NAMES_SHOWN = 3
_ATTACHED = {True: "yes", False: "no", None: "unknown"}
_TRUSTED = {Verdict.ALLOWED: "yes", Verdict.DENIED: "no", Verdict.UNDECIDED: "under conditions"}


@dataclass(frozen=True)
class Found:
    """All that a run found.

    Attributes:
        identity: who asked.
        regions: where it looked.
        left_over: a line for each state that has grants of a role no longer configured.
        faults: a line for each thing that could not be read.
        seconds: how long it took.
    """

    identity: Identity
    regions: Sequence[str]
    domains: Sequence[Domain]
    roles: Sequence[RoleFinding]
    quotas: Quotas
    left_over: Sequence[str]
    faults: Sequence[str]
    calls: Calls
    seconds: float


def to_json(found: Found) -> dict[str, Any]:
    """Give the form that `--json` documents (docs/discover.md)."""
    return {
        "account_id": found.identity.account_id,
        "caller": found.identity.arn,
        "regions": list(found.regions),
        "domains": [_domain_as_json(domain) for domain in found.domains],
        "roles": [as_json(role) for role in found.roles],
        "left_over": list(found.left_over),
        "faults": list(found.faults),
        "api_calls": found.calls.by_operation,
        "seconds": round(found.seconds, 2),
    }


def _domain_as_json(domain: Domain) -> dict[str, Any]:
    return {
        "region": domain.region,
        "id": domain.id,
        "name": domain.name,
        "status": domain.status,
        "auth_mode": domain.auth_mode,
        "unified_studio": domain.unified_studio,
        "default_execution_role": domain.default_role,
        "space_execution_role": domain.space_role,
        "user_profiles": [
            {
                "name": profile.name,
                "execution_role": domain.role_of_profile(profile),
                "from": "user profile" if profile.own_role else "domain",
            }
            for profile in domain.user_profiles
        ],
        "spaces": [
            {
                "name": space.name,
                "sharing": "shared" if space.shared else "private",
                "owner": space.owner,
                "execution_role": domain.role_of_space(space),
            }
            for space in domain.spaces
        ],
    }


def print_tables(found: Found, console: Console) -> None:
    """Print the domains and the roles as tables."""
    if found.domains:
        console.print(_domain_table(found.domains))
    if found.roles:
        console.print(_role_table(found.roles))
    else:
        console.print("no execution roles found")
    for line in found.left_over:
        console.print(line, highlight=False, markup=False)
    console.print(
        f"account {found.identity.account_id}: {_count(len(found.domains), 'domain')},"
        f" {_count(len(found.roles), 'execution role')} in {_count(len(found.regions), 'region')};"
        f" {found.calls} in {found.seconds:.1f} s",
        highlight=False,
    )


def _domain_table(domains: Sequence[Domain]) -> Table:
    table = Table("Domain", "Who", "Execution role", title="SageMaker domains", title_justify="left")
    for domain in domains:
        first = f"{domain.name} ({domain.id}, {domain.region})"
        if domain.unified_studio:
            first += "\nof SageMaker Unified Studio"
        for index, (who, role) in enumerate(_who(domain)):
            last = index == len(list(_who(domain))) - 1
            table.add_row(Text(first if index == 0 else ""), Text(who), Text(_name(role)), end_section=last)
    return table


def _who(domain: Domain) -> Iterator[tuple[str, str | None]]:
    """Yield who runs as which role, alike ones together."""
    by_role: dict[tuple[str, str | None], list[str]] = {}
    for profile in domain.user_profiles:
        kind = "user profile" if profile.own_role else "user profile by default"
        by_role.setdefault((kind, domain.role_of_profile(profile)), []).append(profile.name)
    for space in domain.spaces:
        kind = "shared space" if space.shared else "private space"
        by_role.setdefault((kind, domain.role_of_space(space)), []).append(space.name)
    if not any(role == domain.default_role for _, role in by_role):
        yield "default of user profiles, nobody's yet", domain.default_role
    for (kind, role), names in by_role.items():
        yield f"{_count(len(names), kind)}: {_shortened(names)}", role


def _role_table(roles: Sequence[RoleFinding]) -> Table:
    table = Table(title="Execution roles", title_justify="left", show_lines=True)
    for heading in ("Role", "Used by", "Managed policy", "Inline policy", "Trusts Glue", "Trust policy", "To know"):
        table.add_column(heading, overflow="fold")
    for role in roles:
        found = role.grants
        used_by = [_count(number, kind[:-1].replace("_", " ")) for kind, number in role.used_by.items() if number]
        table.add_row(
            Text(role.name),
            Text("\n".join(used_by)),
            _coloured(_ATTACHED[found.managed_policy] if found else "unknown"),
            _coloured(found.inline_policy if found else "unknown"),
            _coloured(_TRUSTED[found.glue_trust.verdict] if found else "unknown"),
            Text("\n".join(role.trust)),
            Text("\n".join(_to_know(role))),
        )
    return table


def _to_know(role: RoleFinding) -> Iterator[str]:
    if role.not_supported:
        yield f"not supported: {role.not_supported}"
    if role.also_trusts:
        yield f"also trusts {', '.join(role.also_trusts)}"
    yield from (f"in the way: {each}" for each in role.in_the_way)
    if role.stacks:
        yield f"configured: {', '.join(stack.name for stack in role.stacks)}"
    yield from role.notes


def _coloured(word: str) -> Text:
    style = {"yes": "green", "recipe": "green", "least-privilege": "green", "no": "red", "absent": "red"}
    return Text(word, style=style.get(word, "yellow"))


def _name(arn: str | None) -> str:
    return arn.rpartition("/")[2] if arn else "none"


def _shortened(names: Sequence[str]) -> str:
    more = len(names) - _NAMES_SHOWN
    return ", ".join(names[:_NAMES_SHOWN]) + (f", and {more} more" if more > 0 else "")


def _count(number: int, thing: str) -> str:
    first, *rest = thing.split(" by ")
    noun = first if number == 1 else f"{first}s"
    return " by ".join([f"{number:,} {noun}", *rest])
