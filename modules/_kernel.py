"""Python's end of the conversation with jsii's kernel, in the place of jsii's own, which takes three times as long.

jsii sends every setting that a construct could have, whether it has it or not, and goes through each message once more
before it is JSON. Here what is set is sent, as it is: other messages, which mean the same.
"""

import atexit
import json
import threading
from functools import cached_property
from types import NoneType
from typing import Any

import attr
from jsii import _kernel, _runtime, _stack_trace
from jsii._kernel import types
from jsii._kernel.providers import process as jsii_process
from jsii.errors import ErrorType, JavaScriptError, JSIIError

from modules._node import KernelProcess

_encode = json.JSONEncoder(default=jsii_process.jdefault).encode
_decode = json.JSONDecoder(object_hook=jsii_process.ohook).decode
_make_reference_of_other = _kernel._make_reference_for_native

_PLAIN = (str, int, bool, NoneType)

# answers that wait in the pipe: few enough for it to hold
_MOST_UNREAD = 100


def use(kernel: KernelProcess) -> None:
    """Have jsii talk to this kernel, and talk less. To be called before jsii starts its own."""
    _runtime.kernel.provider = _Provider(kernel)
    _kernel._make_reference_for_native = _make_reference


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


class _Process(jsii_process._NodeProcess):
    def __init__(self, kernel: KernelProcess) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._with_stack_traces = _stack_trace.is_enabled()
        self._process = process = kernel.process
        assert process.stdin
        assert process.stdout
        self._requests, self._answers = process.stdin, process.stdout
        self._unread = 0
        self.sink_thread = threading.Thread(target=jsii_process.stderr_sink, args=(process.stderr,), daemon=True)
        self.sink_thread.start()
        atexit.register(self.stop)
        self.handshake()
        self._unread = kernel.unread

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
                return super().send(request, response_type)
        if self._with_stack_traces:
            message["$jsii.stacktrace"] = _stack_trace.capture_stack_trace()
        self._requests.write(_encode(message).encode() + b"\n")
        self._requests.flush()
        # an override is only remembered until synthesis: there is nothing to wait for
        if message.get("method") == "addOverride" and self._unread < _MOST_UNREAD:
            self._unread += 1
            return types.InvokeResponse()
        answer = self._next_message()
        _raise_error_of(answer)
        if "callback" in answer:
            return self._serializer.structure(answer["callback"], types.Callback)
        if response_type is types.CreateResponse:
            return types.CreateResponse(ref=answer["ok"].ref)
        return types.InvokeResponse(**answer["ok"])

    def _next_message(self) -> Any:
        for waited_for in range(self._unread, 0, -1):
            self._unread = waited_for  # should this one be an error, the answer asked for now is what remains
            _raise_error_of(self._read())
        self._unread = 0
        return self._read()

    def _read(self) -> Any:
        return _decode(self._answers.readline().decode())


def _raise_error_of(answer: Any) -> None:
    if "error" in answer:
        kind = JSIIError if answer["name"] == ErrorType.JSII_FAULT.value else RuntimeError
        raise kind(answer["error"]) from JavaScriptError(answer["stack"])
