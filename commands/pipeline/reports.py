"""What a pipeline writes on GitHub: a comment on the pull request, and an issue per environment with drift."""

import re
from collections.abc import Sequence

from commands.pipeline.github import GitHub, user_type
from configuration import ConfigurationError
from plans.values import visible
from review.drift.renderers import markdown
from review.drift.report import Reading, exit_status, verdict
from review.markdown import MARKER

LABEL = "drift"
"""Label of the drift issues, created with the first one."""

_ERRORS, _ERROR_LENGTH = 20, 500
"""How many errors of the configuration a comment has, and how much of each."""


def put_comment(github: GitHub, pull_request: int, text: str) -> None:
    """Write a comment, replacing the one that a bot wrote before with the same first line.

    Args:
        github: the repository.
        pull_request: its number.
        text: the comment; its first line is the marker.
    """
    marker = text.partition("\n")[0]
    for comment in github.pages(f"issues/{pull_request}/comments"):
        if user_type(comment) == "Bot" and (comment.get("body") or "").splitlines()[:1] == [marker]:
            github.patch(f"issues/comments/{comment['id']}", body=text)
            return
    github.post(f"issues/{pull_request}/comments", body=text)


def unreadable(error: ConfigurationError) -> str:
    """Return the comment on a pull request whose configuration has errors: the first of them."""
    lines = [visible(line) for line in str(error).splitlines()]
    if len(lines) > _ERRORS:
        lines[_ERRORS:] = [f"and {len(lines) - _ERRORS} more"]
    text = "\n".join(line[:_ERROR_LENGTH] for line in lines)
    # the lines quote the configuration: whatever it contains, the block ends where it should
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", text))])
    return f"{MARKER}\n### ❌ IAM review: the configuration cannot be read\n\n{fence}\n{text}\n{fence}\n"


def put_issues(github: GitHub, readings: Sequence[Reading]) -> None:
    """Open or update an issue for each environment with drift or errors, and close the issues of the others.

    Args:
        github: the repository.
        readings: the drift of all stacks; an environment without any is no longer configured.
    """
    by_environment: dict[str, list[Reading]] = {}
    for reading in readings:
        by_environment.setdefault(reading.environment, []).append(reading)
    drifted = {name: group for name, group in by_environment.items() if exit_status(group)}
    issues = _open_issues(github)
    for environment, group in drifted.items():
        text = f"{_marker(environment)}\n{markdown(group)}"
        if environment in issues:
            number, before = issues[environment]
            if text != before:
                github.patch(f"issues/{number}", body=text)
        else:
            github.post("issues", title=f"Drift: {environment}", body=text, labels=[LABEL])
    for environment, (number, _) in issues.items():
        if environment not in drifted:
            current = by_environment.get(environment)
            state = verdict(current) if current else "the environment is no longer configured"
            github.post(f"issues/{number}/comments", body=f"No drift any more: {state}.")
            github.patch(f"issues/{number}", state="closed", state_reason="completed")


def _open_issues(github: GitHub) -> dict[str, tuple[int, str]]:
    """Return number and text of the open issues of earlier runs, by environment."""
    issues: dict[str, tuple[int, str]] = {}
    for issue in github.pages("issues", state="open", labels=LABEL):
        body = (issue.get("body") or "").replace("\r\n", "\n")
        first = body.partition("\n")[0]
        environment = first.removeprefix(_MARKER[0]).removesuffix(_MARKER[1])
        if first == _marker(environment) and user_type(issue) == "Bot" and "pull_request" not in issue:
            issues.setdefault(environment, (int(issue["number"]), body))
    return issues


_MARKER = ("<!-- glue-sessions-drift: ", " -->")


def _marker(environment: str) -> str:
    return environment.join(_MARKER)
