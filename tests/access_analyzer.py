"""A stand-in for IAM Access Analyzer on loopback.

It accepts and returns what botocore's model of the API allows, and nothing else: each request is validated against the
model's input, and each of its own responses against the output. What it finds in a document, a test says. It is
untested against the real service: no test may call that.
"""

import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import pytest
from botocore.session import Session
from botocore.validate import ParamValidator

_MODEL = Session().get_service_model("accessanalyzer")
_PATHS = {
    _MODEL.operation_model(name).http["requestUri"]: _MODEL.operation_model(name)
    for name in ("ValidatePolicy", "CheckNoNewAccess")
}


class Call(NamedTuple):
    """A request, with the region that it was signed for."""

    operation: str
    region: str
    parameters: Mapping[str, Any]


class Refusal(NamedTuple):
    """An error of the model."""

    code: str
    message: str = "not today"


class Page(NamedTuple):
    """A response that is none of Access Analyzer, such as a proxy's."""

    content: bytes


Parameters = Mapping[str, Any]
Findings = Callable[[Parameters], Sequence[Mapping[str, Any]] | Refusal | Page]
Result = Callable[[Parameters], Mapping[str, Any] | Refusal | Page]


@dataclass
class FakeAccessAnalyzer:
    """A running stand-in; by default, no document has findings and no comparison passes."""

    url: str
    page_size: int = 100
    calls: list[Call] = field(default_factory=list)
    findings: Findings = lambda _: []
    result: Result = lambda _: {"result": "FAIL", "message": "…", "reasons": []}

    @property
    def operations(self) -> list[str]:
        """The operations that were called, in order of their names."""
        return sorted(call.operation for call in self.calls)

    def answer(self, operation: str, given: Parameters) -> Mapping[str, Any] | Refusal | Page:
        """Return the response to valid parameters."""
        if operation == "CheckNoNewAccess":
            return self.result(given)
        found = self.findings(given)
        if isinstance(found, Refusal | Page):
            return found
        first = int(given.get("nextToken", "0"))
        last = first + min(self.page_size, given.get("maxResults", self.page_size))
        more = {"nextToken": str(last)} if last < len(found) else {}
        return {"findings": list(found[first:last]), **more}


def finding(type_: str, code: str, *path: str | int, details: str = "Change it.", link: str = "") -> dict[str, Any]:
    """Return a finding of ValidatePolicy at a path."""
    position = {"line": 3, "column": 1, "offset": 20}
    steps = [{"index": step} if isinstance(step, int) else {"value": step} for step in path]
    page = "access-analyzer-reference-policy-checks"
    check = f"{page}-{type_}-{code}".lower().replace("_", "-")
    return {
        "findingType": type_,
        "issueCode": code,
        "findingDetails": details,
        "learnMoreLink": link or f"https://docs.aws.amazon.com/IAM/latest/UserGuide/{page}.html#{check}",
        "locations": [{"path": steps, "span": {"start": position, "end": position}}] if path else [],
    }


@contextmanager
def fake_access_analyzer() -> Iterator[FakeAccessAnalyzer]:
    """Run a stand-in."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            url = urlsplit(self.path)
            operation = _PATHS[url.path]
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            query: dict[str, Any] = dict(parse_qsl(url.query))
            if "maxResults" in query:
                query["maxResults"] = int(query["maxResults"])
            given = {**body, **query}
            region = self.headers["Authorization"].split("/")[2]
            running.calls.append(Call(operation.name, region, given))
            if problem := _problem(given, operation.input_shape):
                self._refuse(Refusal("ValidationException", problem))
                return
            answer = running.answer(operation.name, given)
            if isinstance(answer, Refusal):
                self._refuse(answer)
            elif isinstance(answer, Page):
                self._send(200, answer.content)
            else:
                problem = _problem(answer, operation.output_shape)
                assert not problem, problem
                self._send(200, json.dumps(answer).encode())

        def _refuse(self, refusal: Refusal) -> None:
            shape: Any = _MODEL.shape_for(refusal.code)
            content = json.dumps({"message": refusal.message, "reason": "other"}).encode()
            self._send(shape.metadata["error"]["httpStatusCode"], content, refusal.code)

        def _send(self, status: int, content: bytes, error: str = "") -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            if error:
                self.send_header("x-amzn-ErrorType", error)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running = FakeAccessAnalyzer(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def in_environment(monkeypatch: pytest.MonkeyPatch, running: FakeAccessAnalyzer) -> None:
    """Let boto3 of this process find the stand-in, credentials and a region, and nothing else of the machine's."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL_ACCESSANALYZER", running.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not a secret")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)


def _problem(value: Mapping[str, Any], shape: Any) -> str:
    """Return why a value is not one of a shape of the model, "" if it is."""
    report = ParamValidator().validate(value, shape)
    if report.has_errors():
        return str(report.generate_report())
    unknown = value.keys() - shape.members.keys()
    if unknown:
        return f"unknown: {sorted(unknown)}"
    for name, each in value.items():
        if (allowed := getattr(shape.members[name], "enum", [])) and each not in allowed:
            return f"{name}: {each} is not one of {allowed}"
    return ""
