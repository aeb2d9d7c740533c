"""An issue for each environment in which something drifted, closed once nothing does."""

from collections.abc import Sequence

from commands.pipeline.github import GitHub
from review.drift.renderers import markdown
from review.drift.report import Reading, exit_status, verdict

LABEL = "drift"
"""Of every such issue; made with the first one."""


def put_issues(github: GitHub, readings: Sequence[Reading]) -> None:
    """Open or update an issue for each environment that is not well, and close those of the others.

    Args:
        github: the repository.
        readings: of all stacks: an environment that is in none of them is taken for one that is gone.
    """
    by_environment: dict[str, list[Reading]] = {}
    for reading in readings:
        by_environment.setdefault(reading.environment, []).append(reading)
    unwell = {name: found for name, found in by_environment.items() if exit_status(found)}
    open_ = _open_issues(github)
    for environment, found in unwell.items():
        text = f"{_marker(environment)}\n{markdown(found)}"
        if environment in open_:
            number, before = open_[environment]
            if text != before:
                github.patch(f"issues/{number}", body=text)
        else:
            github.post("issues", title=f"Drift: {environment}", body=text, labels=[LABEL])
    for environment, (number, _) in open_.items():
        if environment not in unwell:
            well = by_environment.get(environment)
            said = verdict(well) if well else "the environment is no longer configured"
            github.post(f"issues/{number}/comments", body=f"Nothing is drifted any more: {said}.")
            github.patch(f"issues/{number}", state="closed", state_reason="completed")


def _open_issues(github: GitHub) -> dict[str, tuple[int, str]]:
    """Give number and text of the open issues of earlier runs, by environment."""
    found: dict[str, tuple[int, str]] = {}
    for issue in github.pages("issues", state="open", labels=LABEL):
        body = (issue["body"] or "").replace("\r\n", "\n")
        first = body.partition("\n")[0]
        environment = first.removeprefix(_MARKER[0]).removesuffix(_MARKER[1])
        if first == _marker(environment) and issue["user"]["type"] == "Bot" and "pull_request" not in issue:
            found.setdefault(environment, (int(issue["number"]), body))
    return found


_MARKER = ("<!-- glue-sessions-drift: ", " -->")


def _marker(environment: str) -> str:
    return environment.join(_MARKER)
