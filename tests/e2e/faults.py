"""What goes wrong midway: calls that are never answered, and waiting for what another process does."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.aws_proxy import Answer, AwsProxy, Cut


@contextmanager
def held(proxy: AwsProxy, operation: str) -> Iterator[threading.Event]:
    """Give an operation no answer while the block runs, then cut the connection; the event is that it was asked for."""
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


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Wait for what another process does; `what` it is, in words."""
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, f"not in two minutes: {what}"
        time.sleep(0.05)
