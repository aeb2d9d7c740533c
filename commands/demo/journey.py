"""The journey, step by step; each step checks that what it says is so."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from commands.demo import account
from commands.demo.account import ROLE_NAME, RoleAsItIs
from commands.demo.cdktf_output import Counts, counts, without_initialization, without_stack
from commands.demo.narrator import Narrator
from commands.demo.shell import Shell
from configuration import configuration_path, load
from iam.arn import RoleArn
from iam.documents.recipe import INLINE_POLICY_NAME, inline_policy, managed_policy_arn, trust_policy
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
"""As this repository ships it."""

_NOTHING = Counts()


class DemoError(Exception):
    """Something is not as the demo says; one line."""


@dataclass
class Journey:
    """What the steps share: the local AWS, a shell that is set up for it, somebody to tell, a directory for files,
    another for what outlives the demo."""

    aws: Sandbox
    shell: Shell
    narrator: Narrator
    directory: Path
    results: Path
    before: RoleAsItIs | None = None
    state_bucket: subprocess.Popen[str] | None = None

    @property
    def stack(self) -> str:
        """Name of the role's stack."""
        environment = self.shell.environment
        return load(configuration_path(environment), environment).role_stacks[0].name

    def read_role(self) -> RoleAsItIs:
        """Read the execution role back from IAM."""
        return account.read_role(self.aws.client("iam"))

    def run(self, command: str, *, stack: str = "") -> list[str]:
        """Run a command, show what it writes as it comes, and give that back.

        Args:
            command: as it is typed.
            stack: the stack whose name cdktf puts before the lines.

        Raises:
            DemoError: it failed.
        """
        self.narrator.typed(command)
        written = []
        with self.narrator.running(command):
            process = self.shell.start(command)
            lines = (without_stack(line, stack) for line in self.shell.lines(process))
            for line in without_initialization(lines):
                self.narrator.output(line)
                written.append(line)
        if process.returncode:
            raise DemoError(f"`{command}` ended with status {process.returncode}")
        return written

    def cdktf(self, command: str, expected: Counts) -> None:
        """Run cdktf on the role's stack, and hold the summary against what is expected.

        Raises:
            DemoError: it failed, or the summary is another one.
        """
        expect(command, self.run(command, stack=self.stack)[-10:], expected)
        self.narrator.proved(str(expected))


def expect(command: str, lines: list[str], expected: Counts) -> None:
    """Hold the summary in what cdktf wrote against what is expected.

    Raises:
        DemoError: it is another one.
    """
    if (found := counts(lines)) != expected:
        raise DemoError(f"`{command}` should {expected}, but it says: {found or 'no summary'}")


def make_account(journey: Journey) -> None:
    """A SageMaker domain, with the execution role that the console made for it"""
    iam = journey.aws.client("iam")
    with journey.narrator.running("making the domain and the role"):
        arn = account.make_domain(iam, journey.aws.client("sagemaker"))
        account.make_default_bucket(journey.aws.client("s3"), account_id=RoleArn.parse(arn).account_id)
    journey.before = journey.read_role()
    journey.narrator.say(
        f"Domain data-science, execution role\n{arn}\n"
        "It trusts sagemaker.amazonaws.com alone: no notebook of the domain can start a Glue session yet."
    )


def name_role(journey: Journey) -> None:
    """What is granted, and to whom: glue-sessions.yaml as it is shipped, and three variables"""
    Path(journey.shell.environment["GLUE_SESSIONS_CONFIG"]).write_text(CONFIGURATION)
    journey.narrator.typed("cat glue-sessions.yaml")
    for line in CONFIGURATION.splitlines():
        journey.narrator.output(line)
    journey.shell.environment |= {"TF_STATE_BUCKET": BUCKET, "SAGEMAKER_ROLE_NAME": ROLE_NAME}
    for name in ("AWS_REGION", "TF_STATE_BUCKET", "SAGEMAKER_ROLE_NAME"):
        journey.narrator.typed(f"export {name}={journey.shell.environment[name]}")
    journey.narrator.say("And, so that your own configuration and cdktf.out are left alone:")
    for name in ("GLUE_SESSIONS_CONFIG", "CDKTF_OUTPUT"):
        journey.narrator.typed(f"export {name}={journey.shell.environment[name]}")


def make_state_bucket(journey: Journey) -> None:
    """A bucket for Terraform's state"""
    journey.narrator.say(
        "One call makes the bucket. A stack of its own, whose state lies in that bucket too, then adopts it: old "
        "versions kept, encrypted, closed to the public and to plain HTTP. That runs in the background, since "
        "Terraform's AWS provider watches a new lifecycle rule for most of a minute."
    )
    journey.run("python -m commands.create_state_bucket")
    command = 'cdktf apply --auto-approve --app "python state_bucket.py" --output "{}" state-bucket'
    journey.narrator.typed(command.format("$CDKTF_OUTPUT-state-bucket") + " > state-bucket.log &")
    with (journey.directory / "state-bucket.log").open("w") as log:
        in_full = command.format(journey.shell.environment["CDKTF_OUTPUT"] + "-state-bucket")
        journey.state_bucket = journey.shell.start(in_full, log)


def plan(journey: Journey) -> None:
    """What would change"""
    journey.narrator.say(
        "The role is adopted, not made: Terraform takes over its trust policy and nothing else, and leaves path, "
        "description, tags and all other policies to their owners."
    )
    journey.cdktf("cdktf plan", Counts(adopted=1, added=2, changed=1))


def apply(journey: Journey) -> None:
    """Change it"""
    journey.cdktf("cdktf apply --auto-approve", Counts(adopted=1, added=2, changed=1))


def plan_again(journey: Journey) -> None:
    """Nothing is left to change"""
    journey.cdktf("cdktf plan", _NOTHING)


def drift(journey: Journey) -> None:
    """Somebody changes the role by hand"""
    iam = journey.aws.client("iam")
    arn = RoleArn.parse(iam.get_role(RoleName=ROLE_NAME)["Role"]["Arn"])
    iam.update_assume_role_policy(RoleName=ROLE_NAME, PolicyDocument=json.dumps(account.sagemaker_alone()))
    journey.narrator.say("iam:UpdateAssumeRolePolicy: Glue is trusted no more.")
    iam.detach_role_policy(RoleName=ROLE_NAME, PolicyArn=managed_policy_arn(arn.partition))
    journey.narrator.say("iam:DetachRolePolicy: the managed policy is gone.")
    journey.narrator.say("The next plan shows both.")
    journey.cdktf("cdktf plan", Counts(added=1, changed=1))


def repair(journey: Journey) -> None:
    """The next apply repairs it"""
    journey.cdktf("cdktf apply --auto-approve", Counts(added=1, changed=1))


def prove(journey: Journey) -> None:
    """The role, read back from IAM"""
    assert journey.before is not None
    before, now = journey.before, journey.read_role()
    arn = RoleArn.parse(now.all_else["Arn"])
    recipe = inline_policy("recipe", partition=arn.partition, account_id=arn.account_id, role_arn=str(arn))
    for what, is_so in {
        "its trust policy is the recipe's": now.trust_policy == trust_policy(),
        "the managed policy is attached, AmazonSageMakerFullAccess still is": now.attached_policies
        == before.attached_policies | {managed_policy_arn(arn.partition)},
        "its inline policy is the recipe's": now.inline_policies == {INLINE_POLICY_NAME: recipe},
        "path, description, tags, session length and id are what they were": now.all_else == before.all_else,
    }.items():
        if not is_so:
            raise DemoError(f"read back from IAM, this is not so: {what}")
        journey.narrator.proved(what)


def await_state_bucket(journey: Journey) -> None:
    """The state bucket, read back from S3"""
    assert journey.state_bucket is not None
    journey.narrator.typed("wait")
    with journey.narrator.running("the state bucket's apply"):
        status = journey.state_bucket.wait()
    lines = (journey.directory / "state-bucket.log").read_text().splitlines()
    lines = [without_stack(line, "state-bucket") for line in lines]
    if status:
        for line in lines:
            journey.narrator.output(line)
        raise DemoError(f"the state bucket's apply ended with status {status}")
    expect("cdktf apply", lines[-10:], Counts(adopted=1, added=5))
    if not account.bucket_is_safe(journey.aws.client("s3"), BUCKET):
        raise DemoError(f"read back from S3, {BUCKET} is not versioned, encrypted and closed")
    journey.narrator.proved("versioned, encrypted, closed to the public and to plain HTTP")


def run_notebook(journey: Journey) -> None:
    """The starter notebook, run by the real Glue PySpark kernel as that role"""
    # heavy, and of the group of packages that this step alone needs
    from commands.demo import notebook
    from sandbox.studio import text_of

    journey.narrator.say(
        "SageMaker Studio's kernel wrapper, the Glue PySpark kernel and Spark 3.5 are the real ones; Glue's session"
        " calls are this machine's own, and each is judged by the policies that the role has now."
    )
    executed = notebook.read_notebook()
    with journey.narrator.running("the notebook"):
        for cell in notebook.run_cells(executed, role_arn=journey.read_role().all_else["Arn"], aws=journey.aws):
            missing = notebook.failure(cell)
            if missing:
                raise DemoError(missing)
            journey.narrator.output(f"[{cell.id}] {cell.source.splitlines()[0]}")
            for line in [each for each in text_of(cell).splitlines() if each.strip()][-8:]:
                journey.narrator.output(f"    {line}")
    page = notebook.save_page(executed, journey.results)
    journey.narrator.proved("every cell ran: SQL, a figure, data written to S3 and read back")
    journey.narrator.say(f"The executed notebook, with its figure: {page}")


STEPS: tuple[Callable[[Journey], None], ...] = (
    make_account,
    name_role,
    make_state_bucket,
    plan,
    apply,
    plan_again,
    drift,
    repair,
    prove,
    await_state_bucket,
    run_notebook,
)
"""In their order; the first line of a step's docstring is its heading."""
