"""Standard output and standard error that never raise: a reader that leaves, a full disk, a narrow encoding."""

import codecs
import io
import os
import sys
from typing import Any

_PLAIN = str.maketrans({"…": "...", "→": "->", "·": "*"})
_READABLE = "glue_sessions.readable"
"""Name of the error handler for characters that an encoding lacks."""


class _Forgiving(io.FileIO):
    """A file descriptor to write to; what cannot be written is dropped, and the first reason is kept."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self.error: OSError | None = None

    def write(self, data: Any, /) -> int:
        """Write data, or drop it; return its length."""
        try:
            return super().write(data)
        except BrokenPipeError:  # the reader, such as head, has enough
            pass
        except OSError as error:
            self.error = self.error or error
        return memoryview(data).nbytes


def forgive() -> None:
    """Replace `sys.stdout` and `sys.stderr`, so that printing raises no error; the command then finishes its work.

    A closed standard output or standard error drops everything.
    """
    codecs.register_error(_READABLE, _readable)
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        stream = getattr(sys, name)
        encoding = getattr(stream, "encoding", None) or "utf-8"
        if stream is None:
            _open_nowhere(descriptor)
        buffered = io.BufferedWriter(_Forgiving(descriptor))
        line_by_line = name == "stderr" or os.isatty(descriptor)
        setattr(sys, name, io.TextIOWrapper(buffered, encoding, _READABLE, line_buffering=line_by_line))


def failure() -> str | None:
    """Write what is buffered; return why standard output could not be written, None if it could or nobody reads it."""
    sys.stderr.flush()
    sys.stdout.flush()
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    error = raw.error if isinstance(raw, _Forgiving) else None
    return (error.strerror or str(error)).lower() if error else None


def _open_nowhere(descriptor: int) -> None:
    opened = os.open(os.devnull, os.O_WRONLY)
    if opened != descriptor:
        os.dup2(opened, descriptor)
        os.close(opened)


def _readable(error: UnicodeError) -> tuple[str | bytes, int]:
    """Replace a character that the encoding lacks: by its plain form, or by an escape."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(_PLAIN)
    return "".join(each if each.isascii() else each.encode("unicode_escape").decode() for each in text), error.end
