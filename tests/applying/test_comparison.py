"""A plan is compared with the reviewed one by what it writes; each case has a pair that must differ."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from applying.comparison import differences
from plans.plan import parse
from tests.plan_builder import GLUE, SAGEMAKER, allow, change, document, plan, trust

ROLE = "aws_iam_role.execution_role"
INLINE = "aws_iam_role_policy.glue_sessions"
ATTACHMENT = "aws_iam_role_policy_attachment.glue_sessions"
ARN = "arn:aws:iam::111122223333:role/exec"

CONSOLE = trust(SAGEMAKER)
RECIPE = trust(GLUE, SAGEMAKER)
OWN = document(allow("iam:PassRole", ARN))
STAR = document(allow("*"))


def found(reviewed: bytes, now: bytes) -> list[str]:
    """Return the differences in words."""
    return [str(each) for each in differences(parse(reviewed, "reviewed"), parse(now, "now"))]


def role(before: str, after: str, *, tags: Any = None, unique_id: str = "AROA1", **more: Any) -> dict[str, Any]:
    shared = {"name": "exec", "arn": ARN, "unique_id": unique_id, "tags": tags}
    values = [{**shared, "assume_role_policy": each} for each in (before, after)]
    return change(ROLE, *values, **more)


def inline(before: str | None, after: str | None, **more: Any) -> dict[str, Any]:
    values = [None if each is None else {"role": "exec", "policy": each} for each in (before, after)]
    more.setdefault("unknown", {"id": True} if before is None and after is not None else None)
    return change(INLINE, *values, **more)


def attached(after: Mapping[str, str] | None) -> dict[str, Any]:
    return change(ATTACHMENT, None, after, unknown={"id": True})


IMPORT: Any = {"importing": {"id": "exec"}}
ADOPTION = [role(CONSOLE, RECIPE, **IMPORT), inline(None, OWN), attached({"role": "exec"})]
NOTHING = [role(RECIPE, RECIPE), inline(OWN, OWN)]


@pytest.mark.parametrize(
    ("reviewed", "now"),
    [
        (ADOPTION, ADOPTION),
        ([], []),
        (NOTHING, NOTHING),
        # the order of keys in JSON, and of statements and lists in policies
        (
            [role(CONSOLE, document(allow("a:B"), allow(["c:D", "e:F"])))],
            [role(json.dumps(json.loads(CONSOLE), indent=1), document(allow(["e:F", "c:D"]), allow("a:B")))],
        ),
        # what others have changed, and the plan does not
        ([role(CONSOLE, RECIPE, tags={"a": "1"})], [role(CONSOLE, RECIPE, tags={"b": "2"})]),
        ([role(CONSOLE, CONSOLE), inline(None, OWN)], [role(RECIPE, RECIPE), inline(None, OWN)]),
    ],
    ids=["the same", "empty", "no changes", "another order", "tags of others", "trust of others"],
)
def test_a_plan_that_does_what_was_reviewed_has_no_difference(reviewed: list[Any], now: list[Any]) -> None:
    assert found(plan(*reviewed), plan(*now)) == []


@pytest.mark.parametrize(
    "now",
    [
        [role(CONSOLE, RECIPE), *ADOPTION[1:]],
        [role(RECIPE, RECIPE, **IMPORT), *ADOPTION[1:]],
        [role(RECIPE, RECIPE), *ADOPTION[1:]],
        [role(RECIPE, RECIPE), inline(OWN, OWN), ADOPTION[2]],
        [
            role(RECIPE, RECIPE),
            inline(OWN, OWN),
            change(ATTACHMENT, {"role": "exec", "id": "x"}, {"role": "exec", "id": "x"}),
        ],
        # created, and then lost from the state: it is imported with the reviewed content
        [role(RECIPE, RECIPE), inline(OWN, OWN, importing={"id": "exec:x"}), ADOPTION[2]],
    ],
    ids=["imported", "written", "the role is done", "the policy too", "all", "created elsewhere"],
)
def test_the_rest_of_what_was_reviewed_has_no_difference(now: list[Any]) -> None:
    assert found(plan(*ADOPTION), plan(*now)) == []


def test_the_rest_of_a_release_has_no_difference() -> None:
    release = [role(RECIPE, CONSOLE), inline(OWN, None), change(ATTACHMENT, {"role": "exec"}, None)]
    assert found(plan(*release), plan(role(RECIPE, CONSOLE), release[2])) == []
    assert found(plan(*release), plan(role(CONSOLE, CONSOLE))) == []
    # still there, and not about to go
    assert found(plan(*release), plan(*NOTHING, release[2])) == [
        f"{ROLE}: assume_role_policy after the apply: reviewed {CONSOLE}, now {RECIPE}"
        " (gained: glue.amazonaws.com may sts:AssumeRole)",
        f'{INLINE}: action: reviewed "delete", now none',
    ]


def test_the_rest_of_a_replacement_and_of_a_forgotten_role() -> None:
    replaced = inline(STAR, OWN, actions=["delete", "create"])
    assert found(plan(replaced), plan(inline(None, OWN, unknown={}))) == []
    assert found(plan(replaced), plan(inline(OWN, OWN))) == []
    assert found(plan(replaced), plan(inline(STAR, OWN, actions=["create", "delete"]))) == [
        f'{INLINE}: action: reviewed "delete, create", now "create, delete"'
    ]
    assert found(plan(replaced), plan(inline(STAR, None))) != []
    forgotten = change(ROLE, {"name": "exec", "arn": ARN, "unique_id": "AROA1"}, None, actions=["forget"])
    assert found(plan(forgotten), plan(forgotten)) == []
    assert found(plan(forgotten), plan()) == []
    assert found(plan(forgotten), plan(role(CONSOLE, CONSOLE))) == [f'{ROLE}: action: reviewed "forget", now none']
    assert found(plan(forgotten), plan({**forgotten, "change": {**forgotten["change"], "actions": ["delete"]}})) == [
        f'{ROLE}: action: reviewed "forget", now "delete"'
    ]


@pytest.mark.parametrize(
    ("reviewed", "now", "lines"),
    [
        (
            [inline(None, OWN)],
            [inline(None, STAR)],
            [
                f"{INLINE}: policy after the apply: reviewed {OWN}, now {STAR}"
                f" (widened: iam:PassRole on {ARN} → every action on *)"
            ],
        ),
        (
            [role(CONSOLE, RECIPE)],
            [role(trust(SAGEMAKER, "lambda.amazonaws.com"), RECIPE)],
            [
                f"{ROLE}: assume_role_policy before the apply: reviewed {CONSOLE},"
                f" now {trust(SAGEMAKER, 'lambda.amazonaws.com')} (gained: lambda.amazonaws.com may sts:AssumeRole)"
            ],
        ),
        ([role(CONSOLE, RECIPE)], [role(CONSOLE, CONSOLE)], ["glue"]),
        ([], [inline(None, STAR)], [f'{INLINE}: action: reviewed none, now "create"']),
        ([inline(None, OWN)], [], [f'{INLINE}: action: reviewed "create", now none']),
        ([inline(None, OWN)], [inline(STAR, OWN)], [f'{INLINE}: action: reviewed "create", now "update"']),
        (NOTHING, [role(RECIPE, RECIPE), inline(OWN, None)], [f'{INLINE}: action: reviewed none, now "delete"']),
        ([inline(STAR, OWN)], [inline(STAR, OWN, actions=["delete", "create"])], ['now "delete, create"']),
        (
            [role(CONSOLE, RECIPE, **IMPORT)],
            [role(CONSOLE, RECIPE, importing={"id": "another"})],
            [f'{ROLE}: import: reviewed "exec", now "another"'],
        ),
        ([role(CONSOLE, RECIPE)], [role(CONSOLE, RECIPE, **IMPORT)], [f'{ROLE}: import: reviewed none, now "exec"']),
        ([role(RECIPE, RECIPE, **IMPORT)], [], [f'{ROLE}: action: reviewed "import", now none']),
        (
            [role(CONSOLE, RECIPE)],
            [role(CONSOLE, RECIPE, previous_address="aws_iam_role.a")],
            [f'{ROLE}: move: reviewed none, now "aws_iam_role.a"'],
        ),
        # masks of unknown and sensitive values
        (
            [inline(None, "", unknown={"policy": True})],
            [inline(None, OWN, unknown={})],
            [f"{INLINE}: policy after the apply: reviewed (known after apply), now {OWN}"],
        ),
        (
            [inline(None, OWN, after_sensitive={"policy": True})],
            [inline(None, STAR, after_sensitive={"policy": True})],
            [f"{INLINE}: policy after the apply: reviewed (sensitive), now (sensitive)"],
        ),
        ([inline(None, OWN, after_sensitive={"policy": True})], [inline(None, OWN)], ["reviewed (sensitive), now {"]),
        # only policies are sets
        (
            [change("x.y", {"v": "[1, 2]"}, {"v": "[]"})],
            [change("x.y", {"v": "[2, 1]"}, {"v": "[]"})],
            ["x.y: v before the apply: reviewed [1, 2], now [2, 1]"],
        ),
        ([inline(None, '{"Statement": 1}')], [inline(None, '{"Statement": true}')], ["now {"]),
        ([inline(None, '{"a": 1}')], [inline(None, '{"a": 2, "a": 1}')], ["now {"]),
        ([inline(None, "[" * 100_000)], [inline(None, "[" * 100_001)], ["…"]),
        ([inline(None, "{\x1b[0m\n::error::")], [inline(None, OWN)], [r"{\u001b[0m\u000a::error::"]),
    ],
)
def test_a_difference_names_address_attribute_and_both_values(
    reviewed: list[Any], now: list[Any], lines: list[str]
) -> None:
    differing = found(plan(*reviewed), plan(*now))
    assert len(differing) == len(lines), differing
    for line, part in zip(differing, lines, strict=True):
        assert part in line
        assert line.isprintable()


def test_a_role_that_was_created_again_or_is_in_another_account_differs() -> None:
    assert found(plan(role(CONSOLE, RECIPE)), plan(role(CONSOLE, RECIPE, unique_id="AROA2"))) == [
        'role exec: unique_id: reviewed "AROA1", now "AROA2"'
    ]
    # also where the plan only reads the role
    assert found(plan(inline(None, OWN), prior_state=read("111122223333")), plan(inline(None, OWN))) == []
    assert found(
        plan(inline(None, OWN), prior_state=read("111122223333")),
        plan(inline(None, OWN), prior_state=read("222233334444")),
    ) == [f'role exec: arn: reviewed "{ARN}", now "arn:aws:iam::222233334444:role/exec"']
    assert len(found(plan(inline(None, OWN)), plan(inline(None, OWN), prior_state=read("111122223333")))) == 2


def read(account: str) -> dict[str, Any]:
    values = {"name": "exec", "arn": f"arn:aws:iam::{account}:role/exec", "unique_id": "AROA1"}
    data = {"address": "data.aws_iam_role.live", "mode": "data", "type": "aws_iam_role", "values": values}
    return {"values": {"root_module": {"resources": [data]}}}


def test_outputs_and_provider_actions_are_compared() -> None:
    def output(after: Any, **more: Any) -> bytes:
        values = {"actions": ["create"], "before": None, "after": after, "after_unknown": False, **more}
        return plan(output_changes={"arn": values})

    assert found(output("a"), output("a")) == []
    assert found(output("a"), output("a", actions=["no-op"], before="a")) == []
    assert found(output(None, after_unknown=True), output("a", actions=["no-op"], before="a")) == []
    assert found(output("a"), output("b")) == ['output.arn: value after the apply: reviewed "a", now "b"']
    assert found(plan(), output("a")) == ['output.arn: action: reviewed none, now "create"']


def test_provider_actions_are_compared_with_their_arguments() -> None:
    address = "action.aws_lambda_invoke.x"

    def invoked(payload: str, resource: str = ROLE, *, changes: bool = True) -> bytes:
        trigger = {"triggering_resource_address": resource, "action_trigger_event": "AfterUpdate"} if resource else None
        values = {"config_values": {"payload": payload}, "config_unknown": {"qualifier": True}}
        invocation = {"address": address, "lifecycle_action_trigger": trigger, **values}
        return plan(*[role(CONSOLE, RECIPE)] * changes, action_invocations=[invocation])

    assert found(invoked("a"), invoked("a")) == []
    assert found(invoked("a"), invoked("b")) == [f'{address}: payload: reviewed "a", now "b"']
    other = invoked("a", "aws_iam_role.other", changes=False)
    assert found(plan(), other) == [f'{address}: action: reviewed none, now "invoke"']
    # triggered once, for a resource that has changed since
    assert found(invoked("a"), plan(role(RECIPE, RECIPE))) == []
    assert found(invoked("a"), plan(role(CONSOLE, RECIPE))) == [f'{address}: action: reviewed "invoke", now none']
    assert found(invoked("a", "", changes=False), plan()) == [f'{address}: action: reviewed "invoke", now none']


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (document(allow("s3:A"), allow("s3:B")), document(allow("s3:B"), allow("s3:A")), True),
        ('{"a": 1, "b": 2}', '{"b": 2, "a": 1}', True),
        ('{"Statement": ["create", "drop"]}', '{"Statement": ["drop", "create"]}', False),
        ('["Statement", "create", "drop"]', '["Statement", "drop", "create"]', False),
        ('{"Statement": [["a"], ["b"]]}', '{"Statement": [["b"], ["a"]]}', False),
        ('{"Statement": [{"sql": "a"}, {"sql": "b"}]}', '{"Statement": [{"sql": "b"}, {"sql": "a"}]}', False),
        ('{"Statement": {"sql": ["a", "b"]}}', '{"Statement": {"sql": ["b", "a"]}}', False),
    ],
)
def test_order_counts_in_what_is_no_policy(one: str, other: str, is_same: bool) -> None:
    def of_action(payload: str) -> bytes:
        return plan(action_invocations=[{"address": "action.aws_lambda_invoke.x", "config_values": {"input": payload}}])

    def of_resource(payload: str) -> bytes:
        return plan(change("aws_lambda_invocation.x", None, {"input": payload}))

    for made in (of_action, of_resource):
        assert (found(made(one), made(other)) == []) is is_same


def test_what_an_apply_runs_besides_is_compared_with_its_arguments() -> None:
    def reading(function: str) -> bytes:
        values = {"actions": ["read"], "before": None, "after": {"function_name": function}}
        read = {"address": "data.aws_lambda_invocation.x", "mode": "data", "type": "aws_lambda_invocation"}
        return plan({**read, "change": values})

    def provisioned(command: str) -> bytes:
        block = {"address": "terraform_data.x", "provisioners": [{"type": "local-exec", "expressions": command}]}
        more = {"configuration": {"root_module": {"resources": [block]}}}
        return plan(change("terraform_data.x", None, {"input": None}), **more)

    for made in (reading, provisioned):
        assert found(made("a"), made("a")) == []
        assert len(found(made("a"), made("b"))) == 1
    assert found(plan(), reading("a")) == [
        'data.aws_lambda_invocation.x: action: reviewed none, now "calls a function"'
    ]
    (line,) = found(plan(change("terraform_data.x", None, {"input": None})), provisioned("a"))
    assert line == 'terraform_data.x: action: reviewed none, now "runs its provisioners (local-exec)"'


def test_what_is_deferred_or_not_known_is_compared() -> None:
    deferred = plan(deferred_changes=[{"resource_change": {"address": "aws_iam_role.r"}}])
    assert found(deferred, deferred) == []
    assert found(plan(), deferred) == ['aws_iam_role.r: action: reviewed none, now "defer"']
    newer = plan(stack_changes=[{"address": "stack.shop"}])
    assert found(newer, newer) == []
    assert found(plan(), newer) == ['the plan: part that is not known: reviewed none, now "stack_changes"']


def test_a_forgotten_object_and_its_replacement_are_compared() -> None:
    old, new = ({"name": name, "role": "exec", "policy": "{}"} for name in ("old", "new"))
    both = plan(change("aws_iam_role_policy.p", old, new, actions=["forget", "create"]))
    assert found(both, both) == []
    assert found(both, plan(change("aws_iam_role_policy.p", None, new))) == []
    assert found(both, plan(change("aws_iam_role_policy.p", old, new, actions=["delete", "create"]))) != []
