"""The steps of the demo, in order; each checks its own result."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from commands.demo import account
from commands.demo.account import ROLE_NAME, RoleSnapshot
from commands.demo.output import Output
from commands.demo.shell import Counts, Shell, counts, plain, without_initialization, without_stack
from configuration import configuration_path, load
from iam.arn import RoleArn
from iam.documents.grants import Grantee, GrantSettings, inline_policies, managed_policies, policy_grants
from iam.documents.recipe import trust_policy
from sandbox.launcher import Sandbox

BUCKET = "data-science-terraform-states"

CONFIGURATION = """\
state:
  bucket: ${TF_STATE_BUCKET}
  region: ${AWS_REGION}
environments:
  default:
    region: ${AWS_REGION}
    roles:
      - role: ${SAGEMAKER_ROLE_NAME}
"""
"""The configuration as this repository ships it."""

_SETTINGS = GrantSettings(permissions="recipe")
"""The settings of the role in CONFIGURATION."""

_GRANTED = Counts(adopted=1, added=len([*policy_grants()]), changed=1)
"""The first plan: the role is adopted with a changed trust policy, and gets each policy."""

OWN_ACCOUNT = """In your own account:
  export AWS_REGION=eu-west-1 TF_STATE_BUCKET=my-terraform-states SAGEMAKER_ROLE_NAME=my-execution-role
  make state-bucket   # create the bucket, unless you have one
  make plan
  make apply
With all commands and their output: make demo VERBOSE=1"""


class DemoError(Exception):
    """A step has another result than expected; one line."""


@dataclass
class Demo:
    """What the steps share.

    Attributes:
        aws: the local AWS.
        shell: runs commands against it.
        output: prints the steps.
        directory: a temporary folder.
        results: a folder for files that outlive the demo.
        before: the role before the first apply.
        state_bucket: the apply of the state bucket, which runs in the background.
    """

    aws: Sandbox
    shell: Shell
    output: Output
    directory: Path
    results: Path
    before: RoleSnapshot | None = None
    state_bucket: subprocess.Popen[str] | None = None

    @property
    def stack(self) -> str:
        """Name of the role's stack."""
        environment = self.shell.environment
        return load(configuration_path(environment), environment).role_stacks[0].name

    def read_role(self) -> RoleSnapshot:
        """Return the execution role as IAM has it."""
        return account.read_role(self.aws.client("iam"))

    def run(self, command: str, *, stack: str = "", status: int = 0) -> list[str]:
        """Run a command, show its output line by line, and return the lines.

        Args:
            command: the command line; `$NAME` is a variable of the shell's environment.
            stack: the stack whose name cdktf prints before each line.
            status: the expected exit status.

        Raises:
            DemoError: the exit status is another one.
        """
        self.output.command(command)
        lines = []
        process = self.shell.start(command)
        for line in without_initialization(without_stack(line, stack) for line in self.shell.lines(process)):
            self.output.line(line)
            lines.append(line)
        if process.returncode != status:
            raise DemoError(f"`{command}` ended with status {process.returncode}, expected {status}")
        return lines

    def cdktf(self, command: str, expected: Counts) -> None:
        """Run cdktf on the role's stack, and compare its summary with the expected one.

        Raises:
            DemoError: cdktf failed, or the summary is another one.
        """
        expect(command, self.run(command, stack=self.stack)[-10:], expected)
        self.output.result(str(expected))


def expect(command: str, lines: list[str], expected: Counts) -> None:
    """Compare the summary in cdktf's output with the expected one.

    Raises:
        DemoError: it is another one.
    """
    if (actual := counts(lines)) != expected:
        raise DemoError(f"`{command}` should {expected}, but its summary is: {actual or 'missing'}")


def create_account(demo: Demo) -> None:
    """Create a SageMaker domain with the console's execution role"""
    arn = account.create_domain(demo.aws.client("iam"), demo.aws.client("sagemaker"))
    account.create_default_bucket(demo.aws.client("s3"), account_id=RoleArn.parse(arn).account_id)
    demo.before = demo.read_role()
    demo.output.note(f"Domain data-science, execution role\n{arn}\nNo notebook of the domain can start a Glue session.")
    demo.output.result("the role trusts only SageMaker")


def configure(demo: Demo) -> None:
    """Write glue-sessions.yaml as shipped, set its three variables"""
    Path(demo.shell.environment["GLUE_SESSIONS_CONFIG"]).write_text(CONFIGURATION)
    demo.output.command("cat glue-sessions.yaml")
    for line in CONFIGURATION.splitlines():
        demo.output.line(line)
    demo.shell.environment |= {"TF_STATE_BUCKET": BUCKET, "SAGEMAKER_ROLE_NAME": ROLE_NAME}
    for name in ("AWS_REGION", "TF_STATE_BUCKET", "SAGEMAKER_ROLE_NAME"):
        demo.output.command(f"export {name}={demo.shell.environment[name]}")
    demo.output.note("And, to leave your own configuration and cdktf.out alone:")
    for name in ("GLUE_SESSIONS_CONFIG", "CDKTF_OUTPUT", "CDKTF_OUTDIR"):
        demo.output.command(f"export {name}={demo.shell.environment[name]}")


def create_state_bucket(demo: Demo) -> None:
    """Create the bucket of Terraform's state"""
    demo.output.note(
        "One call creates the bucket. A separate stack, whose state is in the same bucket, then imports it: versioned, "
        "encrypted, closed to the public and to plain HTTP. Its apply runs in the background, because Terraform's AWS "
        "provider waits most of a minute for a new lifecycle rule."
    )
    demo.run("python -m commands.create_state_bucket")
    command = (
        'cdktf apply --auto-approve --app "python state_bucket.py" --output $CDKTF_OUTPUT-state-bucket state-bucket'
    )
    demo.output.command(f"{command} > state-bucket.log &")
    with (demo.directory / "state-bucket.log").open("w") as log:
        demo.state_bucket = demo.shell.start(command, log)
    demo.output.result("its stack is applied in the background")


def plan(demo: Demo) -> None:
    """cdktf plan"""
    demo.output.note(
        "The role is adopted: Terraform takes over its trust policy and nothing else. Path, description, tags and all "
        "other policies stay with their owners."
    )
    demo.cdktf("cdktf plan", _GRANTED)


def review(demo: Demo) -> None:
    """Review the plan in IAM terms"""
    lines = demo.run(f"python -m commands.review --fail-on critical $CDKTF_OUTPUT/stacks/{demo.stack}/plan")
    demo.output.result(plain(lines[-1]))


def apply(demo: Demo) -> None:
    """cdktf apply"""
    demo.cdktf("cdktf apply --auto-approve", _GRANTED)


def plan_again(demo: Demo) -> None:
    """cdktf plan, again"""
    demo.cdktf("cdktf plan", Counts())


def drift(demo: Demo) -> None:
    """Remove trust and policy by hand, then detect the drift"""
    iam = demo.aws.client("iam")
    arn = RoleArn.parse(iam.get_role(RoleName=ROLE_NAME)["Role"]["Arn"])
    iam.update_assume_role_policy(RoleName=ROLE_NAME, PolicyDocument=json.dumps(account.trust_of_the_console()))
    demo.output.note("iam:UpdateAssumeRolePolicy: Glue is no longer trusted.")
    for grant in managed_policies():
        iam.detach_role_policy(RoleName=ROLE_NAME, PolicyArn=grant.arn(arn.partition))
        demo.output.note(f"iam:DetachRolePolicy: {grant.policy_name} is detached.")
    lines = demo.run("python -m commands.drift", status=1)
    demo.output.result(plain(lines[-1]))


def repair(demo: Demo) -> None:
    """Repair it with cdktf apply"""
    demo.cdktf("cdktf apply --auto-approve", Counts(added=len([*managed_policies()]), changed=1))


def check_role(demo: Demo) -> None:
    """Read the role back from IAM"""
    assert demo.before is not None
    before, now = demo.before, demo.read_role()
    arn = RoleArn.parse(now.other["Arn"])
    attached = {grant.arn(arn.partition) for grant in managed_policies() if grant.is_granted(_SETTINGS)}
    documents = {grant.policy_name: grant.document(_SETTINGS, Grantee.of(arn)) for grant in inline_policies()}
    inline = {name: document for name, document in documents.items() if document}
    for claim, holds in {
        "its trust policy is the recipe's": now.trust_policy == trust_policy(),
        "the managed policy is attached, AmazonSageMakerFullAccess still is": now.attached_policies
        == before.attached_policies | attached,
        "its inline policy is the recipe's": now.inline_policies == inline,
        "path, description, tags, session length and id are unchanged": now.other == before.other,
    }.items():
        if not holds:
            raise DemoError(f"read back from IAM, this is wrong: {claim}")
        demo.output.note(f"ok {claim}")
    demo.output.result("the grants are the recipe's, everything else is unchanged")


def await_state_bucket(demo: Demo) -> None:
    """Read the state bucket back from S3"""
    assert demo.state_bucket is not None
    demo.output.command("wait")
    status = demo.state_bucket.wait()
    lines = (demo.directory / "state-bucket.log").read_text().splitlines()
    lines = [without_stack(line, "state-bucket") for line in lines]
    if status:
        for line in lines:
            demo.output.line(line)
        raise DemoError(f"the apply of the state bucket ended with status {status}")
    expect("cdktf apply", lines[-10:], Counts(adopted=1, added=5))
    if not account.bucket_is_safe(demo.aws.client("s3"), BUCKET):
        raise DemoError(f"read back from S3, {BUCKET} is not versioned, encrypted and private")
    demo.output.result("versioned, encrypted, private, TLS only")


def run_notebook(demo: Demo) -> None:
    """Run the starter notebook on the real Glue PySpark kernel"""
    # imported here: slow, and from a group of packages that only this step needs
    from commands.demo import notebook
    from sandbox.studio import text_of

    demo.output.note(
        "SageMaker Studio's kernel wrapper, the Glue PySpark kernel and Spark 3.5 are the real ones. The local AWS "
        "answers Glue's session calls, and evaluates the role's current policies for each."
    )
    executed, left_out = notebook.read_notebook()
    ran = 0
    for cell in notebook.run_cells(executed, role_arn=demo.read_role().other["Arn"], aws=demo.aws):
        if failure := notebook.failure(cell):
            raise DemoError(failure)
        ran += 1
        demo.output.line(f"[{cell.id}] {cell.source.splitlines()[0]}")
        for line in [each for each in text_of(cell).splitlines() if each.strip()][-8:]:
            demo.output.line(f"    {line}")
    page = notebook.save_page(executed, demo.results)
    demo.output.note(f"The executed notebook: {page}")
    demo.output.result(f"{ran} cells ran, without those for AWS alone ({', '.join(left_out)}); see {_short(page)}")


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


STEPS: tuple[Callable[[Demo], None], ...] = (
    create_account,
    configure,
    create_state_bucket,
    plan,
    review,
    apply,
    plan_again,
    drift,
    repair,
    check_role,
    await_state_bucket,
    run_notebook,
)
"""The steps in order; the docstring of a step is its title."""
