"""The roles that a plan has read, read again: whether they are still what the plan saw."""

import threading
from collections.abc import Iterator, Mapping
from typing import Any

import boto3

from applying.saved_plan import SavedPlan, SeenRole
from aws.account import Account, Calls
from aws.errors import is_not_found
from iam.engine import sentences
from iam.engine.difference import difference
from iam.engine.statements import trust_policy


class LiveRoles:
    """Reads roles with the credentials that terraform uses; a deploy role is assumed once."""

    def __init__(self) -> None:
        self._accounts: dict[tuple[str | None, str | None], Account] = {}
        self._lock = threading.Lock()

    def departures(self, plan: SavedPlan) -> Iterator[str]:
        """Yield, a line each, what is no longer as the plan saw it; each role is one call of iam:GetRole.

        Raises:
            BotoCoreError, ClientError: the roles cannot be read.
        """
        iam = self._account(plan).client("iam") if plan.roles else None
        for seen in plan.roles:
            assert iam
            try:
                live = iam.get_role(RoleName=seen.name)["Role"]
            except iam.exceptions.ClientError as error:
                if not is_not_found(error):
                    raise
                yield f"the role {seen.arn} is gone"
                continue
            yield from _departures(seen, live)

    def _account(self, plan: SavedPlan) -> Account:
        with self._lock:
            key = plan.region, plan.deploy_role_arn
            if key not in self._accounts:
                account = Account(boto3.Session(), calls=Calls(), region=plan.region)
                if plan.deploy_role_arn:
                    account = account.assuming(plan.deploy_role_arn, session_name="glue-sessions-apply-plan")
                self._accounts[key] = account
            return self._accounts[key]


def _departures(seen: SeenRole, live: Mapping[str, Any]) -> Iterator[str]:
    if live["Arn"] != seen.arn:
        yield f"the plan is for {seen.arn}, and with these credentials the role of that name is {live['Arn']}"
        return
    if live["RoleId"] != seen.unique_id:
        yield f"the role {seen.arn} was deleted and made anew"
    trust = live["AssumeRolePolicyDocument"]
    # what somebody has made of it by hand exactly as planned is not lost when the plan writes it
    if trust not in (seen.trust_policy, seen.planned_trust_policy):
        yield f"the trust policy of {seen.arn} is not the one the plan saw: {_in_words(seen.trust_policy, trust)}"


def _in_words(seen: Mapping[str, Any], live: Mapping[str, Any]) -> str:
    try:
        changes = sentences.lines(difference([trust_policy(seen)], [trust_policy(live)]), trust=True)
    except ValueError as error:
        return f"they cannot be compared ({error})"
    return "; ".join(changes) or "it was rewritten, with the same meaning"
