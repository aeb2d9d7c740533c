"""What decides whether a saved plan may be applied, read from the plan's JSON; anything else is refused in one line."""

from typing import Any

import pytest

from applying.saved_plan import parse
from plans.plan import PlanError
from tests.plan_builder import GLUE, SAGEMAKER, plan, role, trust

TRUSTED = trust(SAGEMAKER)


def provided(expressions: Any) -> str:
    configuration = {"provider_config": {"aws": {"name": "aws", "expressions": expressions}}}
    return plan(configuration=configuration).decode()


def test_the_provider_of_a_plan_is_read() -> None:
    expressions = {
        "region": {"constant_value": "eu-west-1"},
        "assume_role": [{"role_arn": {"constant_value": "arn:aws:iam::111122223333:role/deploy"}}],
    }
    found = parse(provided(expressions), "file")
    assert (found.region, found.deploy_role_arn) == ("eu-west-1", "arn:aws:iam::111122223333:role/deploy")
    found = parse(provided({"region": {"references": ["var.region"]}}), "file")
    assert (found.region, found.deploy_role_arn) == (None, None)


@pytest.mark.parametrize("assume_role", [None, [], {}, {"role_arn": {}}, "x", [None], ["x"], [{"role_arn": "x"}], [[]]])
def test_a_role_of_the_provider_that_has_another_type_is_none(assume_role: Any) -> None:
    assert parse(provided({"assume_role": assume_role}), "file").deploy_role_arn is None


@pytest.mark.parametrize("text", ["x", "{", '{"a":' * 3_000 + "1" + "}" * 3_000])
@pytest.mark.parametrize("is_written", [True, False])
def test_a_trust_policy_that_is_no_json_is_refused_in_one_line(text: str, is_written: bool) -> None:
    values = {
        "name": "exec",
        "arn": "arn:aws:iam::111122223333:role/exec",
        "unique_id": "AROA",
        "assume_role_policy": text,
    }
    data = {"address": "data.aws_iam_role.live", "mode": "data", "type": "aws_iam_role", "values": values}
    read = {"prior_state": {"values": {"root_module": {"resources": [data]}}}}
    content = plan(role(TRUSTED, text)) if is_written else plan(role(TRUSTED, trust(GLUE)), **read)
    with pytest.raises(PlanError) as raised:
        parse(content.decode(), "file")
    assert str(raised.value).startswith("file: a role in it lacks what the AWS provider reads of roles (")
    assert str(raised.value).isprintable()
