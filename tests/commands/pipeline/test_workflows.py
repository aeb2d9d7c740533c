"""The workflow files are valid and pinned, have the least permissions, and call only existing targets."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from applying.reviewed import REVIEWED
from commands.pipeline.__main__ import REVIEWED as REVIEWED_FOLDER
from commands.pipeline.__main__ import STEPS
from commands.pipeline.plans import REVIEW, SHOWN
from commands.pipeline.reports import LABEL
from commands.pipeline.runs import ARTIFACT, WORKFLOW
from commands.pipeline.setup import PASSED
from review.access_analyzer import FILE as ANSWERS
from tests.commands.pipeline.workflows import PERMISSIONS, WORKFLOWS, has_target, read, violations
from tests.repository import ROOT

GUIDE = (ROOT / "docs/pipelines/README.md").read_text(encoding="utf-8")
TEXTS = {file.name: file.read_text(encoding="utf-8") for file in WORKFLOWS}


def test_there_are_four_workflows() -> None:
    assert TEXTS.keys() == PERMISSIONS.keys()
    assert WORKFLOW in TEXTS


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_a_workflow_follows_the_rules(file: Path) -> None:
    assert list(violations(file.name, TEXTS[file.name])) == []


@pytest.mark.parametrize(
    ("before", "after", "violation"),
    [
        ("name: plan\n", "name: [plan\n", "is not YAML: "),
        ("name: plan\n", "name: plan\ndefaults: {}\n", "has an unknown key defaults"),
        ("\npermissions: {}\n", "\npermissions: write-all\n", "gives its token permissions for all jobs"),
        ("\npermissions: {}\n", "\n", "gives its token permissions for all jobs"),
        ("  pull_request:\n", "  pull_request_target:\n", "runs the code of forks with permissions"),
        ("    branches: [", "    branches: [dev, ", "checks pull requests into any branch"),
        ("          ref: ${{ github.base_ref }}\n", "", "review: comments, and runs the code of the pull request"),
        (
            "path: ${{ runner.temp }}/cdktf.out\n",
            "path: .\n",
            "review: comments, and puts what the pull request's code",
        ),
        ("path: ${{ runner.temp }}/cdktf.out\n", "path: pull-request/a\n", "review: comments, and puts what the pull"),
        ("write # to comment", "write\n      id-token: write", "review: may both comment and assume a role in AWS"),
        ("    if: always()\n", "    if: ${{ !cancelled() }}\n", "gate: may be skipped, which counts as passed"),
        ("needs: [stacks, plan, review]", "needs: [stacks, plan]", "gate: passes whatever happens to review"),
        ("    permissions: {}\n    steps", "    permissions: {contents: read}\n    steps", "gate: has permissions"),
        ("${{ github.token }}", "${{ secrets.PAT }}", "uses a secret"),
        ("      pull-requests: write", "      issues: write", "gives a job other permissions than the least"),
        ("@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", "@v7", "is not pinned to the commit of a named version"),
        (" # v7.0.1", "", "is not pinned to the commit of a named version"),
        ("    timeout-minutes: 30\n", "", "plan: has no timeout-minutes"),
        ("    needs: [stacks, plan]\n", "    needs: plan\n", "review: does not need stacks, whose result it uses"),
        ("    needs: stacks\n", "", "plan: does not need stacks, whose result it uses"),
        (
            "    outputs:\n      stacks:",
            "    outputs:\n      names:",
            "uses the output stacks, which stacks does not set",
        ),
        ("      - id: stacks\n        run", "      - run", "stacks: has no step stacks"),
        ("          persist-credentials: false\n", "          fetch-depth: 0\n", "keeps the token in the clone"),
        ("          persist-credentials: false\n      # the", "      # the", "review: keeps the token in the clone"),
        ("terraform_wrapper: false", "terraform_wrapper: true", "plan: wraps terraform, which hides its exit status"),
        ("run: make pipeline-review", "run: make pipeline-revue", "review: calls the missing target pipeline-revue"),
        ("run: make plan pip", "run: make plans pip", "plan: calls the missing target plans"),
        ('STACK="$STACK"', 'STACK="${{ matrix.stack }}"', "plan: runs more than make: "),
        ("run: make pipeline-stacks", "run: make pipeline-stacks | tail", "stacks: runs more than make: "),
        ('STACK="$STACK"', 'STACK="$OTHER"', "plan: passes OTHER, which is not in the step's env"),
        (
            "      - run: make pipeline-review ",
            "      - name: nothing #",
            "review: has a step that has neither run nor uses",
        ),
    ],
)
def test_a_violated_rule_is_reported(before: str, after: str, violation: str) -> None:
    assert before in TEXTS["plan.yaml"]
    reported = list(violations("plan.yaml", TEXTS["plan.yaml"].replace(before, after)))
    assert any(violation in each for each in reported), reported


def test_each_action_is_used_in_one_version() -> None:
    used = {tuple(each) for text in TEXTS.values() for each in re.findall(r"uses: ([\w/-]+)@(\w+)", text)}
    assert len({name for name, _ in used}) == len(used)


def test_each_job_has_a_name_of_its_own() -> None:
    # GitHub finds a required check by its job's name, in any workflow
    names = [job["name"] for text in TEXTS.values() for job in read(text)["jobs"].values()]
    assert len(set(names)) == len(names)


def test_all_workflows_are_for_one_branch() -> None:
    triggers = [trigger for text in TEXTS.values() for trigger in read(text)["on"].values() if trigger]
    branches = {branch for trigger in triggers if "branches" in trigger for branch in trigger["branches"]}
    assert len(branches) == 1


def test_plan_and_apply_run_the_same_terraform_and_python() -> None:
    for setting in ("terraform_version", "python-version"):
        values = {each for text in TEXTS.values() for each in re.findall(rf"{setting}: ([\d.\"]+)\n", text)}
        assert len(values) == 1, values


def test_the_whole_review_is_kept_whether_it_passes_or_not() -> None:
    steps = read(TEXTS["plan.yaml"])["jobs"]["review"]["steps"]
    (kept,) = (step for step in steps if step.get("with", {}).get("path", "").endswith(f"/{REVIEW}"))
    assert kept["if"] == "${{ !cancelled() }}"
    (reviewed,) = (step for step in steps if step.get("run", "").startswith("make pipeline-review "))
    assert kept["with"]["path"] == f"{reviewed['env']['CDKTF_OUTDIR']}/{REVIEW}"


def artifact(workflow: str, job: str, action: str) -> dict[str, str]:
    """Return the settings of the last step that uploads or downloads an artifact."""
    steps = read(TEXTS[workflow])["jobs"][job]["steps"]
    found: list[dict[str, str]] = [
        step["with"] for step in steps if step.get("uses", "").startswith(f"actions/{action}-artifact")
    ]
    return found[-1]


def test_apply_gets_the_plans_that_were_reviewed_and_no_saved_plan() -> None:
    planned = artifact("plan.yaml", "plan", "upload")
    # their common folder is the root of the artifact
    stack = "cdktf.out/stacks/${{ matrix.stack }}"
    files = ["cdktf.out/manifest.json", f"{stack}/{SHOWN}", f"{stack}/{ANSWERS}"]
    assert planned["path"].splitlines() == files
    reviews = artifact("plan.yaml", "review", "download")
    assert planned["name"].startswith(reviews["pattern"].removesuffix("*"))
    kept = artifact("plan.yaml", "review", "upload")
    assert kept["path"] == f"{reviews['path']}/stacks"
    applied = artifact("apply.yaml", "apply", "download")
    assert kept["name"] == ARTIFACT
    # by its id: another artifact may get its name after it was looked up
    assert applied["artifact-ids"] == "${{ needs.reviewed.outputs.artifact }}"
    assert (applied["path"], SHOWN) == (str(REVIEWED_FOLDER), REVIEWED)


def test_the_guide_names_every_variable_and_workflow() -> None:
    used = {name for text in TEXTS.values() for name in re.findall(r"vars\.(\w+)", text)}
    # a repository in use may pass more variables of its configuration
    variables = {"AWS_PLAN_ROLE_ARN", "AWS_APPLY_ROLE_ARN", *PASSED}
    assert variables <= used
    for name in [*variables, *TEXTS, LABEL]:
        assert f"`{name}`" in GUIDE, name


@pytest.mark.parametrize("name", ["README.md", "gitlab-ci.yml", "atlantis.yaml"])
def test_the_guide_and_the_examples_call_only_existing_targets(name: str) -> None:
    text = (ROOT / "docs/pipelines" / name).read_text(encoding="utf-8")
    if not name.endswith(".md"):
        assert read(text)
        assert "untried" in text
    calls = re.findall(r"(?:`|- |run: )make ((?:[a-z-]+ ?)+)(?=[`\n]|[A-Z]+=)", text)
    assert calls
    assert [target for each in calls for target in each.split() if not has_target(target)] == []
    modules = set(re.findall(r"python -m ([\w.]+)", text))
    assert [each for each in modules if find_spec(each) is None] == []
    steps = set(re.findall(r"python -m commands.pipeline ([a-z-]+)", text))
    assert steps <= STEPS.keys()
    links = re.findall(r"\]\(([\w./-]+)\)", text)
    assert [link for link in links if not (ROOT / "docs/pipelines" / link).exists()] == []
