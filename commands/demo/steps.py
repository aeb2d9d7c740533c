"""The steps of the demo, in order; each checks its own result."""

import contextlib
import json
import shlex
import subprocess
from collections.abc import Callable, Iterator
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

_STARTED = "[start]"
"""Begins the line of the notebook's cell after which the session runs, as `commands.demo.notebook` prints it."""

_GRANTED = Counts(adopted=1, added=sum(grant.is_granted(_SETTINGS) for grant in policy_grants()), changed=1)
"""The first plan: the role is adopted with a changed trust policy, and gets each policy."""

OWN_ACCOUNT = """In your own account:
  export AWS_REGION=eu-west-1 TF_STATE_BUCKET=my-terraform-states
  export SAGEMAKER_ROLE_NAME=my-execution-role
  make state-bucket   # create the bucket, unless you have one
  make plan
  make apply
The notebook as it ran: .local/demo/notebook.html
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
        notebook: the notebook, which begins in the background.
    """

    aws: Sandbox
    shell: Shell
    output: Output
    directory: Path
    results: Path
    before: RoleSnapshot | None = None
    state_bucket: subprocess.Popen[str] | None = None
    notebook: subprocess.Popen[str] | None = None

    @property
    def stack(self) -> str:
        """Name of the role's stack."""
        environment = self.shell.environment
        return load(configuration_path(environment), environment).role_stacks[0].name

    def read_role(self) -> RoleSnapshot:
        """Return the execution role as IAM has it."""
        return account.read_role(self.aws.client("iam"))

    @property
    def cdk(self) -> str:
        """Name of the library's command line: cdktf, or CDK Terrain's cdktn."""
        return self.shell.environment.get("GLUE_SESSIONS_CDK", "cdktf")

    @property
    def plan_file(self) -> str:
        """The stack's saved plan."""
        return f"$CDKTF_OUTPUT/stacks/{self.stack}/plan"

    def run(self, command: str, *, stack: str = "", status: int = 0, quiet: bool = False) -> list[str]:
        """Run a command, show its output line by line, and return the lines.

        Args:
            command: the command line; `$NAME` is a variable of the shell's environment.
            stack: the stack whose name cdktf prints before each line.
            status: the expected exit status.
            quiet: whether to show the output only if the command fails.

        Raises:
            DemoError: the exit status is another one.
        """
        self.output.command(command)
        lines = []
        process = self.shell.start(command)
        for line in without_initialization(without_stack(line, stack) for line in self.shell.lines(process)):
            if not quiet:
                self.output.line(line)
            lines.append(line)
        if process.returncode != status:
            for line in lines if quiet else ():
                self.output.line(line)
            raise DemoError(f"`{command}` ended with status {process.returncode}, expected {status}")
        return lines

    def plan(self, expected: Counts) -> None:
        """Plan the role's stack with the library's command line, and compare the summary with the expected one.

        Raises:
            DemoError: the plan failed, or the summary is another one.
        """
        command = f"{self.cdk} plan"
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
    """Create a domain with the console's role"""
    arn = account.create_domain(demo.aws.client("iam"), demo.aws.client("sagemaker"))
    account.create_default_bucket(demo.aws.client("s3"), account_id=RoleArn.parse(arn).account_id)
    demo.before = demo.read_role()
    demo.output.note(
        f"SageMaker domain data-science, execution role\n{arn}\nNo notebook of the domain can start a Glue session."
    )
    demo.output.result("it trusts only SageMaker")


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
    """Create the state bucket"""
    demo.output.note(
        "One call creates the bucket. A separate stack, whose state is in the same bucket, then imports it: versioned, "
        "encrypted, closed to the public and to plain HTTP. Its apply runs in the background, because Terraform's AWS "
        "provider waits most of a minute for a new lifecycle rule."
    )
    demo.run("./glue-sessions create-state-bucket")
    command = (
        f"{demo.cdk} apply --auto-approve"
        ' --app "python state_bucket.py" --output $CDKTF_OUTPUT-state-bucket state-bucket'
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
    demo.plan(_GRANTED)


def review(demo: Demo) -> None:
    """Review it"""
    lines = demo.run(f"./glue-sessions review --fail-on never {demo.plan_file}")
    demo.output.result(plain(lines[-1]))


def apply(demo: Demo) -> None:
    """Apply that plan"""
    lines = demo.run(f"./glue-sessions apply-plan {demo.stack}")
    demo.output.result(_of_stack(demo, lines))


def open_notebook(demo: Demo) -> None:
    """Open the starter notebook"""
    demo.output.note(
        "SageMaker Studio's kernel wrapper, the Glue PySpark kernel and Spark 3.5 are the real ones. The local AWS "
        "answers Glue's session calls, and evaluates the role's current policies for each."
    )
    arn = demo.read_role().arn
    demo.notebook = demo.shell.start(
        f"python -m commands.demo.notebook {arn} {shlex.quote(str(demo.results))}", stdin=subprocess.PIPE
    )
    demo.output.result("its Glue session is starting")


def plan_again(demo: Demo) -> None:
    """cdktf plan, again"""
    demo.plan(Counts())
    await_session(demo)
    demo.output.result("meanwhile the session has started")


def await_session(demo: Demo) -> None:
    """Show what the notebook prints until its session has started.

    Raises:
        DemoError: the notebook ended before that.
    """
    cell, last = "", ""
    for line in _notebook_lines(demo):
        cell = line if line.startswith("[") else cell
        if not line and cell.startswith(_STARTED):
            break
        last = line or last
    else:
        raise DemoError(f"the notebook's session did not start: {last}")


def drift(demo: Demo) -> None:
    """Remove trust and policy by hand, run drift"""
    iam = demo.aws.client("iam")
    arn = RoleArn.parse(iam.get_role(RoleName=ROLE_NAME)["Role"]["Arn"])
    iam.update_assume_role_policy(RoleName=ROLE_NAME, PolicyDocument=json.dumps(account.trust_of_the_console()))
    demo.output.note("iam:UpdateAssumeRolePolicy: Glue is no longer trusted.")
    for grant in managed_policies():
        iam.detach_role_policy(RoleName=ROLE_NAME, PolicyArn=grant.arn(arn.partition))
        demo.output.note(f"iam:DetachRolePolicy: {grant.policy_name} is detached.")
    lines = demo.run("./glue-sessions drift", status=1)
    demo.output.result(plain(lines[lines.index("") - 1]))  # the rest is what to type next


def repair(demo: Demo) -> None:
    """Plan, review and apply the repair"""
    demo.run(f"./glue-sessions plan {demo.stack}", quiet=True)
    demo.run(f"./glue-sessions review --fail-on never {demo.plan_file}")
    lines = demo.run(f"./glue-sessions apply-plan {demo.stack}")
    demo.output.result(_of_stack(demo, lines))


def check_role(demo: Demo) -> None:
    """Read the role back"""
    assert demo.before is not None
    before, now = demo.before, demo.read_role()
    arn = now.arn
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
    demo.output.result("the recipe's grants, all else unchanged")


def run_notebook(demo: Demo) -> None:
    """Run the notebook"""
    assert demo.notebook is not None
    assert demo.notebook.stdin is not None
    with contextlib.suppress(BrokenPipeError):  # its last line says why it ended
        print(file=demo.notebook.stdin, flush=True)
    lines = list(_notebook_lines(demo))
    if demo.notebook.wait():
        raise DemoError(lines[-1] if lines else "the notebook ended early")
    demo.output.note(f"The executed notebook: {demo.results / 'notebook.html'}")
    demo.output.result(lines[-1])


def await_state_bucket(demo: Demo) -> None:
    """Read the bucket back"""
    assert demo.state_bucket is not None
    demo.output.command("wait")
    status = demo.state_bucket.wait()
    lines = (demo.directory / "state-bucket.log").read_text().splitlines()
    lines = [without_stack(line, "state-bucket") for line in lines]
    if status:
        for line in lines:
            demo.output.line(line)
        raise DemoError(f"the apply of the state bucket ended with status {status}")
    expect(f"{demo.cdk} apply", lines[-10:], Counts(adopted=1, added=5))
    if not account.bucket_is_safe(demo.aws.client("s3"), BUCKET):
        raise DemoError(f"read back from S3, {BUCKET} is not versioned, encrypted and private")
    demo.output.result("versioned, encrypted, private, TLS only")


def _of_stack(demo: Demo, lines: list[str]) -> str:
    """Return the last line of apply-plan, without the stack's name."""
    return plain(lines[-1]).removeprefix(f"{demo.stack}: ").removeprefix("applied: ") if lines else ""


def _notebook_lines(demo: Demo) -> Iterator[str]:
    """Show and yield the lines that the notebook prints from now on."""
    assert demo.notebook is not None
    assert demo.notebook.stdout is not None
    for line in iter(demo.notebook.stdout.readline, ""):
        demo.output.line(line.rstrip("\n"))
        yield line.rstrip("\n")


STEPS: tuple[Callable[[Demo], None], ...] = (
    create_account,
    configure,
    create_state_bucket,
    plan,
    review,
    apply,
    open_notebook,
    plan_again,
    drift,
    repair,
    check_role,
    run_notebook,
    await_state_bucket,
)
"""The steps in order; the docstring of a step is its title."""
