"""Python's end of the conversation with jsii's kernel, in the place of jsii's own, which takes longer.

jsii sends every setting that a construct could have, whether it has it or not, and goes through each message once more
before it is JSON. Here what is set is sent, as it is: other messages, which mean the same. And on demand constructs are
made without waiting for each, so that Python and Node work at the same time.
"""

import atexit
import json
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import NoneType
from typing import Any

import attr
from jsii import _kernel, _runtime, _stack_trace
from jsii._kernel import types
from jsii._kernel.providers import process as jsii_process
from jsii.errors import ErrorType, JavaScriptError, JSIIError

from fast_cdktf._node import KernelProcess

_encode = json.JSONEncoder(default=jsii_process.jdefault).encode
_decode = json.JSONDecoder(object_hook=jsii_process.ohook).decode
_make_reference_of_other = _kernel._make_reference_for_native

_PLAIN = (str, int, bool, NoneType)

# methods whose answer says nothing but that there was no error
_RETURN_NOTHING = ("addOverride", "overrideLogicalId")

# answers that wait in the pipe: few enough for it to hold
_MOST_UNREAD = 100

_PACKAGES = str(Path(jsii_process.__file__).parents[3])


def use(kernel: KernelProcess) -> None:
    """Have jsii talk to this kernel, and talk less. To be called before jsii starts its own."""
    _runtime.kernel.provider = _Provider(kernel)
    _kernel._make_reference_for_native = _make_reference


@contextmanager
def without_waiting() -> Iterator[None]:
    """Have the constructs that are made in this block be made while Python goes on; all are made when it ends.

    An error of one is raised by a later call, or at the end, and has a note of where the call stands that caused it.
    """
    provider: Any = _runtime.kernel.provider
    process: _Process = provider._process
    process.waits = False
    try:
        yield
        process.read_unread()
    finally:
        process.waits = True


def _make_reference(kernel: _kernel.Kernel, d: Any) -> Any:
    """Return a value as messages have it: of a struct what is set, and everything else as jsii does."""
    if type(d) in _PLAIN:
        return d
    names = getattr(d, "__jsii_name_mapping__", None)
    if names is None:
        return _make_reference_of_other(kernel, d)  # which comes back here for what is in it
    data = {names[name]: _make_reference(kernel, value) for name, value in d._values.items()}
    return {"$jsii.struct": {"fqn": d.__jsii_type__, "data": data}}


class _Provider(jsii_process.ProcessProvider):
    def __init__(self, kernel: KernelProcess) -> None:
        self._kernel = kernel

    @cached_property
    def _process(self) -> "_Process":
        return _Process(self._kernel)


@dataclass(frozen=True)
class _Unread:
    """An answer that is still to be read: where the call stands, and the name that an object is expected to get."""

    file: str
    line: int
    ref: str | None = None


class _Process(jsii_process._NodeProcess):
    waits = True

    def __init__(self, kernel: KernelProcess) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._with_stack_traces = _stack_trace.is_enabled()
        self._process = process = kernel.process
        assert process.stdin
        assert process.stdout
        self._requests, self._answers = process.stdin, process.stdout
        self._unread: deque[_Unread] = deque()
        self._last_object: int | None = None
        self.sink_thread = threading.Thread(target=jsii_process.stderr_sink, args=(process.stderr,), daemon=True)
        self.sink_thread.start()
        atexit.register(self.stop)
        self.handshake()
        self._unread.extend([_unread()] * kernel.unread)

    def send(self, request: Any, response_type: Any) -> Any:
        """Send a request; return the kernel's answer, or raise what it raised."""
        match request:
            case types.CreateRequest():
                message = {
                    "api": "create",
                    "fqn": request.fqn,
                    "args": request.args,
                    "overrides": [attr.asdict(override) for override in request.overrides],
                    "interfaces": request.interfaces,
                }
            case types.InvokeRequest():
                this = jsii_process._unstructure_ref(request.objref)
                message = {"api": "invoke", "objref": this, "method": request.method, "args": request.args}
            case _:  # a few in a run
                self._last_object = None
                return super().send(request, response_type)
        if self._with_stack_traces:
            message["$jsii.stacktrace"] = _stack_trace.capture_stack_trace()
        self._requests.write(_encode(message).encode() + b"\n")
        self._requests.flush()
        if not self.waits and len(self._unread) < _MOST_UNREAD:
            if message["api"] == "create" and self._last_object:
                self._last_object += 1
                ref = f"{request.fqn}@{self._last_object}"
                self._unread.append(_unread(ref))
                return types.CreateResponse(ref=ref)
            if message.get("method") in _RETURN_NOTHING:
                self._unread.append(_unread())
                return types.InvokeResponse()
        answer = self._next_message()
        self._last_object = None
        _raise_error_of(answer)
        if "callback" in answer:
            return self._serializer.structure(answer["callback"], types.Callback)
        if response_type is types.CreateResponse:
            ref = answer["ok"].ref
            self._last_object = int(ref.rpartition("@")[2])  # the kernel counts objects
            return types.CreateResponse(ref=ref)
        return types.InvokeResponse(**answer["ok"])

    def read_unread(self, *, awaited: int = 0) -> None:
        """Read the answers that nobody has waited for.

        Args:
            awaited: how many more are to come, which somebody waits for.

        Raises:
            Exception: what the kernel raised for the first of these calls that failed.
        """
        while self._unread:
            call = self._unread.popleft()
            answer = self._read()
            try:
                _raise_error_of(answer)
                if call.ref and answer["ok"].ref != call.ref:
                    got = answer["ok"].ref
                    raise RuntimeError(f"expected {call.ref}, got {got}: set GLUE_SESSIONS_PLAIN_BINDINGS=1")
            except Exception as error:
                error.add_note(f"raised by the call in {call.file}:{call.line}")
                # what was made since has other names than it was given, and is of no use
                for _ in range(len(self._unread) + awaited):
                    self._read()
                self._unread.clear()
                self._last_object = None
                raise

    def _next_message(self) -> Any:
        self.read_unread(awaited=1)
        return self._read()

    def _read(self) -> Any:
        return _decode(self._answers.readline().decode())


def _raise_error_of(answer: Any) -> None:
    if "error" in answer:
        kind = JSIIError if answer["name"] == ErrorType.JSII_FAULT.value else RuntimeError
        raise kind(answer["error"]) from JavaScriptError(answer["stack"])


def _unread(ref: str | None = None) -> _Unread:
    frame = sys._getframe(1)
    while frame.f_back and frame.f_code.co_filename.startswith((_PACKAGES, __file__)):
        frame = frame.f_back
    return _Unread(frame.f_code.co_filename, frame.f_lineno, ref)
