"""`drift` with real Terraform: its report on roles that others changed; it changes and locks nothing."""

import json
from pathlib import Path
from typing import Any

import pytest

from commands.drift.__main__ import main
from tests.e2e.conftest import MakeRole
from tests.e2e.execution_role import CONSOLE_TRUST, GLUE_STATEMENT, MANAGED_POLICY, RECIPE_TRUST, statement, trust
from tests.e2e.shop import Shop
from tests.e2e.terraform import Terraform

GRANT = f"managed policy {MANAGED_POLICY} (v3 of 2024-08-05)"
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@pytest.fixture
def shop_at_hand(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop whose configuration, AWS and output folder are those of this process."""
    for name, value in shop.environment_of_commands.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GLUE_SESSIONS_CONFIG", str(shop.configuration_file))
    monkeypatch.setenv("CDKTF_OUTDIR", str(shop.folder / "cdktf.out"))
    return shop


def test_drift_is_reported_by_role_while_another_apply_holds_the_lock(
    shop_at_hand: Shop, make_role: MakeRole, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = shop_at_hand
    ours, shared, theirs, gone = make_role(), make_role(), make_role(RECIPE_TRUST), make_role()
    roles: list[dict[str, Any]] = [
        {"role": ours.name},
        {"role": shared.name, "trust": {"ownership": "additive"}},
        {"role": theirs.name, "trust": {"ownership": "external"}},
    ]
    shop.configure(dev={"roles": roles})
    names = [f"glue-sessions-dev-{role.name}" for role in (ours, shared, theirs, gone)]
    capsys.readouterr()
    assert main([]) == 0
    assert capsys.readouterr().out.endswith(
        "\n3 stacks not applied\n\nnext:\n  - apply shows the plan, asks, and applies what is configured:\n"
        f"      ./glue-sessions apply {' '.join(names[:3])}\n"
    )
    for name in names[:3]:
        Terraform(shop.folder / "cdktf.out/drift/stacks" / name, shop.binary, shop.environment, shop.provider).apply()

    key = f"glue-sessions/dev/{ours.name}.tfstate"
    shop.aws.client("s3").put_object(Bucket=shop.bucket, Key=f"{key}.tflock", Body=b'{"ID": "somebody"}')
    written = shop.state_versions(key)
    ours.trust = trust(statement("sagemaker.amazonaws.com"), statement("lambda.amazonaws.com"))
    ours.detach()
    foreign = statement("scheduler.amazonaws.com", Sid="Scheduler")
    shared.trust = trust(foreign, GLUE_STATEMENT, *CONSOLE_TRUST["Statement"])
    theirs.put_inline_policy(EVERYTHING)
    theirs.trust = CONSOLE_TRUST
    gone.delete()
    shop.configure(dev={"roles": [*roles, {"role": gone.name}]})

    assert main(["--format", "json"]) == 2
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    assert f"{names[3]}: account 123456789012 has no role {gone.name} (region us-east-1): correct it in" in err
    document = json.loads(out)
    assert document["verdict"] == "2 stacks drifted, 1 stack not read, 1 stack as applied"
    found = {stack["name"]: stack for stack in document["stacks"]}
    assert list(found) == names
    assert found[names[0]] == {
        "name": names[0],
        "environment": "dev",
        "role": ours.name,
        "state": "drifted",
        "drifted": [
            "gained: lambda.amazonaws.com may sts:AssumeRole",
            "lost: glue.amazonaws.com may sts:AssumeRole",
            f"lost: {GRANT}",
        ],
        "affected": [
            "Glue sessions will be refused: trust lost",
            "Glue sessions cannot start or run: glue:CreateSession, glue:TagResource, glue:GetSession and 5 more lost",
        ],
        "apply": [
            "gained: glue.amazonaws.com may sts:AssumeRole",
            "lost: lambda.amazonaws.com may sts:AssumeRole",
            f"gained: {GRANT}",
            f"This plan removes from the trust policy of {ours.arn}: Allow sts:AssumeRole to lambda.amazonaws.com."
            " To keep a statement, save it in a file and name that file in trust.keep, or set trust.ownership to"
            " additive.",
        ],
        "left_alone": [],
        "not_applied": [],
        "staying": [],
        "faults": [],
    }
    assert found[names[1]]["state"] == "as applied"
    assert found[names[1]]["left_alone"] == ["gained: scheduler.amazonaws.com may sts:AssumeRole"]
    assert found[names[2]]["drifted"][1].startswith(f"The trust policy of {theirs.arn} does not let glue.amazonaws.com")
    assert found[names[2]]["affected"] == ["Glue sessions will be refused: trust missing"]
    assert found[names[3]]["faults"]
    assert shop.state_versions(key) == written
    assert not list(shop.folder.rglob("drift.plan"))


def test_a_run_that_cannot_start_is_reported_in_one_line(
    shop_at_hand: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    shop_at_hand.configure(dev={"roles": [{"role": "team"}]})
    assert main(["nobody"]) == 2
    assert capsys.readouterr().err == 'no stack matches "nobody"; stacks: glue-sessions-dev-team\n'

    monkeypatch.setenv("CDKTF_OUTDIR", str(shop_at_hand.configuration_file))
    assert main([]) == 2
    file = shop_at_hand.configuration_file
    assert capsys.readouterr().err == f"{file}/drift: cannot be created: not a directory\n"

    monkeypatch.setenv("PATH", str(tmp_path))
    assert main([]) == 2
    assert capsys.readouterr().err.startswith("terraform is not on PATH: install Terraform")

    monkeypatch.setenv("GLUE_SESSIONS_CONFIG", str(tmp_path / "none.yaml"))
    assert main([]) == 2
    assert capsys.readouterr().err.endswith("no such file, create it or name another with GLUE_SESSIONS_CONFIG\n")
