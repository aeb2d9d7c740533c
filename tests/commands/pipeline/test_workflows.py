"""The workflow files: valid, pinned, with the least permissions, and calling only what there is."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from commands.pipeline.__main__ import STEPS
from commands.pipeline.plans import SHOWN, WORKFLOW
from commands.pipeline.reports import LABEL
from terraform_cli import installation
from terraform_cli.stacks import PLAN
from tests.commands.pipeline.workflows import PERMISSIONS, WORKFLOWS, faults, has_target, read
from tests.repository import ROOT

GUIDE = (ROOT / "docs/pipelines/README.md").read_text(encoding="utf-8")
TEXTS = {file.name: file.read_text(encoding="utf-8") for file in WORKFLOWS}


def test_there_are_four_workflows() -> None:
    assert TEXTS.keys() == PERMISSIONS.keys()
    assert WORKFLOW in TEXTS


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_a_workflow_keeps_to_the_rules(file: Path) -> None:
    assert list(faults(file.name, TEXTS[file.name])) == []


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("name: plan\n", "name: [plan\n", "is no YAML: "),
        ("name: plan\n", "name: plan\ndefaults: {}\n", "has an unknown key defaults"),
        ("permissions: {}\n", "permissions: write-all\n", "gives its token more than nothing"),
        ("permissions: {}\n", "", "gives its token more than nothing"),
        ("on: pull_request", "on: [pull_request_target]", "runs the code of forks with the rights of this repository"),
        ("${{ github.token }}", "${{ secrets.PAT }}", "uses a secret"),
        ("      pull-requests: write", "      issues: write", "gives a job other permissions than the least"),
        ("@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", "@v7", "is not pinned to the commit of a named version"),
        (" # v7.0.1", "", "is not pinned to the commit of a named version"),
        ("    timeout-minutes: 30\n", "", "plan: has no timeout-minutes"),
        ("    needs: [stacks, plan]\n", "    needs: plan\n", "review: does not need stacks, which it asks"),
        ("    needs: stacks\n", "", "plan: does not need stacks, which it asks"),
        (
            "    outputs:\n      stacks:",
            "    outputs:\n      names:",
            "asks stacks for stacks, which that does not give",
        ),
        ("      - id: stacks\n        run", "      - run", "stacks: has no step stacks"),
        ("          persist-credentials: false\n", "          fetch-depth: 0\n", "leaves the token in the clone"),
        ("terraform_wrapper: false", "terraform_wrapper: true", "plan: wraps terraform, which hides its exit status"),
        ("run: make pipeline-review", "run: make pipeline-revue", "review: makes pipeline-revue, which there is not"),
        ("run: make plan pip", "run: make plans pip", "plan: makes plans, which there is not"),
        ('STACK="$STACK"', 'STACK="${{ matrix.stack }}"', "plan: runs more than make: "),
        ("run: make pipeline-stacks", "run: make pipeline-stacks | tail", "stacks: runs more than make: "),
        ('STACK="$STACK"', 'STACK="$OTHER"', "plan: hands over OTHER, which is not in the step's env"),
        (
            "      - run: make pipeline-review\n",
            "      - name: nothing\n",
            "review: has a step that neither runs nor uses",
        ),
    ],
)
def test_a_broken_rule_is_found(before: str, after: str, fault: str) -> None:
    assert before in TEXTS["plan.yaml"]
    found = list(faults("plan.yaml", TEXTS["plan.yaml"].replace(before, after)))
    assert any(fault in each for each in found), found


def test_an_action_is_used_in_one_version() -> None:
    used = {tuple(each) for text in TEXTS.values() for each in re.findall(r"uses: ([\w/-]+)@(\w+)", text)}
    assert len({name for name, _ in used}) == len(used)


def test_plan_and_apply_run_the_same_terraform_and_python() -> None:
    for setting in ("terraform_version", "python-version"):
        found = {each for text in TEXTS.values() for each in re.findall(rf"{setting}: ([\d.\"]+)\n", text)}
        assert len(found) == 1, found


def test_apply_gets_what_was_planned_with_the_provider_it_was_planned_with() -> None:
    steps = read(TEXTS["plan.yaml"])["jobs"]["plan"]["steps"]
    (kept,) = (step["with"] for step in steps if step.get("uses", "").startswith("actions/upload-artifact"))
    files = ("cdk.tf.json", PLAN, SHOWN, ".terraform.lock.hcl")
    assert kept["path"].replace("${{ matrix.stack }}", "STACK").split() == [
        "cdktf.out/manifest.json",
        *(f"cdktf.out/stacks/STACK/{file}" for file in files),
    ]
    assert kept["include-hidden-files"] is True
    steps = read(TEXTS["apply.yaml"])["jobs"]["apply"]["steps"]
    (taken,) = (step["with"] for step in steps if step.get("uses", "").startswith("actions/download-artifact"))
    assert (taken["name"], taken["path"]) == (kept["name"], "cdktf.out")


def test_the_tests_have_a_row_for_each_of_what_is_supported() -> None:
    rows = read(TEXTS["tests.yaml"])["jobs"]["tests"]["strategy"]["matrix"]["include"]
    assert {row["python"] for row in rows} == {"3.11", "3.12", "3.13"}
    oldest = ".".join(map(str, installation.OLDEST))
    assert f"{oldest}.0" in {row.get("terraform") for row in rows}
    assert f"{oldest}.0" in {row.get("opentofu") for row in rows}
    assert {row.get("provider") for row in rows} == {"~> 5.100", "~> 6.0", None}


def test_the_guide_names_every_variable_and_workflow() -> None:
    used = {name for text in TEXTS.values() for name in re.findall(r"vars\.(\w+)", text)}
    assert used == {"AWS_PLAN_ROLE_ARN", "AWS_APPLY_ROLE_ARN", "AWS_REGION", "SAGEMAKER_ROLE_NAME", "TF_STATE_BUCKET"}
    for name in [*used, *TEXTS, LABEL]:
        assert f"`{name}`" in GUIDE, name


@pytest.mark.parametrize("name", ["README.md", "gitlab-ci.yml", "atlantis.yaml"])
def test_what_the_guide_and_the_examples_call_is_there(name: str) -> None:
    text = (ROOT / "docs/pipelines" / name).read_text(encoding="utf-8")
    if not name.endswith(".md"):
        assert read(text)
        assert "untried" in text
    made = re.findall(r"(?:`|- |run: )make ((?:[a-z-]+ ?)+)(?=[`\n]|[A-Z]+=)", text)
    assert made
    assert [target for each in made for target in each.split() if not has_target(target)] == []
    modules = set(re.findall(r"python -m ([\w.]+)", text))
    assert [each for each in modules if find_spec(each) is None] == []
    steps = set(re.findall(r"python -m commands.pipeline ([a-z-]+)", text))
    assert steps <= STEPS.keys()
    links = re.findall(r"\]\(([\w./-]+)\)", text)
    assert [link for link in links if not (ROOT / "docs/pipelines" / link).exists()] == []
