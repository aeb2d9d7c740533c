"""Constructs created without waiting for Node, in this process and its jsii kernel."""

from collections.abc import Callable
from typing import Any

import jsii
import pytest
from cdktf import App, TerraformStack
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.provider import AwsProvider
from constructs import Node

import fast_cdktf
from tests.template import Template, app_in_memory


def kernel_process() -> Any:
    provider: Any = jsii._runtime.kernel.provider
    return provider._process


def role_stack(app: App, name: str) -> TerraformStack:
    stack = TerraformStack(app, name)
    AwsProvider(stack, "aws", region="eu-west-1")
    role = IamRole(stack, "role", name=name, assume_role_policy="{}", lifecycle={"prevent_destroy": True})
    role.override_logical_id("pinned")
    role.add_override("tags", {"name": name})
    return stack


def test_constructs_are_the_same_as_with_waiting() -> None:
    waited = Template.from_stack(role_stack(app_in_memory(), "stack"))

    app = app_in_memory()
    with fast_cdktf.without_waiting():
        stack = role_stack(app, "stack")
        assert kernel_process()._unread
        assert stack.node.path == "stack"  # a call that has to be waited for
        assert not kernel_process()._unread
        for number in range(60):  # more answers than the pipe may hold
            role_stack(app, f"stack-{number}")
    assert not kernel_process()._unread

    assert waited.addresses == ["aws_iam_role.pinned"]
    assert Template.from_stack(stack).document == waited.document


@pytest.mark.parametrize(
    "last",
    [lambda _: None, lambda app: app.node.path, lambda app: TerraformStack(app, "five")],
    ids=["the block ends", "a call that is waited for", "a call that is not waited for"],
)
def test_an_error_names_the_call_that_caused_it(last: Callable[[App], object]) -> None:
    app = app_in_memory()
    TerraformStack(app, "one")

    def create() -> None:
        with fast_cdktf.without_waiting():
            TerraformStack(app, "two")
            TerraformStack(app, "one")
            TerraformStack(app, "three")
            last(app)

    with pytest.raises(RuntimeError, match=r"^There is already a Construct with name 'one' in App") as raised:
        create()

    assert raised.value.__notes__ == [f"raised by the call in {__file__}:{create.__code__.co_firstlineno + 3}"]
    assert TerraformStack(app, "four").node.path == "four"


def test_an_unexpected_reference_is_an_error_that_names_the_remedy() -> None:
    app = app_in_memory()

    def create() -> None:
        with fast_cdktf.without_waiting():
            TerraformStack(app, "waited-for")
            kernel_process()._last_object += 1
            TerraformStack(app, "stack")

    remedy = "set GLUE_SESSIONS_PLAIN_BINDINGS=1"
    with pytest.raises(RuntimeError, match=rf"^expected cdktf\.TerraformStack@\d+, got .*@\d+: {remedy}"):
        create()


class Stack(TerraformStack):
    """Overrides what Node reads when it adds a child."""

    @property
    def node(self) -> Node:
        return super().node


def test_a_callback_into_python_is_an_error_that_names_the_remedy() -> None:
    def create() -> None:
        stack = Stack(app_in_memory(), "stack")
        with fast_cdktf.without_waiting():
            Stack(stack, "waited-for")  # since it overrides
            TerraformStack(stack, "inner")
            TerraformStack(stack, "another")

    with pytest.raises(RuntimeError, match=r"^Node calls back into Python: make this call outside of without_waiting"):
        create()

    assert TerraformStack(Stack(app_in_memory(), "stack"), "inner").node.path == "stack/inner"
