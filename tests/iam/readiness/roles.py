"""Roles as values, for the tests of readiness."""

import json
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data

from iam.arn import RoleArn
from iam.documents.grants import Grantee, GrantSettings, inline_policies, managed_policies
from iam.documents.recipe import Permissions, trust_policy
from iam.policy_document import Document
from iam.role import Role

ARN = RoleArn.parse("arn:aws:iam::111122223333:role/service-role/team")
AWS_MANAGED_POLICIES: dict[str, Any] = json.loads(aws_managed_policies_data)


def role(permissions: Permissions | None = "recipe", *, managed: bool = True, **more: Any) -> Role:
    """Return a role with the grants of a permission level; without inline policies if it is None."""
    inline: dict[str, Document | None] = {}
    if permissions:
        for grant in inline_policies():
            if document := grant.document(GrantSettings(permissions), Grantee.of(ARN)):
                inline[grant.policy_name] = document
    attached = {grant.arn("aws"): AWS_MANAGED_POLICIES[grant.policy_name]["Document"] for grant in managed_policies()}
    settings: dict[str, Any] = {
        "trust_policy": trust_policy(),
        "inline_policies": inline,
        "attached_policies": attached if managed else {},
    }
    return Role(arn=ARN, unique_id="AROAEXAMPLEEXAMPLE123", **{**settings, **more})
