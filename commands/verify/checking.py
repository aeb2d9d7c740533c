"""Reads the roles of stacks from their accounts, and judges them."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from aws.account import Account, each
from aws.errors import AWS_ERRORS, Faults, code, in_words, is_denied
from aws.roles import read_roles
from commands.verify.calls import CallResult, by_documents, by_simulation
from commands.verify.declared import departures
from commands.verify.results import Result, State
from configuration import Environment, RoleStack
from iam.engine.decision import Verdict
from iam.readiness import grants
from iam.role import Role
from terraform_cli.progress import Progress

SIMULATED = "iam:SimulatePrincipalPolicy"
DOCUMENTS = "documents"


@dataclass
class Checker:
    """Checks roles, environment by environment.

    Attributes:
        account: the caller; an environment's deploy role is assumed from here.
        accounts: the accounts by environment as far as they have been reached.
    """

    account: Account
    pool: ThreadPoolExecutor
    faults: Faults
    progress: Progress
    accounts: dict[str, Account] = field(default_factory=dict)

    def check(self, stacks: Iterable[RoleStack]) -> list[Result]:
        """Check roles, in the order that came in, but environment by environment."""
        by_environment: dict[str, list[RoleStack]] = {}
        for stack in stacks:
            by_environment.setdefault(stack.environment_name, []).append(stack)
        return [result for name, group in by_environment.items() for result in self._environment(name, group)]

    def _environment(self, name: str, stacks: Sequence[RoleStack]) -> list[Result]:
        environment = stacks[0].environment
        try:
            account = self._reached(environment)
            found_id = account.identity.account_id
        except AWS_ERRORS as error:
            operation = f"assume {environment.deploy_role_arn}" if environment.deploy_role_arn else "sts"
            self.faults.add(f"environments.{name}", operation, error)
            return [Result(stack, "not checked", [in_words(error)]) for stack in stacks]
        elsewhere = [stack for stack in stacks if _account_id(stack) not in (None, found_id)]
        for declared in dict.fromkeys(map(_account_id, elsewhere)):
            self.faults.say(
                f"environments.{name}: is account {declared}, and the credentials are for {found_id}:"
                " use that account's, or set deploy_role_arn"
            )
        self.accounts[name] = account
        names = [stack.role.name for stack in stacks if stack not in elsewhere]
        roles = read_roles(account, names, pool=self.pool, faults=self.faults, progress=self.progress)
        judge = _Judge(account, environment.region, self.faults)

        def result(stack: RoleStack) -> Result:
            if stack in elsewhere:
                return Result(stack, "not checked", ["the credentials are for another account"])
            return judge.result(stack, roles)

        return list(each(self.pool, result, stacks, self.progress("checks", len(stacks))))

    def _reached(self, environment: Environment) -> Account:
        account = self.account.in_region(environment.region)
        if environment.deploy_role_arn:
            return account.assuming(environment.deploy_role_arn, session_name="glue-sessions-verify")
        return account


def _account_id(stack: RoleStack) -> str | None:
    return stack.environment.account_id or (stack.role.arn.account_id if stack.role.arn else None)


class _Judge:
    def __init__(self, account: Account, region: str, faults: Faults) -> None:
        self._account = account
        self._region = region
        self._faults = faults
        self._may_simulate = True

    def result(self, stack: RoleStack, roles: Mapping[str, Role | None]) -> Result:
        if stack.role.name not in roles:
            return Result(stack, "not checked", ["the role could not be read"])
        role = roles[stack.role.name]
        if role is None:
            return Result(stack, "not ready", [f"there is no such role in account {self._account.identity.account_id}"])
        arn = str(role.arn)
        if sign := grants.unified_studio_sign(role):
            reason = f"SageMaker Unified Studio owns it ({sign}), and takes the Glue kernels out of its notebooks"
            return Result(stack, "not supported", [reason], role_arn=arn)
        problems = list(departures(stack, role))
        if stack.role.released:
            return Result(stack, "not ready" if problems else "released", problems, role_arn=arn)
        calls, judged_by = self._calls(role)
        problems += grants.denials(role, region=self._region)
        return Result(stack, _state(problems, calls), problems, calls, judged_by, arn)

    def _calls(self, role: Role) -> tuple[Sequence[CallResult], str]:
        if self._may_simulate:
            try:
                return by_simulation(self._account, role, region=self._region), SIMULATED
            except AWS_ERRORS as error:
                self._faults.add("calls judged by the documents", SIMULATED, error)
                # no use to ask again for what the caller may not do, or nobody can here
                self._may_simulate = not (is_denied(error) or code(error) in ("NotImplemented", "InvalidAction"))
        return list(by_documents(role, region=self._region)), DOCUMENTS


def _state(problems: Sequence[str], calls: Sequence[CallResult]) -> State:
    needed = {decision.verdict for call, decision in calls if call.needed}
    if problems or Verdict.DENIED in needed:
        return "not ready"
    return "undecided" if Verdict.UNDECIDED in needed else "ready"
