"""Whether the roles that a plan has read are still the same in AWS."""

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3

from applying.saved_plan import SavedPlan, SeenRole
from aws.account import Account, Calls
from aws.errors import is_not_found
from aws.roles import decoded
from iam.engine import sentences
from iam.engine.difference import difference
from iam.engine.statements import trust_policy
from iam.policy_document import Document

if TYPE_CHECKING:
    from mypy_boto3_iam.type_defs import RoleTypeDef


class CurrentRoles:
    """Reads roles with the credentials that Terraform uses; each deploy role is assumed once."""

    def __init__(self) -> None:
        self._accounts: dict[tuple[str | None, str | None], Account] = {}
        self._lock = threading.Lock()

    def mismatches(self, plan: SavedPlan) -> Iterator[str]:
        """Yield one line per mismatch between the plan's roles and AWS, with one iam:GetRole call per role.

        Raises:
            BotoCoreError, ClientError: the roles cannot be read.
        """
        if not plan.roles:
            return
        iam = self._account(plan).client("iam")
        for seen in plan.roles:
            try:
                current = iam.get_role(RoleName=seen.name)["Role"]
            except iam.exceptions.ClientError as error:
                if not is_not_found(error):
                    raise
                yield f"the role {seen.arn} no longer exists"
                continue
            yield from _mismatches(seen, current)

    def _account(self, plan: SavedPlan) -> Account:
        with self._lock:
            key = plan.region, plan.deploy_role_arn
            if key not in self._accounts:
                account = Account(boto3.Session(), calls=Calls(), region=plan.region)
                if plan.deploy_role_arn:
                    account = account.assuming(plan.deploy_role_arn, session_name="glue-sessions-apply-plan")
                self._accounts[key] = account
            return self._accounts[key]


def _mismatches(seen: SeenRole, current: "RoleTypeDef") -> Iterator[str]:
    if current["Arn"] != seen.arn:
        yield f"the plan is for {seen.arn}, but with these credentials the role of that name is {current['Arn']}"
        return
    if current["RoleId"] != seen.unique_id:
        yield f"the role {seen.arn} was deleted and created again"
    trust = decoded(current["AssumeRolePolicyDocument"])
    # a trust policy that already is what the plan writes loses nothing
    if trust not in (seen.trust_policy, seen.planned_trust_policy):
        yield (
            f"the trust policy of {seen.arn} has changed since the plan was made: {_in_words(seen.trust_policy, trust)}"
        )


def _in_words(seen: Document, current: Document) -> str:
    try:
        changes = sentences.lines(difference([trust_policy(seen)], [trust_policy(current)]), trust=True)
    except ValueError as error:
        return f"they cannot be compared ({error})"
    return "; ".join(changes) or "it was rewritten, with the same meaning"
