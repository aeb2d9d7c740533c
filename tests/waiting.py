"""Waiting for another process."""

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], bool], what: str, *, seconds: float = 120) -> None:
    """Wait until a condition holds; `what` describes it in the error.

    Raises:
        AssertionError: it does not hold in time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not in {seconds:g} seconds: {what}"
        time.sleep(0.05)
