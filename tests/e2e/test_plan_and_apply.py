"""`plan` and `apply` of one role, as a person uses them: the page, the question, and what happens meanwhile."""

from tests.e2e.execution_role import CONSOLE_TRUST, RECIPE_TRUST, Document, ExecutionRole
from tests.e2e.programs import on_a_terminal
from tests.e2e.shop import Shop
from tests.repository import ROOT

SCHEDULER: Document = {
    "Effect": "Allow",
    "Principal": {"Service": "scheduler.amazonaws.com"},
    "Action": "sts:AssumeRole",
}


def page_in_the_readme(role: str) -> list[str]:
    """Return the lines of the page that the README shows, for another role; `apply` leaves out the last."""
    shown = (ROOT / "README.md").read_text(encoding="utf-8").partition("  # aws_iam_role.execution_role will be")
    lines = (shown[1] + shown[2]).partition("```")[0].splitlines()[:-1]
    assert len(lines) > 15
    return [
        line.replace("AmazonSageMaker-ExecutionRole-20240101T000002", role)
        for line in lines
        if line and "[…]" not in line
    ]


def test_an_approved_plan_is_applied_unless_somebody_changed_the_role_meanwhile(
    shop: Shop, role: ExecutionRole
) -> None:
    shop.configure(dev={"roles": [{"role": role.name}]})
    name = f"glue-sessions-dev-{role.name}"

    def somebody_adds_a_statement() -> str:
        role.trust = {**CONSOLE_TRUST, "Statement": [*CONSOLE_TRUST["Statement"], SCHEDULER]}
        return "yes\n"

    status, output = on_a_terminal(shop, "apply", at_the_question=somebody_adds_a_statement)
    assert status == 1, output
    printed = " ".join(output.split())
    for line in page_in_the_readme(role.name):
        _, found, printed = printed.partition(" ".join(line.split()))
        assert found, line
    assert f'Apply to {name}? Only "yes" applies it: ' in output
    assert f"{name}: refused: the trust policy of " in output
    assert "has changed since the plan was made" in output
    assert SCHEDULER in role.trust["Statement"]

    # the same state, reached in another way, needs no answer of anybody
    shop.state["kms_key_id"] = "alias/states"
    shop.configure(dev={"roles": [{"role": role.name}]})
    status, output = on_a_terminal(shop, "apply", name, at_the_question=lambda: "yes\n")
    assert status == 0, output
    assert "although the plan warns (1, see above)? Only" in output
    assert "Warning: Check block assertion failed: This plan removes from the trust policy" in " ".join(output.split())
    assert f"{name}: applied: " in output
    assert role.trust == RECIPE_TRUST
