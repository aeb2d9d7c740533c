"""Read the roles of stacks from their accounts, and check them against the configuration and the kernel's calls."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import assert_never

from aws import state_grants
from aws.account import Account, Progress, each
from aws.errors import AWS_ERRORS, Errors, code, in_words, is_denied
from aws.resource_policies import AccountResources
from aws.roles import NoRole, read_roles
from commands.role_warnings import Warning, configured_twice, other_roles_to_glue
from commands.verify.calls import DOCUMENTS, SIMULATION, CallResult, by_documents, by_simulation, with_resource_policies
from commands.verify.mismatches import mismatches
from commands.verify.problems import (
    AccountNotReached,
    NoSuchRole,
    NotReadable,
    NotReleased,
    OfUnifiedStudio,
    OtherAccount,
    Problem,
    UnconfiguredPolicy,
    is_undecided,
    refused_calls,
)
from commands.verify.results import Result, State
from configuration import Configuration, Environment, RoleStack
from iam.documents.access import Access
from iam.documents.grants import is_policy
from iam.engine.decision import Verdict
from iam.readiness.obstacles import denied_calls, unified_studio_sign
from iam.role import Role


@dataclass
class Checker:
    """Checks roles, one environment after the other.

    Attributes:
        account: the caller, who assumes an environment's deploy role.
        pool: bounds the calls in parallel.
        errors: receives the calls that fail.
        progress: shows the progress.
        configuration: all stacks, and where their states are.
        accounts: the accounts of the environments that were reached.
    """

    account: Account
    pool: ThreadPoolExecutor
    errors: Errors
    progress: Progress
    configuration: Configuration
    accounts: dict[str, Account] = field(default_factory=dict)

    def check(self, stacks: Iterable[RoleStack]) -> list[Result]:
        """Return the results in the order of the stacks, grouped by environment."""
        by_environment: dict[str, list[RoleStack]] = {}
        for stack in stacks:
            by_environment.setdefault(stack.environment_name, []).append(stack)
        return [result for name, group in by_environment.items() for result in self._environment(name, group)]

    def _environment(self, name: str, stacks: Sequence[RoleStack]) -> list[Result]:
        environment = stacks[0].environment
        try:
            account = self._account_of(environment)
            account_id = account.identity.account_id
        except AWS_ERRORS as error:
            operation = f"assume {environment.deploy_role_arn}" if environment.deploy_role_arn else "sts"
            self.errors.add(f"environments.{name}", operation, error)
            return [Result(stack, "not checked", [AccountNotReached(in_words(error))]) for stack in stacks]
        elsewhere = [stack for stack in stacks if stack.account_id not in (None, account_id)]
        for declared in dict.fromkeys(stack.account_id for stack in elsewhere):
            self.errors.add_line(
                f"environments.{name}: is account {declared}, and the credentials are for {account_id}:"
                " use that account's, or set deploy_role_arn"
            )
        self.accounts[name] = account
        names = [stack.role.name for stack in stacks if stack not in elsewhere]
        roles = read_roles(account, names, pool=self.pool, errors=self.errors, progress=self.progress)
        check = _RoleCheck(account, environment.region, self.errors, self.configuration)

        def result(stack: RoleStack) -> Result:
            if stack in elsewhere:
                return Result(stack, "not checked", [OtherAccount()])
            return check.result(stack, roles)

        return list(each(self.pool, result, stacks, self.progress("checks", len(stacks))))

    def _account_of(self, environment: Environment) -> Account:
        account = self.account.in_region(environment.region)
        if environment.deploy_role_arn:
            return account.assuming(environment.deploy_role_arn, session_name="glue-sessions-verify")
        return account


class _RoleCheck:
    def __init__(self, account: Account, region: str, errors: Errors, configuration: Configuration) -> None:
        self._configuration = configuration
        self._state_grants = state_grants.reader(configuration.state, errors)
        self._account = account
        self._region = region
        self._errors = errors
        self._may_simulate = True
        self._resources = AccountResources(account)

    def result(self, stack: RoleStack, roles: Mapping[str, Role | NoRole]) -> Result:
        role = roles[stack.role.name]
        match role:
            case NoRole.UNREADABLE:
                return Result(stack, "not checked", [NotReadable()])
            case NoRole.MISSING:
                return Result(stack, "not ready", [NoSuchRole(self._account.identity.account_id)])
            case Role():
                return self._readable(stack, role)
            case _:
                assert_never(role)

    def _readable(self, stack: RoleStack, role: Role) -> Result:
        arn = str(role.arn)
        if sign := unified_studio_sign(role):
            return Result(stack, "not supported", [OfUnifiedStudio(sign)], role_arn=arn)
        problems = self._with_states(stack, [*mismatches(stack, role)])
        warnings: list[Warning] = [*configured_twice(self._stacks(role))]
        if stack.role.released:
            return Result(stack, "not ready" if problems else "released", problems, role_arn=arn, warnings=warnings)
        warnings += other_roles_to_glue(role, [stack])
        calls, evaluated_by = self._calls(role, stack.grant_settings.access)
        denied = list(denied_calls(role, region=self._region))
        problems += [each for each in denied if each.decision.verdict is Verdict.DENIED]
        problems += refused_calls(problems, denied, calls)
        return Result(stack, _state(problems), problems, calls, evaluated_by, arn, warnings=warnings)

    def _stacks(self, role: Role) -> list[RoleStack]:
        stacks = self._configuration.role_stacks
        return [stack for stack in stacks if stack.may_own(role.arn.name, role.arn.account_id)]

    def _with_states(self, stack: RoleStack, problems: Sequence[Problem]) -> list[Problem]:
        """Return problems with what the state has of the policies that apply should remove."""
        left = [each for each in problems if isinstance(each, NotReleased | UnconfiguredPolicy)]
        policies = [each.grant for each in left if is_policy(each.grant)]
        if not policies:
            return list(problems)
        state = self._state_grants(stack)
        known = None if state is None else all(grant.address in state for grant in policies)
        return [
            replace(each, in_state=known) if isinstance(each, NotReleased | UnconfiguredPolicy) else each
            for each in problems
        ]

    def _calls(self, role: Role, access: Access | None) -> tuple[Sequence[CallResult], str]:
        calls, evaluated_by = self._by_own_policies(role, access)
        complete = with_resource_policies(calls, role, self._resources, region=self._region, access=access)
        return list(complete), evaluated_by

    def _by_own_policies(self, role: Role, access: Access | None) -> tuple[Sequence[CallResult], str]:
        if self._may_simulate:
            try:
                return by_simulation(self._account, role, region=self._region, access=access), SIMULATION
            except AWS_ERRORS as error:
                self._errors.add("calls evaluated from the documents", SIMULATION, error)
                # the next role would get the same answer
                self._may_simulate = not (is_denied(error) or code(error) in ("NotImplemented", "InvalidAction"))
        return list(by_documents(role, region=self._region, access=access)), DOCUMENTS


def _state(problems: Sequence[Problem]) -> State:
    if all(is_undecided(problem) for problem in problems):
        return "undecided" if problems else "ready"
    return "not ready"
