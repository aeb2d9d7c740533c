"""Glue's session and statement operations on a real Spark, with boto3."""

import base64
import io
import json
import os
import signal
import subprocess
import time
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from sandbox.launcher import Sandbox
from tests.sandbox.conftest import Role
from tests.sandbox.test_lifecycle import wait_until_ended

START_LIMIT = 240
"""Seconds until Spark has started, on a machine that is busy with other tests."""
SESSION: Any = {"Command": {"Name": "glueetl", "PythonVersion": "3"}}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(["--sessions-quota", "1"]) as running:
        yield running


@pytest.fixture(scope="module")
def role(sandbox: Sandbox) -> Role:
    created = Role(sandbox, "notebook", "sagemaker.amazonaws.com", "glue.amazonaws.com")
    created.allow(
        {"Action": "glue:*", "Resource": "*"},
        {"Action": "iam:PassRole", "Resource": created.arn},
        {
            "Action": ["s3:ListBucket", "s3:*Object"],
            "Resource": ["arn:aws:s3:::data", "arn:aws:s3:::data/*"],
            "Condition": {"StringEquals": {"glue:CredentialIssuingService": "glue.amazonaws.com"}},
        },
    )
    return created


def wait_for_state(glue: Any, name: str, state: str) -> dict[str, Any]:
    deadline = time.monotonic() + START_LIMIT
    while True:
        session: dict[str, Any] = glue.get_session(Id=name)["Session"]
        if session["Status"] == state:
            return session
        assert session["Status"] in ("PROVISIONING", "STOPPING"), session
        assert time.monotonic() < deadline, session
        time.sleep(0.1)


@pytest.fixture(scope="module")
def arguments(role: Role) -> dict[str, str]:
    """Return arguments of a session, with a module and a wheel in S3."""
    s3 = role.sandbox.client("s3")
    s3.create_bucket(Bucket="data")
    s3.put_object(Bucket="data", Key="helper.py", Body=b"def answer(): return 42\n")
    wheel = io.BytesIO()
    with zipfile.ZipFile(wheel, "w") as files:
        files.writestr("added.py", "NAME = 'added'\n")
        files.writestr("added-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: added\nVersion: 1.0\n")
        files.writestr("added-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        files.writestr("added-1.0.dist-info/RECORD", "")
    s3.put_object(Bucket="data", Key="added-1.0-py3-none-any.whl", Body=wheel.getvalue())
    return {
        "--conf": "spark.sql.shuffle.partitions=3 --conf spark.sql.session.timeZone=UTC",
        "--extra-py-files": "s3://data/helper.py",
        "--additional-python-modules": "s3://data/added-1.0-py3-none-any.whl",
    }


@pytest.fixture(scope="module")
def session(role: Role, arguments: dict[str, str]) -> str:
    glue = role.client("glue")
    glue.create_session(
        Id="one",
        Role=role.arn,
        GlueVersion="5.0",
        NumberOfWorkers=2,
        WorkerType="G.1X",
        Tags={"team": "a"},
        DefaultArguments=arguments,
        **SESSION,
    )
    wait_for_state(glue, "one", "READY")
    return "one"


def wait_for_statement(glue: Any, name: str, number: int) -> dict[str, Any]:
    deadline = time.monotonic() + START_LIMIT
    while True:
        statement: dict[str, Any] = glue.get_statement(SessionId=name, Id=number)["Statement"]
        if statement["State"] in ("AVAILABLE", "CANCELLED", "ERROR"):
            return statement
        assert time.monotonic() < deadline, statement
        time.sleep(0.1)


def run(role: Role, name: str, code: str) -> dict[str, Any]:
    glue = role.client("glue")
    number = glue.run_statement(SessionId=name, Code=code)["Id"]
    output: dict[str, Any] = wait_for_statement(glue, name, number)["Output"]
    return output


def test_get_session_returns_the_settings_of_the_request(role: Role, session: str) -> None:
    description = role.client("glue").get_session(Id=session)["Session"]
    assert description["Role"] == role.arn
    assert (description["GlueVersion"], description["NumberOfWorkers"], description["WorkerType"]) == ("5.0", 2, "G.1X")
    assert (description["IdleTimeout"], description["MaxCapacity"]) == (2880, 2.0)
    listed = role.client("glue").list_sessions(Tags={"team": "a"})
    assert listed["Ids"] == [session]
    assert role.client("glue").list_sessions(Tags={"team": "b"})["Ids"] == []


def test_spark_has_the_version_of_glue_5(role: Role, session: str) -> None:
    assert run(role, session, "spark.version")["Data"] == {"TextPlain": "'3.5.4'"}


def test_the_arguments_of_a_session_are_honored(role: Role, session: str) -> None:
    confs = "[spark.conf.get(f'spark.sql.{name}') for name in ('shuffle.partitions', 'session.timeZone')]"
    assert run(role, session, confs)["Data"]["TextPlain"] == "['3', 'UTC']"
    used = (
        "import helper, added\nsc.parallelize([1]).map(lambda _: (helper.answer(), __import__('added').NAME)).collect()"
    )
    assert run(role, session, used)["Data"]["TextPlain"] == "[(42, 'added')]"


def test_statements_share_their_variables_and_return_their_output(role: Role, session: str) -> None:
    run(role, session, "rows = [(1, 'ä'), (2, 'b')]")
    output = run(role, session, "print(len(rows))\nspark.createDataFrame(rows, 'n int, s string').show()")
    assert output["Status"] == "ok"
    assert output["Data"]["TextPlain"].startswith("2\n+---+---+\n|  n|  s|\n+---+---+\n|  1|  ä|\n")


@pytest.mark.parametrize(
    ("code", "error", "value"),
    [
        ("1 / 0", "ZeroDivisionError", "division by zero"),
        ("def f(:", "SyntaxError", ""),
        ("raise SystemExit(3)", "SystemExit", "3"),
        ("spark.sql('SELECT nothing')", "AnalysisException", "nothing"),
    ],
)
def test_an_error_fails_the_statement_and_not_the_session(
    role: Role, session: str, code: str, error: str, value: str
) -> None:
    output = run(role, session, code)
    assert (output["Status"], output["ErrorName"]) == ("error", error)
    assert value in output["ErrorValue"]
    assert "interpreter.py" not in "".join(output["Traceback"])
    assert run(role, session, "1 + 1")["Data"]["TextPlain"] == "2"


def test_a_figure_is_a_png(role: Role, session: str) -> None:
    code = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\n%matplot plt"
    glue = role.client("glue")
    number = glue.run_statement(SessionId=session, Code=code)["Id"]
    wait_for_statement(glue, session, number)
    raw: list[bytes] = []
    glue.meta.events.register(
        "after-call.glue.GetStatement", lambda http_response, **_: raw.append(http_response.content)
    )
    glue.get_statement(SessionId=session, Id=number)  # botocore's model lacks the members that hold a figure
    data = json.loads(raw[0])["Statement"]["Output"]["Data"]
    assert data["MimeType"] == "image/png;base64"
    assert base64.b64decode(data["Result"]).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("import sys\nprint('a', file=sys.stderr)\nprint('b')", "b\na"),
        ("import warnings\nwarnings.warn('careful')", "UserWarning: careful"),
        (
            "import subprocess\nprint(subprocess.run('cat; echo read', shell=True, capture_output=True).stdout)",
            "b'read\\n'",
        ),
        ("print('draw with %matplot plt at the end')", "draw with %matplot plt at the end"),
        ("x = 1\n%matplot plt\nprint('after')", "after"),
    ],
    ids=["stderr after stdout", "a warning", "a child's input is empty", "a magic in a string", "text after a picture"],
)
def test_output_is_what_livy_returns(role: Role, session: str, code: str, text: str) -> None:
    run(role, session, "import matplotlib.pyplot as plt")
    output = run(role, session, code)
    assert output["Status"] == "ok", output
    assert text in output["Data"]["TextPlain"]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("input('name? ')", "EOFError"),
        ("x = 1\n%matplot plt  # shows it", "KeyError"),
        ("x = 1\n%nothing", "UnknownMagicError"),
    ],
)
def test_what_a_statement_cannot_have_is_an_error_of_it(role: Role, session: str, code: str, error: str) -> None:
    output = run(role, session, code)
    assert (output["Status"], output["ErrorName"]) == ("error", error)


def test_s3_is_read_and_written_with_the_role_of_the_session(role: Role, session: str) -> None:
    role.sandbox.client("s3").create_bucket(Bucket="closed")
    output = run(
        role, session, "spark.range(3).write.parquet('s3://data/x/'); print(spark.read.parquet('s3://data/x/').count())"
    )
    assert output.get("Data") == {"TextPlain": "3"}, output
    denied = run(role, session, "spark.range(3).write.parquet('s3://closed/x/')")
    assert denied["Status"] == "error"
    assert "AccessDenied" in denied["ErrorValue"]
    acted = {decision.principal for decision in role.sandbox.decisions() if decision.resource.startswith("arn:aws:s3")}
    assert acted == {"arn:aws:sts::123456789012:assumed-role/notebook/GlueJobRunnerSession"}
    # the credentials of the role in Studio are not issued by Glue
    with pytest.raises(ClientError, match="AccessDenied"):
        role.client("s3").list_objects_v2(Bucket="data", Prefix="x/")


def test_a_running_statement_can_be_cancelled_and_the_next_one_runs(role: Role, session: str) -> None:
    glue = role.client("glue")
    endless = glue.run_statement(SessionId=session, Code="while True: pass")["Id"]
    waiting = glue.run_statement(SessionId=session, Code="'waited'")["Id"]
    dropped = glue.run_statement(SessionId=session, Code="'dropped'")["Id"]
    assert glue.get_statement(SessionId=session, Id=waiting)["Statement"]["State"] == "WAITING"
    glue.cancel_statement(SessionId=session, Id=dropped)
    while glue.get_statement(SessionId=session, Id=endless)["Statement"]["State"] != "RUNNING":
        time.sleep(0.05)
    time.sleep(0.3)
    glue.cancel_statement(SessionId=session, Id=endless)
    assert wait_for_statement(glue, session, endless)["State"] == "CANCELLED"
    assert wait_for_statement(glue, session, waiting)["Output"]["Data"]["TextPlain"] == "'waited'"
    assert wait_for_statement(glue, session, dropped)["State"] == "CANCELLED"
    statements = glue.list_statements(SessionId=session)["Statements"]
    assert {endless, waiting, dropped} <= {statement["Id"] for statement in statements}


def test_more_sessions_than_the_quota_are_rejected(role: Role, session: str) -> None:
    glue = role.client("glue")
    for number in range(20):
        with pytest.raises(ClientError, match=r"ResourceNumberLimitExceededException.*the quota is 1"):
            glue.create_session(Id=f"more-{number}", Role=role.arn, **SESSION)


def test_invalid_requests_are_client_errors(role: Role, session: str) -> None:
    glue = role.client("glue")
    with pytest.raises(ClientError, match="AlreadyExistsException"):
        glue.create_session(Id=session, Role=role.arn, **SESSION)
    calls: list[Callable[[], Any]] = [
        lambda: glue.get_session(Id="none"),
        lambda: glue.stop_session(Id="none"),
        lambda: glue.delete_session(Id="none"),
        lambda: glue.run_statement(SessionId="none", Code="1"),
        lambda: glue.get_statement(SessionId=session, Id=1000),
        lambda: glue.cancel_statement(SessionId=session, Id=1000),
    ]
    for call in calls:
        with pytest.raises(ClientError, match="EntityNotFoundException"):
            call()
    with pytest.raises(ClientError, match="InvalidInputException"):
        role.sandbox.client("glue").create_session(Id="two", Role="arn:aws:iam::123456789012:role/none", **SESSION)
    for settings, error in (
        ({"GlueVersion": "9.9"}, "InvalidInputException.*GlueVersion 9.9 is not supported"),
        ({"NumberOfWorkers": 1}, "InvalidInputException.*NumberOfWorkers must be at least 2, it is 1"),
        ({"Connections": {"Connections": ["none"]}}, "EntityNotFoundException.*Connection none not found"),
    ):
        with pytest.raises(ClientError, match=error):
            role.sandbox.client("glue").create_session(Id="two", Role=role.arn, **SESSION, **settings)


def test_a_session_belongs_to_its_region(role: Role, session: str) -> None:
    elsewhere = role.sandbox.client("glue", region_name="eu-west-1")
    assert elsewhere.list_sessions()["Ids"] == []
    with pytest.raises(ClientError, match="EntityNotFoundException"):
        elsewhere.get_session(Id=session)


@pytest.mark.parametrize(
    "parameters", [{}, {"Id": "x"}, {"Id": 5, "Role": "r", **SESSION}], ids=["all", "role", "type"]
)
def test_missing_and_mistyped_members_are_client_errors(sandbox: Sandbox, parameters: dict[str, Any]) -> None:
    unchecked = sandbox.client("glue", config=Config(proxies={}, parameter_validation=False))
    with pytest.raises(ClientError, match="ValidationException"):
        unchecked.create_session(**parameters)


def test_a_stopped_session_accepts_no_statements_and_can_be_deleted(role: Role, session: str) -> None:
    glue = role.client("glue")
    glue.stop_session(Id=session)
    wait_for_state(glue, session, "STOPPED")
    with pytest.raises(ClientError, match="IllegalSessionStateException"):
        glue.run_statement(SessionId=session, Code="1")
    glue.delete_session(Id=session)
    with pytest.raises(ClientError, match="EntityNotFoundException"):
        glue.get_session(Id=session)


def descendants(process_id: int) -> set[int]:
    table = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(line.split()[0]): int(line.split()[1]) for line in table.splitlines()}
    found = {process_id}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {process_id}


def end_with_signal(sandbox: Sandbox, number: signal.Signals, processes: int) -> None:
    """Send a signal once the sandbox has this many child processes, and wait until they have ended."""
    deadline = time.monotonic() + START_LIMIT
    while len(started := descendants(sandbox.process_id)) < processes:
        assert time.monotonic() < deadline, started
        time.sleep(0.1)
    os.kill(sandbox.process_id, number)
    assert [pid for pid in [sandbox.process_id, *started] if not wait_until_ended(pid)] == []


def test_a_sandbox_that_is_stopped_during_a_statement_leaves_nothing_behind() -> None:
    with Sandbox() as sandbox:
        role = Role(sandbox, "notebook", "glue.amazonaws.com")
        glue = sandbox.client("glue")
        glue.create_session(Id="s", Role=role.arn, **SESSION)
        wait_for_state(glue, "s", "READY")
        sleep = "sc.parallelize([1], 1).foreach(lambda _: __import__('time').sleep(600))"
        glue.run_statement(SessionId="s", Code=sleep)
        # Node, the interpreter, its watcher, Java, and two workers of PySpark
        end_with_signal(sandbox, signal.SIGTERM, processes=6)


def test_a_sandbox_that_is_killed_leaves_nothing_behind() -> None:
    with Sandbox() as sandbox:
        role = Role(sandbox, "notebook", "glue.amazonaws.com")
        sandbox.client("glue").create_session(Id="s", Role=role.arn, **SESSION)
        end_with_signal(sandbox, signal.SIGKILL, processes=4)
