"""The part of GitHub's REST API that the pipeline uses, served on loopback; it records the calls and their effects.

Source of the shapes: https://docs.github.com/en/rest (issues, comments, pull requests of a commit, workflow runs).
"""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

BOT = {"login": "github-actions[bot]", "type": "Bot"}
SOMEBODY = {"login": "somebody", "type": "User"}
TOKEN = "token-of-the-job"
REPOSITORY = {"full_name": "acme/glue-sessions"}
MERGED_AT = "2026-03-01T10:00:00Z"
FORK = {"full_name": "somebody/glue-sessions"}


def merged_pull(commit: str, head_sha: str = "abc", **more: Any) -> dict[str, Any]:
    """Return pull request 7 of the branch `adopt`, whose merge created the commit."""
    head = {"sha": head_sha, "ref": "adopt", "repo": REPOSITORY}
    return {
        "number": 7,
        "merge_commit_sha": commit,
        "merged_at": MERGED_AT,
        "base": {"ref": "main"},
        "head": head,
        "user": SOMEBODY,
        **more,
    }


def plans_artifact(**more: Any) -> dict[str, Any]:
    """Return the artifact with the reviewed plans, made before the merge."""
    return {"id": 500, "name": "reviewed", "expired": False, "created_at": "2026-03-01T09:00:00Z", **more}


def plan_run(number: int, conclusion: str | None = "success", **more: Any) -> dict[str, Any]:
    """Return a run of the plan workflow for that pull request, after its merge."""
    return {
        "id": 100 + number,
        "run_number": number,
        "run_attempt": 1,
        "head_sha": "abc",
        "head_branch": "adopt",
        "head_repository": REPOSITORY,
        "event": "pull_request",
        "pull_requests": [],
        "status": "completed" if conclusion else "in_progress",
        "conclusion": conclusion,
        "html_url": f"https://github.example/runs/{number}",
        **more,
    }


@dataclass
class FakeGitHub:
    """A repository. `answers` overrides responses, by method and path, with (status, body)."""

    environment: dict[str, str]
    output: Path
    comments: list[dict[str, Any]] = field(default_factory=list)
    issues: list[dict[str, Any]] = field(default_factory=list)
    pulls: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    runs: list[dict[str, Any]] = field(default_factory=list)
    artifacts: list[dict[str, Any]] = field(default_factory=lambda: [plans_artifact()])
    newest: str = "c0ffee"
    """The newest commit of the branch `main`."""
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    limits: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    """Rate limits that the next calls meet: status and headers."""
    calls: list[str] = field(default_factory=list)

    @property
    def outputs(self) -> dict[str, str]:
        """The outputs of the step."""
        return dict(line.split("=", 1) for line in self.output.read_text().splitlines())

    @property
    def open_issues(self) -> dict[str, str]:
        """The open issues' texts, by title."""
        return {issue["title"]: issue["body"] for issue in self.issues if issue["state"] == "open"}

    def comment(self, pull_request: int, body: str, user: dict[str, str] | None = BOT) -> dict[str, Any]:
        comment = {"id": 1000 + len(self.comments), "body": body, "user": user, "of": pull_request}
        self.comments.append(comment)
        return comment

    def issue(
        self, title: str, body: str | None, labels: list[str], user: dict[str, str] | None = BOT
    ) -> dict[str, Any]:
        made = {
            "number": 1 + len(self.issues),
            "title": title,
            "body": body,
            "labels": labels,
            "user": user,
            "state": "open",
        }
        self.issues.append(made)
        return made

    def answer(self, method: str, path: str, query: dict[str, str], body: dict[str, Any]) -> tuple[int, Any]:
        self.calls.append(f"{method} {path}")
        if prepared := self.answers.get(f"{method} {path}"):
            return prepared
        if method == "POST" and path == "issues":
            return 201, self.issue(body["title"], body["body"], body["labels"])
        if match := re.fullmatch(r"issues/(\d+)/comments", path):
            number = int(match[1])
            if method == "POST":
                return 201, self.comment(number, body["body"])
            return 200, self._page([each for each in self.comments if each["of"] == number], query)
        if match := re.fullmatch(r"issues/(comments/)?(\d+)", path):
            key, among = ("id", self.comments) if match[1] else ("number", self.issues)
            (changed,) = (each for each in among if each[key] == int(match[2]))
            changed.update(body)
            return 200, changed
        if path == "issues":
            wanted = [i for i in self.issues if i["state"] == query["state"] and query["labels"] in i["labels"]]
            return 200, self._page(wanted, query)
        if match := re.fullmatch(r"commits/(\w+)/pulls", path):
            return 200, self._page(self.pulls.get(match[1], []), query)
        if path == "pulls":
            known = [pull for pulls in self.pulls.values() for pull in pulls]
            return 200, self._page([each for each in known if f"acme:{each['head']['ref']}" == query["head"]], query)
        if path == "branches/main":
            return 200, {"name": "main", "commit": {"sha": self.newest}}
        if path == "actions/workflows/plan.yaml/runs":
            of_branch = {"head_sha": query["head_sha"], "head_branch": query["branch"], "event": query["event"]}
            found = [run for run in self.runs if of_branch.items() <= run.items()]
            return 200, {"total_count": len(found), "workflow_runs": self._page(found, query)}
        if re.fullmatch(r"actions/runs/\d+/artifacts", path):
            return 200, {"total_count": len(self.artifacts), "artifacts": self._page(self.artifacts, query)}
        return 404, {"message": "Not Found"}

    @staticmethod
    def _page(items: list[dict[str, Any]], query: dict[str, str]) -> list[dict[str, Any]]:
        length, number = int(query["per_page"]), int(query["page"])
        return items[length * (number - 1) : length * number]


@contextmanager
def fake_github(folder: Path) -> Iterator[FakeGitHub]:
    """Serve the repository; `folder` holds the files that GitHub gives a job."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            address = urlsplit(self.path)
            headers: dict[str, str] = {}
            if github.limits:
                status, headers = github.limits.pop(0)
                answer: Any = {"message": "You have exceeded a rate limit."}
            elif self.headers["Authorization"] != f"Bearer {TOKEN}":
                status, answer = 401, {"message": "Bad credentials"}
            else:
                path = address.path.removeprefix("/repos/acme/glue-sessions/")
                status, answer = github.answer(self.command, path, dict(parse_qsl(address.query)), body)
            content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_PATCH = do_GET  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    output = folder / "github-output"
    output.touch()
    github = FakeGitHub(
        {
            "GITHUB_API_URL": f"http://127.0.0.1:{server.server_port}",
            "GITHUB_REPOSITORY": "acme/glue-sessions",
            "GITHUB_TOKEN": TOKEN,
            "GITHUB_OUTPUT": str(output),
            "GITHUB_EVENT_PATH": str(folder / "github-event.json"),
            "GITHUB_REF_NAME": "main",
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_SHA": "c0ffee",
            "no_proxy": "127.0.0.1",
        },
        output,
    )
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield github
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
