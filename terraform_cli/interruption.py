"""Being interrupted, by Ctrl-C or by SIGTERM as pipelines do it, where something must be ended in order first."""

import contextlib
import signal
import sys
from collections.abc import Callable, Iterator


def told_in_one_line(command: Callable[[], int | None]) -> int | None:
    """Run a command and give its exit status; where it lets an interrupt through, that is a line on stderr and 2."""
    try:
        return command()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 2


@contextlib.contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """Make SIGTERM an interrupt as Ctrl-C is."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Ignore interrupts: what runs here leaves something behind if it does not end."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
