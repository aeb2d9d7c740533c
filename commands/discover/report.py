"""A discovery as a page, as tables and as JSON."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import assert_never

from rich.console import Console
from rich.table import Table
from rich.text import Text

from aws.account import Calls, Identity
from commands import page
from commands.discover import words
from commands.discover.findings import RoleFinding, as_json, is_attached, policy_state
from commands.discover.problems import Remedy, State, is_released, remedies, state
from commands.discover.studio import Domain
from commands.page import shortened
from commands.role_warnings import in_words
from configuration import Configuration, RoleStack
from iam.documents.grants import GRANTS, ManagedPolicyGrant
from iam.documents.quotas import Quotas
from iam.engine.decision import Verdict
from iam.readiness.held_grants import HeldGrant, HeldPolicy, HeldTrust, Presence
from iam.wording import counted

_STYLES = {
    State.GRANTED: "green",
    State.PARTLY_GRANTED: "yellow",
    State.NOT_GRANTED: "yellow",
    State.RELEASED_WITH_GRANTS: "yellow",
    State.RELEASED: "green",
    State.OBSTRUCTED: "red",
    State.NOT_SUPPORTED: "dim",
    State.NOT_READ: "red",
}
_NEW_ENVIRONMENT = "dev"
_FEW_REGIONS = 3
"""The advice names as many regions; with more, all are searched again."""
_ATTACHED = {True: "yes", False: "no", None: "unknown"}
_TRUSTED = {Verdict.ALLOWED: "yes", Verdict.DENIED: "no", Verdict.UNDECIDED: "under conditions"}
_TRUST_STYLES = {Verdict.ALLOWED: "green", Verdict.DENIED: "red", Verdict.UNDECIDED: "yellow"}


@dataclass(frozen=True)
class Discovery:
    """The result of a run.

    Attributes:
        identity: the caller.
        regions: the searched regions.
        domains: the SageMaker domains.
        roles: findings on their execution roles.
        quotas: the account's quotas.
        orphaned_states: one line per orphaned state.
        configuration: the configuration, None if it cannot be read.
        without_role: the configured stacks of this account whose role does not exist.
        errors: one line per kind of error.
        environment: the environment of the configuration to write roles to.
        calls: the counted API calls.
        seconds: the duration.
    """

    identity: Identity
    regions: Sequence[str]
    domains: Sequence[Domain]
    roles: Sequence[RoleFinding]
    quotas: Quotas
    orphaned_states: Sequence[str]
    configuration: Configuration | None
    without_role: Sequence[RoleStack]
    errors: Sequence[str]
    environment: str
    calls: Calls
    seconds: float


def environment_of(account_id: str, configuration: Configuration | None) -> str:
    """Return the environment to write an account's roles to: the first of that account, otherwise `dev`."""
    environments = configuration.environments if configuration else {}
    return next((name for name, each in environments.items() if each.account_id == account_id), _NEW_ENVIRONMENT)


def to_json(discovery: Discovery) -> dict[str, object]:
    """Return the discovery as JSON (docs/discover.md)."""
    return {
        "account_id": discovery.identity.account_id,
        "caller": discovery.identity.arn,
        "regions": list(discovery.regions),
        "domains": [_domain_as_json(domain) for domain in discovery.domains],
        "roles": [_role_as_json(role) for role in discovery.roles],
        "orphaned_states": list(discovery.orphaned_states),
        "configured_without_role": [
            {"stack": stack.name, "role": stack.role.name, "text": line}
            for stack, line in zip(discovery.without_role, _without_role(discovery), strict=True)
        ],
        "errors": list(discovery.errors),
        "api_calls": discovery.calls.by_operation,
        "seconds": round(discovery.seconds, 2),
    }


def _role_as_json(role: RoleFinding) -> dict[str, object]:
    return {
        **as_json(role),
        "state": state(role).value,
        "problems": words.lines(role),
        "remedies": [each.value for each in remedies(role)],
    }


def _domain_as_json(domain: Domain) -> dict[str, object]:
    return {
        "region": domain.region,
        "id": domain.id,
        "name": domain.name,
        "status": domain.status,
        "auth_mode": domain.auth_mode,
        "vpc_only": domain.vpc_only,
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


def print_page(discovery: Discovery, console: Console, *, everything: bool, writing: bool) -> None:
    """Print a summary, what is not well, and what to do next.

    Args:
        discovery: the discovery.
        console: where to print.
        everything: whether to print the domains and the roles as tables too.
        writing: whether the roles are written right after this.
    """
    summary = words.summary(
        discovery.identity.account_id,
        domains=len(discovery.domains),
        regions=len(discovery.regions),
        states=[state(role) for role in discovery.roles],
    )
    advice = [] if writing else list(_advice(discovery))
    notes = [*_without_role(discovery), *discovery.orphaned_states]
    page.show(console, summary, _groups(discovery.roles), advice, notes=notes)
    if not everything:
        if discovery.roles and not writing:
            console.print()
            few = ["--region", *discovery.regions] if len(discovery.regions) <= _FEW_REGIONS else []
            console.print(Text(f"who uses which role: {page.command('discover', '--all', *few)}", style="dim"))
        return
    console.print()
    if discovery.domains:
        console.print(_domain_table(discovery.domains))
    if discovery.roles:
        console.print(_role_table(discovery.roles))
    console.print(f"{discovery.calls} in {discovery.seconds:.1f} s", soft_wrap=True)


def _without_role(discovery: Discovery) -> list[str]:
    """Return a line for each configured role that does not exist."""
    if discovery.configuration is None:
        return []
    account_id = discovery.identity.account_id
    return [words.no_such_role(stack, discovery.configuration, account_id) for stack in discovery.without_role]


def _groups(roles: Sequence[RoleFinding]) -> Iterator[page.Group]:
    """Yield roles with the same state and the same problems together, those with a problem only."""
    groups: dict[tuple[State, tuple[str, ...]], list[str]] = {}
    for role in roles:
        if lines := words.lines(role):
            groups.setdefault((state(role), tuple(lines)), []).append(words.used_by(role))
    for (of, alike), names in sorted(groups.items(), key=lambda group: [*State].index(group[0][0])):
        yield page.Group(of.value, _STYLES[of], names, alike)


def _advice(discovery: Discovery) -> Iterator[page.Advice]:
    chosen: dict[Remedy, list[RoleFinding]] = {}
    for role in discovery.roles:
        for each in remedies(role):
            chosen.setdefault(each, []).append(role)
    writable = [role for role in discovery.roles if role.role and not role.not_supported]
    if discovery.without_role:
        chosen.pop(Remedy.WRITE, None)  # one of these roles may be meant
        yield words.correct_first(discovery.regions if len(discovery.regions) <= _FEW_REGIONS else ())
    for remedy in Remedy:
        if roles := chosen.get(remedy):
            yield words.advice(remedy, roles, everything=roles == writable, environment=discovery.environment)


def _domain_table(domains: Sequence[Domain]) -> Table:
    table = Table("Domain", "Who", "Execution role", title="SageMaker domains", title_justify="left")
    for domain in domains:
        first = f"{domain.name} ({domain.id}, {domain.region})"
        if domain.unified_studio:
            first += "\nSageMaker Unified Studio"
        if domain.vpc_only:
            first += "\nVpcOnly: its VPC needs endpoints for Glue and STS, or a NAT gateway"
        for index, (who, role) in enumerate(_who(domain)):
            last = index == len(list(_who(domain))) - 1
            table.add_row(Text(first if index == 0 else ""), Text(who), Text(_name(role)), end_section=last)
    return table


def _who(domain: Domain) -> Iterator[tuple[str, str | None]]:
    """Yield who uses which role, grouped by kind and role."""
    by_role: dict[tuple[str, str | None], list[str]] = {}
    for profile in domain.user_profiles:
        kind = "user profile" if profile.own_role else "user profile by default"
        by_role.setdefault((kind, domain.role_of_profile(profile)), []).append(profile.name)
    for space in domain.spaces:
        kind = "shared space" if space.shared else "private space"
        by_role.setdefault((kind, domain.role_of_space(space)), []).append(space.name)
    if not any(role == domain.default_role for _, role in by_role):
        yield "default of user profiles, unused", domain.default_role
    for (kind, role), names in by_role.items():
        yield f"{counted(len(names), kind)}: {shortened(names)}", role


def _role_table(roles: Sequence[RoleFinding]) -> Table:
    table = Table(title="Execution roles", title_justify="left", show_lines=True)
    for heading in ("Role", "Used by", *(grant.title for grant in GRANTS), "Trust policy", "Notes"):
        table.add_column(heading, overflow="fold")
    for role in roles:
        used_by = [counted(number, kind[:-1].replace("_", " ")) for kind, number in role.used_by.items() if number]
        table.add_row(
            Text(role.name),
            Text("\n".join(used_by)),
            *([_held(each) for each in role.grants] or [Text("unknown", style="yellow")] * len(GRANTS)),
            Text("\n".join(role.trust)),
            Text("\n".join(_notes(role))),
        )
    return table


def _notes(role: RoleFinding) -> Iterator[str]:
    if role.not_supported:
        yield f"not supported: {role.not_supported}"
    if role.is_shared:
        yield "its users see and can stop one another's Glue sessions: give each user profile a role of its own"
    if role.also_trusts:
        yield f"also trusts {', '.join(role.also_trusts)}"
    yield from (f"obstacle: {each}" for each in role.obstacles)
    if role.stacks:
        how = "configured as released" if is_released(role) else "configured"
        yield f"{how}: {', '.join(stack.name for stack in role.stacks)}"
    yield from role.notes
    yield from map(in_words, role.warnings)


def _held(held: HeldGrant) -> Text:
    match held:
        case HeldTrust():
            return Text(_TRUSTED[held.decision.verdict], style=_TRUST_STYLES[held.decision.verdict])
        case HeldPolicy(ManagedPolicyGrant()):
            word = _ATTACHED[is_attached(held)]
        case HeldPolicy():
            word = policy_state(held)
        case _:
            assert_never(held)
    if held.grant.is_optional and held.presence is not Presence.UNREADABLE:
        return Text(word)
    absent = "red" if held.presence is Presence.ABSENT else "yellow"
    return Text(word, style="green" if held.levels else absent)


def _name(arn: str | None) -> str:
    return arn.rpartition("/")[2] if arn else "none"
