"""Python's end of the pipe to jsii's kernel: jsii's own, to a Node that fast_cdktf has started, and able not to wait.

jsii waits for the kernel's answer to each call, so that Python and Node take turns. In a block of `without_waiting`,
calls whose answer is known in advance are sent without reading it; both processes then work at the same time.
"""

import atexit
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from jsii import _runtime
from jsii._kernel import types
from jsii._kernel.providers import process as jsii_process
from jsii.errors import ErrorType, JavaScriptError, JSIIError

from fast_cdktf._node import KernelProcess

# answers that wait in the pipe: few enough to fit
_MOST_UNREAD = 100

_PACKAGES = str(Path(jsii_process.__file__).parents[3])


def use(kernel: KernelProcess) -> None:
    """Have jsii talk to this kernel. To be called before jsii starts its own."""
    _runtime.kernel.provider = _Provider(kernel)


@contextmanager
def without_waiting() -> Iterator[None]:
    """Create constructs in this block without waiting for Node to create each; all exist when the block ends.

    An error of one is raised by a later call in the block, or at its end, with a note that names its own call.
    """
    provider: Any = _runtime.kernel.provider
    process: _Process = provider._process
    process.waits = False
    try:
        yield
        process.read_unread()
    finally:
        process.waits = True


class _Provider(jsii_process.ProcessProvider):
    def __init__(self, kernel: KernelProcess) -> None:
        self._kernel = kernel

    @cached_property
    def _process(self) -> "_Process":
        return _Process(self._kernel)


@dataclass(frozen=True)
class _Unread:
    """An answer that has not been read: where its call is, and the reference expected for a new object."""

    file: str
    line: int
    ref: str | None = None


class _Process(jsii_process._NodeProcess):
    waits = True

    def __init__(self, kernel: KernelProcess) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._process = kernel.process
        self._unread: deque[_Unread] = deque()
        self._expected: dict[str, Any] | None = None  # the answer to the call that is being sent, if it is known
        self._last_object: int | None = None  # the kernel numbers objects; None where others may have been created
        self.sink_thread = threading.Thread(target=jsii_process.stderr_sink, args=(self._process.stderr,), daemon=True)
        self.sink_thread.start()
        atexit.register(self.stop)
        self.handshake()
        self._unread.extend([_unread()] * kernel.unread)

    def send(self, request: Any, response_type: Any) -> Any:
        """Send a request; return the kernel's answer or the one expected, or raise what the kernel raised."""
        self._expected = None if self.waits or len(self._unread) == _MOST_UNREAD else self._expect(request)
        if self._expected is None:
            self._last_object = None
        answer = super().send(request, response_type)
        if isinstance(answer, types.CreateResponse):
            self._last_object = int(answer.ref.rpartition("@")[2])
        return answer

    def read_unread(self) -> None:
        """Read the answers that nobody has waited for.

        Raises:
            Exception: what the kernel raised for the first of these calls that failed.
        """
        while self._unread:
            call = self._unread.popleft()
            answer = super()._next_message()
            try:
                _raise_error_of(answer)
                if call.ref and answer["ok"].ref != call.ref:
                    got = answer["ok"].ref
                    raise RuntimeError(f"expected {call.ref}, got {got}: set GLUE_SESSIONS_PLAIN_BINDINGS=1")
            except Exception as error:
                error.add_note(f"raised by the call in {call.file}:{call.line}")
                # objects created since have other references than Python was given: of no use
                for _ in self._unread:
                    super()._next_message()
                self._unread.clear()
                self._last_object = None
                raise

    def _expect(self, request: Any) -> dict[str, Any] | None:
        """Return the kernel's answer to a request if it is known in advance and needs no callback into Python."""
        match request:
            case types.CreateRequest(fqn=fqn, overrides=[]) if self._last_object:
                return {"ok": types.ObjRef(f"{fqn}@{self._last_object + 1}")}
            case types.InvokeRequest(method="addOverride" | "overrideLogicalId"):  # which return nothing
                return {"ok": {}}
        return None

    def _next_message(self) -> Any:
        """Return the answer to the request that was sent last."""
        if self._expected is not None:
            self._unread.append(_unread(getattr(self._expected["ok"], "ref", None)))
            return self._expected
        try:
            self.read_unread()
        except Exception:
            super()._next_message()
            raise
        return super()._next_message()


def _raise_error_of(answer: Any) -> None:
    if "callback" in answer:
        raise RuntimeError("Node calls back into Python: make this call outside of without_waiting()")
    if "error" in answer:
        kind = JSIIError if answer["name"] == ErrorType.JSII_FAULT.value else RuntimeError
        raise kind(answer["error"]) from JavaScriptError(answer["stack"])


def _unread(ref: str | None = None) -> _Unread:
    frame = sys._getframe(1)
    while frame.f_back and frame.f_code.co_filename.startswith((_PACKAGES, __file__)):
        frame = frame.f_back
    return _Unread(frame.f_code.co_filename, frame.f_lineno, ref)
