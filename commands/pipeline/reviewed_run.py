"""Which run of the plan workflow made the plans that a merge is to apply."""

from commands.pipeline.github import GitHub, GitHubError

WORKFLOW = "plan.yaml"


def reviewed_run(github: GitHub) -> int | None:
    """Give the id of the run that planned the pull request whose merge made this commit; None for no pull request.

    Raises:
        GitHubError: the pull request was merged without a plan that passed the gate.
    """
    commit = github.variable("GITHUB_SHA")
    merged = [each for each in github.pages(f"commits/{commit}/pulls") if each["merge_commit_sha"] == commit]
    if not merged:
        return None
    number, head = merged[0]["number"], merged[0]["head"]["sha"]
    runs = github.get(f"actions/workflows/{WORKFLOW}/runs", head_sha=head, event="pull_request")["workflow_runs"]
    if not runs:
        raise GitHubError(f"pull request {number} has no plan of {head}: plan again in another pull request")
    newest = max(runs, key=lambda run: (run["run_number"], run["run_attempt"]))
    if newest["conclusion"] != "success":
        how = newest["conclusion"] or newest["status"]
        raise GitHubError(f"the plan of pull request {number} did not pass ({how}): {newest['html_url']}")
    return int(newest["id"])
