"""docs/pipelines/getting-started.md: its git commands run here, and each other command is run by a test or listed."""

import ast
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from commands.pipeline.changes import is_configuration
from iam.documents.recipe import Permissions
from review.markdown import markdown
from review.plan_files import review_files
from tests.repository import AS_SHIPPED, ROOT
from tests.review.stack_plans import Stack

PAGE = (ROOT / "docs/pipelines/getting-started.md").read_text(encoding="utf-8")
BLOCKS = [block.splitlines() for block in re.findall(r"^```bash\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)]
JOIN, FIRST, WAIVERS, CHANGE, UPDATE = (
    next(block for block in BLOCKS if any(marker in line for line in block))
    for marker in ("--allow-unrelated", "first-role", "git add .review", "git commit --all", "git checkout -b update")
)

THIS = "tests/docs/test_getting_started.py::"
RUN = {
    "make state-bucket": "tests/e2e/test_state_bucket.py::"
    "test_the_state_bucket_is_created_then_imported_and_holds_its_own_state",
    "make pipeline-access": "tests/e2e/test_pipeline_access.py::test_each_role_does_its_work_and_no_more",
    "make pipeline-setup": "tests/commands/pipeline/test_setup.py::"
    "test_the_printed_script_sets_variables_owners_and_the_rule",
    "make provider-lock": "tests/e2e/test_pull_request.py::test_a_pull_request_from_its_branch_to_no_drift",
    **{
        line: THIS + test
        for blocks, test in (
            ((JOIN, UPDATE), "test_an_update_from_the_template_keeps_the_configuration"),
            ((FIRST, WAIVERS, CHANGE), "test_the_first_pull_request_has_the_configuration_and_its_owners"),
        )
        for block in blocks
        for line in block
        if line.startswith("git ")
    },
}
"""The test that runs a command, or the `python -m` that a target of the Makefile stands for."""

NOT_RUN = {
    "gh repo create": "needs GitHub",
    "gh pr create": "needs GitHub",
    "gh api": "needs GitHub",
    "make setup": "needs the network; continuous integration begins with it",
    "cd glue-sessions": "a shell's own",
    "export": "a shell's own",
}
"""What no test runs, with the reason."""


def commands() -> list[str]:
    return [line for block in BLOCKS for line in block if line and not line.startswith("#")]


def test_each_command_is_run_by_a_test_or_listed() -> None:
    known = (*RUN, *NOT_RUN)
    assert [line for line in commands() if not line.startswith(known)] == []
    assert [name for name in known if not any(line.startswith(name) for line in commands())] == []


@pytest.mark.parametrize("test", sorted(set(RUN.values())))
def test_the_named_tests_exist(test: str) -> None:
    file, name = test.split("::")
    functions = ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8")))
    assert name in {node.name for node in functions if isinstance(node, ast.FunctionDef)}


@pytest.fixture
def template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the template's repository; the current folder is a clone of one that was made from it."""
    for name in ("NAME", "EMAIL"):
        for who in ("AUTHOR", "COMMITTER"):
            monkeypatch.setenv(f"GIT_{who}_{name}", "somebody@shop.example")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    template, origin, clone = tmp_path / "template", tmp_path / "origin", tmp_path / "clone"
    shutil.copytree(ROOT / ".github/workflows", template / ".github/workflows")
    for name in ("CHANGELOG.md", ".gitignore"):
        shutil.copy(ROOT / name, template)
    shutil.copy(AS_SHIPPED, template)
    create(template, "A first", "A second")
    # GitHub copies the files into a new history
    shutil.copytree(template, origin, ignore=shutil.ignore_patterns(".git"))
    create(origin, "Initial commit")
    git(origin, "checkout --quiet --detach")
    git(tmp_path, f"clone --quiet --branch main {origin} {clone}")
    monkeypatch.chdir(clone)
    return template


def git(folder: Path, arguments: str) -> str:
    command = ["git", *shlex.split(arguments)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def create(folder: Path, *messages: str) -> None:
    git(folder, "init --quiet --initial-branch main")
    for message in messages:
        git(folder, "add .")
        git(folder, f"commit --quiet --allow-empty --message '{message}'")


def run(block: Iterable[str], template: Path) -> None:
    """Run the git commands of a block in the clone."""
    for line in block:
        if line.startswith("git "):
            git(Path(), line.removeprefix("git ").replace("TEMPLATE-URL", str(template)))


def configure() -> None:
    """Turn on the section `pipeline`, as the page says."""
    file = Path("glue-sessions.yaml")
    head, section = file.read_text().split("# pipeline:")
    file.write_text(head + "pipeline:" + section.replace("\n# ", "\n"))


def test_an_update_from_the_template_keeps_the_configuration(template: Path) -> None:
    run(JOIN, template)
    assert git(Path(), "log --oneline origin/main..") == ""
    configure()
    git(Path(), "commit --quiet --all --message 'Ours'")
    git(Path(), "push --quiet")
    ours = Path("glue-sessions.yaml").read_text()

    for number in (1, 2):
        for name in ("CHANGELOG.md", ".github/workflows/plan.yaml"):
            (template / name).write_text((template / name).read_text() + f"# {number}\n")
        git(template, f"commit --quiet --all --message 'Update {number}'")
        run(UPDATE, template)
        assert Path("glue-sessions.yaml").read_text() == ours
        assert Path(".github/workflows/plan.yaml").read_text().endswith(f"# {number}\n")
        # merged with a merge commit; the next update has a branch of its own
        git(Path(), "checkout --quiet main")
        git(Path(), "merge --quiet --no-ff --message 'Merge' update")
        git(Path(), "push --quiet")
        git(Path(), "branch --quiet --delete update")


def test_the_first_pull_request_has_the_configuration_and_its_owners(template: Path) -> None:
    configure()
    Path(".github/CODEOWNERS").write_text("* @acme/platform\n")
    Path(".terraform.lock.hcl").touch()
    run(FIRST, template)
    assert git(Path(), "diff --name-only origin/main origin/first-role").split() == [
        ".github/CODEOWNERS",
        ".terraform.lock.hcl",
        "glue-sessions.yaml",
    ]
    assert git(Path(), "status --porcelain") == ""

    # narrower grants, or waivers
    Path(".review-accept.yaml").write_text("[]\n")
    text = Path("glue-sessions.yaml").read_text()
    Path("glue-sessions.yaml").write_text(text.replace("# permissions: least", "permissions: least"))
    run((*WAIVERS, *CHANGE), template)
    changed = git(Path(), "diff --name-only origin/first-role~1 origin/first-role").split()
    assert changed == [".review-accept.yaml", "glue-sessions.yaml"]
    assert all(map(is_configuration, changed))


def test_the_first_gate_is_red_for_the_findings_of_the_page_and_green_with_either_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def comment_on(permissions: Permissions) -> str:
        plan = tmp_path / f"{permissions}.json"
        plan.write_bytes(Stack("team", permissions).adopted())
        return markdown(review_files([str(plan)]))

    comment = comment_on("recipe")
    (headline,) = re.findall(r"^> (### .*)$", PAGE, re.MULTILINE)
    assert comment.splitlines()[1] == headline
    findings = re.findall(r"^\| \*\*high\*\*<br>`([\w-]+)` ", comment, re.MULTILINE)
    assert findings == re.findall(r"^\| `([\w-]+)` \| ", PAGE, re.MULTILINE)
    assert "Accept a finding as it is" in comment

    (waivers,) = re.findall(r"^```yaml\n(.*?)^```", comment, re.MULTILINE | re.DOTALL)
    Path(".review-accept.yaml").write_text(re.sub("reason: .*", "reason: our jobs get roles of their own", waivers))
    assert comment_on("recipe").splitlines()[1].startswith("### ✅")

    Path(".review-accept.yaml").unlink()
    narrower = comment_on("least-privilege")
    assert narrower.splitlines()[1].startswith("### ✅")
    assert "`other-roles-to-glue`" in narrower
    assert "`other-roles-to-glue`" not in comment_on("isolated")
