"""What `discover` prints: a summary, what is not well, the next command."""

from pathlib import Path

import pytest

from commands.discover.problems import Remedy, State
from iam.documents.grants import SESSION_USER_POLICY, SETUP_POLICY
from iam.documents.recipe import inline_policy, trust_policy
from tests.aws_proxy import AwsProxy
from tests.commands.discover.conftest import ACCOUNT, SAGEMAKER, MakeRole, Run, configure
from tests.commands.discover.studio import Studio
from tests.commands.expected_pages import check_page
from tests.repository import ROOT
from tests.trust_policies import trust as trusting

EXPECTED = Path(__file__).parent / "expected"
RECIPE = inline_policy("recipe", partition="aws", account_id=ACCOUNT, role_arn="unused")
ATTACHED = (SESSION_USER_POLICY.arn("aws"),)
INLINE = {SETUP_POLICY.policy_name: RECIPE}


@pytest.fixture(autouse=True)
def _width(proxy: AwsProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture
def domain(studio: Studio, make_role: MakeRole) -> None:
    deny = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "glue:Create*", "Resource": "*"}}
    datazone = trusting(SAGEMAKER, {**SAGEMAKER, "Principal": {"Service": "datazone.amazonaws.com"}})
    studio.domain("research", role=make_role("granted", trust_policy(), attached=ATTACHED, inline=INLINE))
    roles = {
        "bare": make_role("bare"),
        "bare-2": make_role("bare-2"),
        "configured": make_role("configured", trust_policy()),
        "denied": make_role("denied", inline={"no-glue": deny}),
        "unified": make_role("unified", datazone),
        "freed": make_role("freed"),
        "left": make_role("left", trust_policy(), inline=INLINE),
        "gone": f"arn:aws:iam::{ACCOUNT}:role/gone",
    }
    for name, role in roles.items():
        studio.profile("research", f"user-of-{name}", role=role)


@pytest.mark.usefixtures("domain")
def test_every_state_has_its_remedy(discover: Run, tmp_path: Path) -> None:
    released = "{role: freed, released: true}, {role: left, released: true}"
    configure(tmp_path, f"[{{role: configured}}, {{role: granted}}, {released}]")
    check_page(EXPECTED / "every-state.txt", discover().out)
    roles = discover("--json").json["roles"]
    assert {role["state"] for role in roles} == {state.value for state in State}
    assert {each for role in roles for each in role["remedies"]} == {remedy.value for remedy in Remedy}
    assert [role["name"] for role in roles if not role["problems"]] == ["granted", "freed"]


def test_writing_ends_with_the_command_to_plan(
    discover: Run, studio: Studio, make_role: MakeRole, tmp_path: Path
) -> None:
    configure(tmp_path, "[{role: known}]")
    studio.domain("d-1", role=make_role("new"), space_role=make_role("known"))
    run = discover("--write", "dev")
    assert run.out.splitlines()[-1].strip() == "./glue-sessions plan glue-sessions-dev-known glue-sessions-dev-new"
    assert "--write" not in run.out


def test_each_state_and_remedy_is_on_the_page() -> None:
    page = (ROOT / "docs/discover.md").read_text(encoding="utf-8")
    assert [each.value for each in (*State, *Remedy) if f"`{each.value}`" not in page] == []
