"""The part of GitHub's REST API that a pipeline needs.

Rate limits are honored here, in twenty lines, since a library like githubkit would be a dependency of every job for
five calls. Source of the rules: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from http.client import HTTPException
from pathlib import Path
from time import sleep, time
from typing import Any
from urllib.parse import urlencode

TIMEOUT = 30
"""Longest time for a response, in seconds."""

LONGEST_WAIT = 300
"""Longest time that a call waits for the end of a rate limit, in seconds; jobs end after 15 minutes."""

_PAGE = 100
"""GitHub's largest page size."""

_WITHOUT_HEADERS = 60
"""Seconds to wait at a rate limit whose end the response does not name."""


class GitHubError(Exception):
    """A call to GitHub failed, or this is not a job of GitHub Actions; one line."""


class GitHub:
    """The repository that a job of GitHub Actions runs in.

    The job's environment has GITHUB_REPOSITORY, GITHUB_API_URL, and GITHUB_TOKEN, which the workflow passes.

    Raises:
        GitHubError: one of them is not set.
    """

    def __init__(self) -> None:
        self._base = f"{self.variable('GITHUB_API_URL')}/repos/{self.variable('GITHUB_REPOSITORY')}"
        self._token = self.variable("GITHUB_TOKEN")

    def variable(self, name: str) -> str:
        """Return an environment variable of the job. Raises GitHubError if it is not set."""
        value = os.environ.get(name)
        if not value:
            raise GitHubError(f"{name} is not set: run this in a job of GitHub Actions, as .github/workflows does")
        return value

    @property
    def event(self) -> dict[str, Any]:
        """The event that triggered the workflow."""
        file = Path(self.variable("GITHUB_EVENT_PATH"))
        try:
            event: dict[str, Any] = json.loads(file.read_bytes())
        except OSError as error:
            raise GitHubError(f"{file}: cannot be read: {(error.strerror or str(error)).lower()}") from None
        except ValueError as error:
            raise GitHubError(f"{file}: is not the JSON of an event: {error}") from None
        return event

    @property
    def pull_request(self) -> int:
        """The number of the pull request that triggered the workflow."""
        found = self.event.get("pull_request")
        if not found:
            raise GitHubError("no pull request triggered this workflow: run this in a workflow on pull_request")
        return int(found["number"])

    def get(self, path: str, **query: str) -> Any:
        """Return a resource of the repository."""
        return self._call("GET", f"{path}?{urlencode(query)}" if query else path)

    def pages(self, path: str, *, key: str = "", **query: str) -> Iterator[dict[str, Any]]:
        """Yield the items of a list, page by page; `key` names the list in a response that is an object."""
        number, length = 1, _PAGE
        while length == _PAGE:
            page = self.get(path, **query, per_page=str(_PAGE), page=str(number))
            page = page[key] if key else page
            yield from page
            number, length = number + 1, len(page)

    def post(self, path: str, **body: Any) -> Any:
        """Create a resource."""
        return self._call("POST", path, body)

    def patch(self, path: str, **body: Any) -> Any:
        """Update a resource."""
        return self._call("PATCH", path, body)

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(
            f"{self._base}/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {self._token}",
                "Content-Type": "application/json",
                "X-GitHub-Api-Version": "2022-11-28",
            },
        )
        place = f"GitHub, {method} {path.partition('?')[0]}"
        waited = 0
        while True:
            try:
                with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
                    return json.load(response)
            except urllib.error.HTTPError as error:
                with error:
                    message = _message(error)
                    wait = _wait(error, message, waited)
                if not wait:
                    raise GitHubError(f"{place}: {error.code} {message}") from None
                if waited + wait > LONGEST_WAIT:
                    remedy = f"run the job again in {wait} seconds"
                    raise GitHubError(f"{place}: {error.code} {message}; {remedy}") from None
            except (OSError, HTTPException, ValueError) as error:
                raise GitHubError(f"{place}: {getattr(error, 'reason', error)}") from None
            waited += wait
            sleep(wait)


def user_type(item: Mapping[str, Any]) -> str:
    """Return the type of an issue's or a comment's author, "" if the account was deleted: GitHub's user is null."""
    return str((item.get("user") or {}).get("type", ""))


def _wait(error: urllib.error.HTTPError, message: str, waited: int) -> int:
    """Return the seconds to wait before the call is repeated, 0 if the response is no rate limit.

    A limit whose end is not named is waited for twice as long each time.
    """
    if error.code not in (403, 429):
        return 0
    after, reset = error.headers["Retry-After"], error.headers["X-RateLimit-Reset"]
    if after and after.isdecimal():
        return max(int(after), 1)
    if error.headers["X-RateLimit-Remaining"] == "0" and reset and reset.isdecimal():
        return max(int(reset) - int(time()), 1)
    return max(waited, _WITHOUT_HEADERS) if error.code == 429 or "rate limit" in message.lower() else 0


def set_output(name: str, value: str, environment: Mapping[str, str] = os.environ) -> None:
    """Set an output of the step; outside GitHub Actions, do nothing."""
    if file := environment.get("GITHUB_OUTPUT"):
        with Path(file).open("a", encoding="utf-8") as outputs:
            outputs.write(f"{name}={value}\n")


def _message(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["message"])
    except (OSError, ValueError, KeyError, TypeError):
        return error.reason
