"""Whether a role may pass other roles to Glue, and so start sessions with the permissions of those.

This project grants that with `permissions: recipe`. With `least-privilege` any other policy of the role may still allow
it, such as AmazonSageMakerFullAccess.
"""

from dataclasses import replace
from typing import assert_never

from iam.arn import RoleArn
from iam.documents.grants import inline_policies
from iam.documents.recipe import GLUE, Permissions
from iam.engine.decision import Context
from iam.engine.some_resource import Requests, SomeResource, decide_some
from iam.readiness.kernel_calls import boundary, requests, role_policies
from iam.role import Role

PASS_ROLE = "iam:PassRole"


def passing_other_roles(role: Role) -> SomeResource:
    """Evaluate whether a role may pass some other role of its account to Glue."""
    return decide_some(requests_to_pass(role), role_policies(role), boundary(role))


def requests_to_pass(role: Role) -> Requests:
    """Return the requests of a role to pass any other role to Glue, as the kernel makes them with `%iam_role`."""
    arn = role.arn
    context = next(request.context for call, request in requests(role, region="") if call.action == PASS_ROLE)
    return _requests(f"arn:{arn.partition}:iam::{arn.account_id}:role/", arn.name, arn, context)


def requests_of_unknown_arn(name: str) -> Requests:
    """Return the same requests of a role of which only the name is known."""
    return _requests("arn:*:iam::*:role/", name, None, {"iam:passedtoservice": (GLUE,)})


def _requests(prefix: str, name: str, arn: RoleArn | None, context: Context) -> Requests:
    # names are unique in an account, whatever their path
    own = (f"{prefix}{name}", f"{prefix}*/{name}", *([str(arn)] if arn else []))
    return Requests(PASS_ROLE, f"{prefix}?*", own, {**context, "iam:passedtoservice": (GLUE,)})


def is_left_to_other_policies(permissions: Permissions) -> bool:
    """Return whether a permission level neither allows nor denies passing other roles to Glue."""
    match permissions:
        case "recipe" | "isolated":
            return False
        case "least-privilege":
            return True
        case never:
            assert_never(never)


def passing_other_roles_by_others(role: Role) -> SomeResource:
    """Evaluate the same without this project's inline policies."""
    own = {grant.policy_name for grant in inline_policies()}
    others = role.inline_policies and {name: each for name, each in role.inline_policies.items() if name not in own}
    return passing_other_roles(replace(role, inline_policies=others))
