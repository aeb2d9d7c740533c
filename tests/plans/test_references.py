"""What an attribute may refer to, by the configuration of a plan."""

from typing import Any

import pytest

from plans.references import Configuration, Target

POLICY = "aws_iam_policy"
ADDRESSES = [
    f"{POLICY}.a",
    f"{POLICY}.b",
    f'{POLICY}.each["x"]',
    f'{POLICY}.each["y"]',
    f"module.child.{POLICY}.c",
    f'module.many["x"].{POLICY}.c',
    f'module.many["y"].{POLICY}.c',
]


def refers(*names: str) -> dict[str, Any]:
    """Return an expression as Terraform writes it: each reference, then its shorter forms."""
    found = []
    for reference in names:
        parts = reference.split(".")
        found += [".".join(parts[:length]) for length in range(len(parts), 1, -1)]
    return {"references": found}


def attachment(policy: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"address": "aws_iam_role_policy_attachment.x", "expressions": {"policy_arn": policy}, **more}


def target(root: dict[str, Any], *, module: str = "", index: str = "") -> Target:
    address = f"{module}." * bool(module) + f"aws_iam_role_policy_attachment.x{index}"
    configuration = Configuration.parse({"root_module": root})
    return configuration.target(module, address, index, "policy_arn", POLICY, ADDRESSES)


def of(expression: dict[str, Any], *, index: str = "", **more: Any) -> Target:
    return target({"resources": [attachment(expression, **more)]}, index=index)


def test_one_reference_is_the_target() -> None:
    assert of(refers(f"{POLICY}.a.arn")).single == f"{POLICY}.a"


def test_references_to_other_types_are_no_targets() -> None:
    assert of(refers("aws_iam_role.r.name", f"{POLICY}.a.arn", "var.enabled")).single == f"{POLICY}.a"


@pytest.mark.parametrize(
    "expression",
    [
        refers(f"{POLICY}.a.arn", f"{POLICY}.b.arn"),
        refers("local.chosen", f"{POLICY}.a.arn"),
        refers("data.aws_iam_policy.d.arn", f"{POLICY}.a.arn"),
        refers(f"{POLICY}.each"),
        refers("local.chosen"),
        refers("var.given"),
        {"constant_value": "arn"},
        {},
    ],
    ids=str,
)
def test_several_possible_targets_are_not_narrowed_to_one(expression: dict[str, Any]) -> None:
    assert of(expression).single is None


def test_every_possible_target_is_named() -> None:
    assert of(refers(f"{POLICY}.a.arn", f"{POLICY}.b.arn")) == Target((f"{POLICY}.a", f"{POLICY}.b"))
    assert of(refers(f"{POLICY}.a.arn", "local.other")) == Target((f"{POLICY}.a",), others=True)


def test_an_instance_refers_to_the_instance_of_its_own_key() -> None:
    assert of(refers(f"{POLICY}.each", "each.key"), index='["x"]').single == f'{POLICY}.each["x"]'
    literal = {"references": [f'{POLICY}.each["y"].arn', f'{POLICY}.each["y"]', f"{POLICY}.each"]}
    assert of(literal, index='["x"]').single == f'{POLICY}.each["y"]'


def test_each_value_is_followed_and_ambiguous_over_several() -> None:
    value = refers("each.value")
    one = of(value, for_each_expression=refers(f"{POLICY}.a.arn"))
    several = of(value, for_each_expression=refers(f"{POLICY}.a.arn", f"{POLICY}.b.arn"))
    assert one.single == f"{POLICY}.a"
    assert several == Target((f"{POLICY}.a", f"{POLICY}.b"))


def test_variables_and_outputs_are_followed_through_modules() -> None:
    inner = {"resources": [attachment(refers("var.policy"))]}
    outputs = {"arn": {"expression": refers(f"{POLICY}.c.arn")}}
    root = {
        "module_calls": {
            "grants": {"expressions": {"policy": refers("module.child.arn")}, "module": inner},
            "child": {"module": {"outputs": outputs}},
        }
    }
    assert target(root, module="module.grants").single == f"module.child.{POLICY}.c"


def test_an_output_of_many_modules_is_resolved_by_its_key() -> None:
    outputs = {"arn": {"expression": refers(f"{POLICY}.c.arn")}}
    keyed = {"references": ['module.many["y"].arn', 'module.many["y"]', "module.many"]}
    root = {
        "resources": [attachment(keyed)],
        "module_calls": {"many": {"module": {"outputs": outputs}}},
    }
    assert target(root).single == f'module.many["y"].{POLICY}.c'


def test_a_configuration_of_another_shape_has_no_targets() -> None:
    for root in ({"resources": "x"}, {"resources": [7]}, {"module_calls": ["x"]}, {"outputs": 3}):
        assert target(root) == Target()
