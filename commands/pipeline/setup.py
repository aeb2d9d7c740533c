"""`make pipeline-setup`: what a repository on GitHub needs for the workflows, as a script of `gh` and `git` commands.

The script is printed. On a terminal, where `gh` exists, it is also run after a question: the same text, so that what
was read is what happens. Each of its commands can be repeated.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from difflib import unified_diff
from pathlib import Path
from shlex import quote

from commands import command_line
from commands.command_line import EXIT_CANNOT_RUN
from configuration import Configuration, ConfigurationError, configuration_path, load
from configuration.pipeline_access import PipelineSettings, pipeline_settings

CHECKS = ("plan gate", "tests gate")
"""The checks to require: names of the jobs `gate`."""

GITHUB_ACTIONS = 15368
"""The id of the GitHub App that is GitHub Actions: a check that another app or person sets does not count."""

PASSED = ("AWS_REGION", "SAGEMAKER_ROLE_NAME", "TF_STATE_BUCKET")
"""The variables of glue-sessions.yaml that the workflows pass on."""

RULESET = "glue-sessions"
"""The name of the rule for the branch; a second run replaces it."""

EXAMPLE_OWNER = "@acme/platform"
OWNERS_FILE = Path("docs/pipelines/CODEOWNERS")
APPLY_WORKFLOW = Path(".github/workflows/apply.yaml")

_OWNER = re.compile(r"@[A-Za-z0-9-]+(/[A-Za-z0-9_.-]+)?")


class SetupError(Exception):
    """What the script is made from is missing; one line."""


class _Recorded(dict[str, str]):
    """An environment that records which of its variables are read."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        super().__init__(environment)
        self.read: dict[str, None] = {}

    def get(self, key: str, default: str | None = None) -> str | None:  # type: ignore[override]
        """Return a variable, and record its name."""
        self.read[key] = None
        return super().get(key, default)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the script, and run it on a terminal if that is wanted; return 2 if it cannot be made or fails."""
    options = command_line.parse(parser(), arguments)
    if not options.owners:
        print(f"name who approves changes of the code: make pipeline-setup OWNERS={EXAMPLE_OWNER}", file=sys.stderr)
        return EXIT_CANNOT_RUN
    try:
        written = script(options.owners, options.approvals, os.environ)
    except (ConfigurationError, SetupError) as error:
        print(error, file=sys.stderr)
        return EXIT_CANNOT_RUN
    print(written, end="")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return 0
    if not shutil.which("gh"):
        print("gh is not on PATH: run these commands where it is, https://cli.github.com", file=sys.stderr)
        return 0
    return _run(written)


def _run(written: str) -> int:
    if input("\nRun these commands? [y/N] ").strip().lower() not in ("y", "yes"):
        print("nothing was run")
        return 0
    if subprocess.run(["bash", "-e", "-c", written], check=False).returncode:
        print("a command failed, and none after it was run: fix its error and repeat all of them", file=sys.stderr)
        return EXIT_CANNOT_RUN
    print("done; next: commit .github with your configuration on a branch, and open a pull request")
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    made = command_line.parser(
        "pipeline-setup",
        "Print what the repository on GitHub needs for the workflows: variables,\n"
        "CODEOWNERS, the rule of the branch, the environment. On a terminal with gh,\n"
        "run it after a question. See docs/pipelines/getting-started.md.",
        "exit status: 0 done, 2 wrong input, or a command failed",
    )
    made.add_argument(
        "--owners",
        nargs="*",
        type=_owner,
        default=[],
        metavar="@OWNER",
        help="teams and users, one of whom approves each change of the code",
    )
    made.add_argument(
        "--approvals",
        type=int,
        choices=range(7),
        default=1,
        help="approvals that a pull request needs (default: 1); 0 for somebody who works alone",
    )
    return made


def _owner(text: str) -> str:
    if not _OWNER.fullmatch(text):
        raise argparse.ArgumentTypeError(f"supply a team or a user, such as {EXAMPLE_OWNER} or @somebody, got {text}")
    return text


def script(owners: Sequence[str], approvals: int, environment: Mapping[str, str]) -> str:
    """Return the script, for bash.

    Args:
        owners: teams and users as CODEOWNERS names them.
        approvals: how many approvals a pull request needs; with 0, no owner has to approve either.
        environment: the variables that the configuration reads.

    Raises:
        ConfigurationError: the configuration has errors, or no section `pipeline`.
        SetupError: the account of the pipeline's roles is unknown.
    """
    recorded = _Recorded(environment)
    configuration = load(configuration_path(environment), recorded)
    settings = pipeline_settings(configuration)
    repository = re.sub(r"@[0-9]+", "", settings.github.repository)
    parts = [
        _variables(configuration, settings, repository, recorded),
        _owners(owners),
        _environment(owners, settings, repository),
        _rule(settings, repository, approvals),
        _token(repository),
    ]
    return "\n".join(line for part in parts for line in part) + "\n"


def _variables(
    configuration: Configuration, settings: PipelineSettings, repository: str, environment: _Recorded
) -> Iterator[str]:
    yield "# the variables of the workflows; none of them is a secret"
    account_id = settings.account_id or _caller(settings)
    role = f"arn:{settings.reach.partition}:iam::{account_id}:role"
    values = {
        "AWS_PLAN_ROLE_ARN": f"{role}/{settings.role_name('plan')}",
        "AWS_APPLY_ROLE_ARN": f"{role}/{settings.role_name('apply')}",
        "AWS_REGION": settings.region,
        **{name: environment[name] for name in environment.read},
    }
    if configuration.path != Path("glue-sessions.yaml"):
        values["GLUE_SESSIONS_CONFIG"] = str(configuration.path)
    for name, value in values.items():
        yield f"gh variable set {name} --repo {repository} --body {quote(value)}"
    for name in values:
        if name not in (*PASSED, "AWS_PLAN_ROLE_ARN", "AWS_APPLY_ROLE_ARN"):
            yield f"# add this line to `env` of the workflows plan, apply and drift: {name}: ${{{{ vars.{name} }}}}"
    yield ""


def _caller(settings: PipelineSettings) -> str:
    """Return the account of the caller. Raises SetupError."""
    import boto3

    from aws.account import Account, Calls
    from aws.errors import AWS_ERRORS, in_words

    try:
        return Account(boto3.Session(), calls=Calls(), region=settings.region).identity.account_id
    except AWS_ERRORS as error:
        raise SetupError(
            "set account_id of an environment in glue-sessions.yaml, or sign in to the account of the pipeline's roles:"
            f" {in_words(error)}"
        ) from None


def _owners(owners: Sequence[str]) -> Iterator[str]:
    yield "# who has to approve a change of the code, the workflows and the waivers: commit this file"
    command = f"s|{EXAMPLE_OWNER}|{' '.join(owners)}|"
    yield f"sed {quote(command)} {OWNERS_FILE} > .github/CODEOWNERS"
    yield ""


def _environment(owners: Sequence[str], settings: PipelineSettings, repository: str) -> Iterator[str]:
    name = settings.github.environment
    if name is None:
        return
    yield "# the environment whose reviewers approve each apply"
    address = f"repos/{repository}/environments/{name}"
    reviewers = ",\n    ".join(map(_reviewer, owners))
    yield f"gh api --method PUT {address} --input - <<JSON"
    yield "{"
    yield f'  "reviewers": [\n    {reviewers}\n  ],'
    yield '  "deployment_branch_policy": {"protected_branches": false, "custom_branch_policies": true}'
    yield "}"
    yield "JSON"
    yield f"gh api --method POST {address}/deployment-branch-policies -f name={quote(settings.github.branch)}"
    yield from _apply_in(name)
    yield ""


def _reviewer(owner: str) -> str:
    name, slash, team = owner.removeprefix("@").partition("/")
    kind, address = ("Team", f"orgs/{name}/teams/{team}") if slash else ("User", f"users/{name}")
    return f'{{"type": "{kind}", "id": $(gh api {address} --jq .id)}}'


def _apply_in(environment: str) -> Iterator[str]:
    """Yield the command that makes the job `apply` run in the environment, if it does not yet."""
    before = APPLY_WORKFLOW.read_text(encoding="utf-8")
    wanted = f"    environment: {environment}\n"
    if wanted in before:
        return
    name = "    name: apply ${{ matrix.stack }}\n"
    after = re.sub(r"^    environment: .*\n", "", before, flags=re.MULTILINE).replace(name, name + wanted)
    yield "git apply <<'PATCH'"
    yield from unified_diff(
        before.splitlines(), after.splitlines(), f"a/{APPLY_WORKFLOW}", f"b/{APPLY_WORKFLOW}", lineterm=""
    )
    yield "PATCH"


def _rule(settings: PipelineSettings, repository: str, approvals: int) -> Iterator[str]:
    branch = settings.github.branch
    yield f"# the rule of {branch}: what a pull request needs before it is merged"
    if branch != "main":
        yield f"# change main to {branch} in plan.yaml, apply.yaml and tests.yaml in .github/workflows too"
    yield f"id=$(gh api repos/{repository}/rulesets --jq '.[] | select(.name == \"{RULESET}\") | .id')"
    yield 'if [ "$id" ]; then set -- PUT "/$id"; else set -- POST ""; fi'
    yield f'gh api --method "$1" "repos/{repository}/rulesets$2" --input - <<\'JSON\''
    yield json.dumps(rule(branch, approvals), indent=2)
    yield "JSON"
    yield ""


def rule(branch: str, approvals: int) -> dict[str, object]:
    """Return the ruleset, as https://docs.github.com/en/rest/repos/rules has it.

    Args:
        branch: the branch from which is applied.
        approvals: how many approvals a pull request needs; with 0, no owner has to approve either.
    """
    checks = [{"context": check, "integration_id": GITHUB_ACTIONS} for check in CHECKS]
    return {
        "name": RULESET,
        "target": "branch",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": [f"refs/heads/{branch}"], "exclude": []}},
        "rules": [
            {"type": "deletion"},
            {"type": "non_fast_forward"},
            {
                "type": "pull_request",
                "parameters": {
                    "required_approving_review_count": approvals,
                    "require_code_owner_review": approvals > 0,
                    "require_last_push_approval": approvals > 0,
                    "dismiss_stale_reviews_on_push": True,
                    "required_review_thread_resolution": False,
                },
            },
            {
                "type": "required_status_checks",
                "parameters": {"strict_required_status_checks_policy": True, "required_status_checks": checks},
            },
        ],
    }


def _token(repository: str) -> Iterator[str]:
    yield "# no workflow may approve a pull request"
    yield (
        f"gh api --method PUT repos/{repository}/actions/permissions/workflow"
        " -f default_workflow_permissions=read -F can_approve_pull_request_reviews=false"
    )


if __name__ == "__main__":
    command_line.run(main)
