"""Failures in the middle of a run: calls that get no response."""

import threading
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
