"""`apply` asks, and applies nothing without a terminal or a stack's name (real: tests/e2e/test_plan_and_apply.py)."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from applying.apply import Applied, Refused
from commands.apply.__main__ import main
from commands.command_line import status_of
from commands.plan_page import Page
from configuration import RoleStack, load
from iam.documents.grants import LIVE_ROLE_ADDRESS, SESSION_USER_POLICY, SETUP_POLICY
from plans import plan as plans
from plans.plan import PlanError
from review.waivers import WaiverError
from sandbox.launcher import Sandbox
from terraform_cli import interruption
from terraform_cli.planning import Planned
from terraform_cli.stacks import Outcomes
from terraform_cli.stacks import Stack as SynthesizedStack
from terraform_cli.synthesis import SynthesisError
from terraform_cli.terraform import TerraformError
from tests.plan_builder import plan
from tests.review.stack_plans import BEFORE, Stack

NAME = "glue-sessions-dev-one"


@pytest.fixture(autouse=True)
def two_roles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "glue-sessions.yaml").write_text(
        "state: {bucket: states, region: eu-west-1}\n"
        "environments: {dev: {region: eu-west-1, roles: [{role: one}, {role: two}]}}\n"
    )
    monkeypatch.chdir(tmp_path)
    for name in ("GLUE_SESSIONS_CONFIG", "CDKTF_OUTDIR", "TF_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)


class Terminal:
    """Standard input that is a terminal, on which somebody types an answer or Ctrl-C."""

    def __init__(self, answer: str | None = None) -> None:
        self._answer = answer

    def isatty(self) -> bool:
        return True

    def readline(self) -> str:
        if self._answer is None:
            raise KeyboardInterrupt
        return self._answer


def test_without_a_terminal_nothing_is_planned(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["glue-sessions-dev-one"]) == 2
    assert capsys.readouterr().err == ("there is no terminal to approve on: use one, or `plan` and then `apply-plan`\n")


def test_one_of_several_stacks_has_to_be_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal())
    assert main([]) == 2
    assert capsys.readouterr().err == ("name STACK, there are several: glue-sessions-dev-one, glue-sessions-dev-two\n")


@pytest.fixture
def planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Outcomes[Planned]:
    """Return a plan with two warnings, in place of Terraform's; applying it fails the test."""
    outcomes = Outcomes([(SynthesizedStack(NAME, tmp_path), Planned(True, {"to add": 1}, ("a", "b")))], [])
    monkeypatch.setattr("commands.planning.plan", lambda *_, **__: (outcomes, None))
    content = plans.parse(Stack("one").released(), NAME)
    monkeypatch.setattr("commands.plan_page.read_page", lambda *_: Page("", content))
    monkeypatch.setattr("commands.apply.steps.read", lambda *_: content)
    monkeypatch.setattr("commands.plan_page.show_page", lambda *_, **__: print("the page"))
    monkeypatch.setattr("commands.apply.steps.apply_plans", lambda *_, **__: pytest.fail("it was applied"))
    return outcomes


QUESTION = 'the page\n\nApply to glue-sessions-dev-one, although the plan warns (2, see above)? Only "yes" applies it: '


@pytest.mark.parametrize("answer", ["no\n", "y\n", "\n", ""])
def test_only_yes_applies(
    answer: str, planned: Outcomes[Planned], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    assert main(["*-one"]) == 1
    assert capsys.readouterr().out == f"{QUESTION}nothing was applied\n"


def test_an_interrupt_at_the_question_applies_nothing(
    planned: Outcomes[Planned], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal())
    assert status_of(main, ["*-one"]) == 130
    assert tuple(capsys.readouterr()) == (QUESTION, "\ninterrupted, nothing was applied\n")


def test_a_plan_without_changes_is_not_asked_about(
    planned: Outcomes[Planned], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal())
    planned.done[:] = [(planned.done[0][0], Planned(False, {}, ()))]
    assert main(["*-one"]) == 0
    assert capsys.readouterr().out == "glue-sessions-dev-one: nothing to apply, the plan has no changes\n"


ONE = Stack("one")
GRANTS = [SESSION_USER_POLICY.address, SETUP_POLICY.address]
STAYING, IMPORTS, DELETIONS, MORE = (
    ONE.released_without_state(),
    ONE.released_in_two_steps(),
    ONE.plan(ONE.policy(ONE.inline, None), ONE.attachment(True, False)),
    ONE.released(),
)
"""The plan of the file as it is, that of the first step, and two of the second: as expected, and one that does more."""


@dataclass
class World:
    """Terraform and AWS in place of the real ones: what is planned, asked and applied, in order."""

    folder: Path
    second: bytes = DELETIONS
    second_warnings: tuple[str, ...] = ()
    has_changes: bool = True
    refused: bool = False
    at_apply: Callable[[], None] = lambda: None
    answers: list[str] = field(default_factory=list)
    happened: list[str] = field(default_factory=list)
    settings: RoleStack | None = None
    unreleased: bytes = STAYING
    _plan: bytes = b""

    def plan(
        self, patterns: list[str], *_: object, to_import: dict[str, list[str]] | None = None, **__: object
    ) -> tuple[Outcomes[Planned], None]:
        applied = any(each.startswith("applied") for each in self.happened)
        self._plan = IMPORTS if to_import else self.second if applied else self.unreleased
        self.happened.append(f"planned with imports {to_import[NAME]}" if to_import else "planned")
        result = Planned(bool(to_import) or applied or self.has_changes, {}, self.second_warnings if applied else ())
        return Outcomes([(SynthesizedStack(NAME, self.folder, self.settings), result)], []), None

    def read_page(self, *_: object) -> Page:
        return Page("", plans.parse(self._plan, NAME))

    def apply_plans(self, *_: object, **__: object) -> Outcomes[Applied | Refused]:
        self.at_apply()
        self.happened.append("refused" if self.refused else "applied")
        outcome = Refused(("it has changed",)) if self.refused else Applied("applied")
        return Outcomes([(SynthesizedStack(NAME, self.folder), outcome)], [])

    def isatty(self) -> bool:
        return True

    def readline(self) -> str:
        self.happened.append("asked")
        if not self.answers:
            raise KeyboardInterrupt
        return self.answers.pop(0)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(tmp_path)
    monkeypatch.setattr("commands.planning.plan", made.plan)
    monkeypatch.setattr("commands.plan_page.read_page", made.read_page)
    monkeypatch.setattr("commands.apply.steps.read", lambda *_: made.read_page().plan)
    monkeypatch.setattr("commands.plan_page.show_page", lambda *_, **__: made.happened.append("shown"))
    monkeypatch.setattr("commands.apply.steps.apply_plans", made.apply_plans)
    monkeypatch.setattr("sys.stdin", made)
    return made


FIRST_STEP = ["planned", f"planned with imports {GRANTS}", "shown", "asked"]
BOTH_STEPS = [*FIRST_STEP, "applied", "planned", "shown", "applied"]


@pytest.mark.parametrize("has_changes", [True, False])
def test_grants_that_stay_are_imported_and_deleted_by_two_applies_after_one_question(
    world: World, capsys: pytest.CaptureFixture[str], has_changes: bool
) -> None:
    world.has_changes = has_changes
    world.answers = ["yes\n"]
    assert main(["*-one"]) == 0
    assert world.happened == BOTH_STEPS
    first, *rest, second, applied = capsys.readouterr().out.splitlines(keepends=True)
    assert [line.rstrip("=\n") for line in (first, second.partition(": applied\n")[0])] == [
        "step 1 of 2: import what stays ",
        "step 2 of 2: delete what stays ",
    ]
    assert "".join([*rest, applied]) == (
        f"\n{NAME} keeps 2 grants that its state does not have: AwsGlueSessionUserRestrictedServiceRole,"
        " glue-sagemaker-interactive-sessions-setup\n"
        "Two applies remove them:\n"
        "  1. the plan above: it imports them into the state as they are\n"
        "  2. the plan of glue-sessions.yaml as it is, which then deletes them\n"
        "If another stack grants them now, answer no, and delete the role's entry in glue-sessions.yaml.\n"
        f'\nApply to {NAME}, in two steps? Only "yes" applies it: {NAME}: applied\n{NAME}: applied\n'
    )


@pytest.mark.parametrize(
    ("answers", "status"), [(["yes\n", "yes\n"], 0), (["yes\n", "no\n"], 1), (["yes\n"], 130), (["no\n"], 1), ([], 130)]
)
@pytest.mark.parametrize("more", ["changes", "warnings"])
def test_a_second_plan_that_does_more_than_delete_them_is_asked_about(
    world: World, capsys: pytest.CaptureFixture[str], more: str, answers: list[str], status: int
) -> None:
    world.second, world.second_warnings = (MORE, ()) if more == "changes" else (DELETIONS, ("a check failed",))
    first_is_approved = answers[:1] == ["yes\n"]
    world.answers = [*answers]
    assert status_of(main, ["*-one"]) == status
    second = ["applied", "planned", "shown", "asked"] + ["applied"] * (status == 0)
    assert world.happened == [*FIRST_STEP, *(second if first_is_approved else [])]
    printed = "".join(capsys.readouterr())
    unfinished = f"the second step was not applied; to finish: ./glue-sessions apply {NAME}\n"
    assert (unfinished in printed) == (first_is_approved and status != 0)
    assert ("nothing was applied" in printed) == (not first_is_approved)


def test_a_policy_that_others_changed_after_the_first_step_is_asked_about(world: World) -> None:
    others = ONE.inline.replace("iam:GetRole", "iam:GetUser")
    assert others != ONE.inline
    world.second = ONE.plan(ONE.policy(others, None), ONE.attachment(True, False))
    world.answers = ["yes\n", "no\n"]
    assert main(["*-one"]) == 1
    assert world.happened == [*FIRST_STEP, "applied", "planned", "shown", "asked"]


def test_a_policy_of_others_with_a_grant_s_name_is_asked_about_before_it_is_deleted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the second plan says what is lost with it."""
    theirs = ONE.inline.replace("sts:GetCallerIdentity", "dynamodb:*")
    imports = ONE.plan(
        ONE.policy(theirs, theirs, importing={"id": "policy"}), ONE.attachment(True, True, importing={"id": "a"})
    )
    monkeypatch.setattr("tests.commands.apply.test_apply.IMPORTS", imports)
    world.second = ONE.plan(ONE.policy(theirs, None), ONE.attachment(True, False))
    world.answers = ["yes\n", "no\n"]
    assert main(["*-one"]) == 1
    assert world.happened == [*FIRST_STEP, "applied", "planned", "shown", "asked"]


def test_a_first_step_that_is_refused_is_the_last(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.answers, world.refused = ["yes\n"], True
    assert main(["*-one"]) == 1
    assert world.happened == [*FIRST_STEP, "refused"]
    assert capsys.readouterr().err == (
        f"{NAME}: refused: it has changed\nthe second step was not begun; to finish: ./glue-sessions apply {NAME}\n"
    )


def test_an_interrupt_during_the_first_step_keeps_the_second_from_beginning(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interruption, "_happened", threading.Event())
    world.answers, world.at_apply = ["yes\n"], interruption.note
    assert status_of(main, ["*-one"]) == 130
    assert world.happened == [*FIRST_STEP, "applied"]
    assert capsys.readouterr().err == f"the second step was not begun; to finish: ./glue-sessions apply {NAME}\n"


EXTERNAL = (
    "state: {bucket: states, region: eu-west-1}\n"
    "environments: {dev: {region: eu-west-1, roles:"
    " [{role: one, trust: {ownership: external}, released: true}, {role: two}]}}\n"
)


def test_of_a_released_role_that_another_stack_owns_aws_is_asked_which_grants_stay(
    world: World, aws: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    file = world.folder / "glue-sessions.yaml"
    file.write_text(EXTERNAL)
    world.settings = load(file, {}).role_stacks[0]
    # a plan that reads the role and nothing else
    live = {"address": LIVE_ROLE_ADDRESS, "mode": "data", "expressions": {}}
    world.unreleased, world.has_changes = plan(configuration={"root_module": {"resources": [live]}}), False
    assert status_of(main, ["*-one"]) == 2
    assert capsys.readouterr().err == (
        f"{NAME}: whether its role keeps grants cannot be read: NoSuchEntity: The role with name one cannot be found\n"
    )

    iam = aws.client("iam")
    iam.create_role(RoleName="one", AssumeRolePolicyDocument=BEFORE)
    iam.put_role_policy(RoleName="one", PolicyName="others", PolicyDocument=ONE.inline)
    try:
        assert main(["*-one"]) == 0
        assert world.happened == ["planned"] * 2
        iam.attach_role_policy(RoleName="one", PolicyArn=SESSION_USER_POLICY.arn("aws"))
        world.happened.clear()
        world.answers = ["no\n"]
        assert main(["*-one"]) == 1
        assert world.happened == ["planned", f"planned with imports {[SESSION_USER_POLICY.address]}", "shown", "asked"]
    finally:
        iam.delete_role_policy(RoleName="one", PolicyName="others")
        iam.detach_role_policy(RoleName="one", PolicyArn=SESSION_USER_POLICY.arn("aws"))
        iam.delete_role(RoleName="one")


def raising(error: Exception) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    ("fails", "error", "printed"),
    [
        ("commands.planning.plan", SynthesisError("no Node"), "no Node"),
        ("commands.plan_page.read_page", PlanError("plan: is damaged"), f"{NAME}: plan: is damaged"),
        ("commands.plan_page.show_page", WaiverError("no YAML"), f"{NAME}: no YAML"),
    ],
)
def test_what_cannot_be_planned_or_shown_is_not_asked_about(
    planned: Outcomes[Planned],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    fails: str,
    error: Exception,
    printed: str,
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("yes\n"))
    monkeypatch.setattr(fails, raising(error))
    assert status_of(main, ["*-one"]) == 2
    assert tuple(capsys.readouterr()) == ("", f"{printed}\n")


def test_a_stack_that_cannot_be_planned_stops_the_others_before_the_question(
    planned: Outcomes[Planned], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("yes\n"))
    planned.failed.append((SynthesizedStack("glue-sessions-dev-two", Path()), TerraformError("no such role")))
    assert status_of(main, ["*"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.splitlines()[0]) == ("", "glue-sessions-dev-two: no such role")


def test_of_several_stacks_those_with_changes_are_shown_and_counted(
    planned: Outcomes[Planned], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("no\n"))
    others = [("glue-sessions-dev-two", False), ("glue-sessions-dev-three", True)]
    planned.done.extend((SynthesizedStack(name, Path()), Planned(changes, {}, ())) for name, changes in others)
    assert main(["*"]) == 1
    out = capsys.readouterr().out
    assert out.count("the page\n") == 2
    assert "glue-sessions-dev-two: nothing to apply, the plan has no changes\nglue-sessions-dev-three =" in out
    assert out.endswith(
        '\nApply to 2 stacks, although the plan warns (2, see above)? Only "yes" applies it: nothing was applied\n'
    )
