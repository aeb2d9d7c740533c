"""Failures in the middle of a run: calls that get no response."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.aws_proxy import Answer, AwsProxy, Cut


@contextmanager
def held(proxy: AwsProxy, operation: str) -> Iterator[threading.Event]:
    """Hold an operation's response while the block runs, then close the connection; yield the event of the call."""
    asked, left = threading.Event(), threading.Event()

    def hold(parameters: dict[str, Any], region: str) -> Answer:
        asked.set()
        left.wait()
        return Cut()

    proxy.answers[operation] = hold
    try:
        yield asked
    finally:
        left.set()


@contextmanager
def deleted_while_it_is_read(proxy: AwsProxy, *, at_most: float) -> Iterator[None]:
    """Delete inline policies after they are listed and before each is read, where the calls come in such an order.

    Args:
        proxy: the proxy.
        at_most: seconds that a call waits for the other.
    """
    listed, deleted = threading.Event(), threading.Event()

    def list_(parameters: dict[str, Any], region: str) -> Answer:
        listed.set()
        return None

    def delete(parameters: dict[str, Any], region: str) -> Answer:
        if listed.wait(at_most):
            time.sleep(1)  # for the response of the other call
        deleted.set()
        return None

    def get(parameters: dict[str, Any], region: str) -> Answer:
        if deleted.wait(at_most):
            time.sleep(1)
        return None

    answers = {"ListRolePolicies": list_, "DeleteRolePolicy": delete, "GetRolePolicy": get}
    proxy.answers.update(answers)
    try:
        yield
    finally:
        for operation in answers:
            del proxy.answers[operation]
