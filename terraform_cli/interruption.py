"""Signal handling that lets Terraform finish, and lets AWS sessions be deleted."""

import contextlib
import signal
import threading
from collections.abc import Iterator

_happened = threading.Event()


@contextlib.contextmanager
def sigterm_as_interrupt() -> Iterator[None]:
    """Raise KeyboardInterrupt on SIGTERM, which pipelines send, as on Ctrl-C."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def ignore_interrupts() -> Iterator[None]:
    """Ignore interrupts while a cleanup runs."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def note() -> None:
    """Record that an interrupt was handled: its effects are reported, and the exit status still says it."""
    _happened.set()


def happened() -> bool:
    """Return whether an interrupt was handled in this process."""
    return _happened.is_set()
