"""A fleet: environments in several accounts and regions, planned and applied many stacks at a time."""

import json
from dataclasses import replace

from sandbox.launcher import Sandbox
from tests.e2e.execution_role import CONSOLE_TRUST, RECIPE_TRUST, ExecutionRole
from tests.e2e.programs import cdktf, command
from tests.e2e.shop import Shop

DEPLOY_ROLE = "arn:aws:iam::210987654321:role/terraform"


class OtherAccount:
    """The IAM of the account that DEPLOY_ROLE is in."""

    def __init__(self, aws: Sandbox) -> None:
        session = aws.client("sts").assume_role(RoleArn=DEPLOY_ROLE, RoleSessionName="test")["Credentials"]
        self._iam = aws.client(
            "iam",
            aws_access_key_id=session["AccessKeyId"],
            aws_secret_access_key=session["SecretAccessKey"],
            aws_session_token=session["SessionToken"],
        )

    def make_role(self, name: str) -> None:
        self._iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(CONSOLE_TRUST))

    def trust(self, name: str) -> object:
        return self._iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]


def test_a_failing_role_stops_no_other_and_is_named_at_the_end(shop: Shop, role: ExecutionRole) -> None:
    other = OtherAccount(shop.aws)
    other.make_role(role.name)  # of the same name as in the first account
    production = {"account_id": "210987654321", "deploy_role_arn": DEPLOY_ROLE, "region": "eu-west-1"}
    shop.configure(
        dev={"roles": [{"role": "not-there"}, {"role": role.name}]},
        prod={**production, "roles": [{"role": role.name, "trust": {"ownership": "additive"}}]},
    )
    adopted = "1 to import, 2 to add, 1 to change"

    planned = command(shop, "plan")
    assert planned.returncode == 2
    assert planned.stdout.splitlines() == [
        f"glue-sessions-dev-{role.name}: {adopted}",
        f"glue-sessions-prod-{role.name}: {adopted}",
    ]
    assert planned.stderr.splitlines() == [
        "glue-sessions-dev-not-there: account 123456789012 has no role not-there (region us-east-1): correct it in"
        " environments.dev.roles[0].role of glue-sessions.yaml, or use the credentials of the role's account",
        "1 of 3 stacks failed: glue-sessions-dev-not-there",
        f"Terraform's full output: {shop.folder}/cdktf.out/stacks/glue-sessions-dev-not-there/failed.log",
    ]
    assert role.read() == role.made
    providers = list((shop.folder / "cdktf.out/stacks").glob("*/.terraform/providers/*/hashicorp/aws/*/*"))
    assert len(providers) == 3
    assert len({provider.resolve() for provider in providers}) == 1, "the provider is installed once for all stacks"

    applied = command(shop, "apply_plan", "*")
    assert applied.returncode == 2
    assert [line.partition(": ")[0] for line in applied.stdout.splitlines()] == [
        f"glue-sessions-dev-{role.name}",
        f"glue-sessions-prod-{role.name}",
    ]
    assert "glue-sessions-dev-not-there: " in applied.stderr
    assert role.trust == RECIPE_TRUST
    assert "GlueInteractiveSessions" in json.dumps(other.trust(role.name))

    role.trust = CONSOLE_TRUST
    repaired = cdktf(shop, "apply", f"*-{role.name}", "--parallelism", "2", "--skip-provider-lock", "--auto-approve")
    assert repaired.returncode == 0, repaired.stdout + repaired.stderr
    assert role.trust == RECIPE_TRUST

    # one account after the other, so that they can share a running provider
    one_by_one = replace(shop, environment=shop.environment_of_commands)
    again = command(one_by_one, "plan", "--parallelism", "1", f"*-{role.name}")
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout.splitlines() == [
        f"glue-sessions-dev-{role.name}: no changes",
        f"glue-sessions-prod-{role.name}: no changes",
    ]
