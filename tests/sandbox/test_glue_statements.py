"""Statements as notebooks have them, in one session: what they print, and what they leave to those after them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.launcher import Sandbox
from tests.sandbox.conftest import SESSION, Role, policy, wait_for_state
from tests.sandbox.test_glue import run


@pytest.fixture(scope="module")
def role(sandbox: Sandbox) -> Role:
    created = Role(sandbox, "statements", "sagemaker.amazonaws.com", "glue.amazonaws.com")
    created.allow({"Action": ["glue:*", "s3:*"], "Resource": "*"}, {"Action": "iam:PassRole", "Resource": created.arn})
    return created


@pytest.fixture(scope="module")
def session(role: Role) -> Iterator[str]:
    glue, s3 = role.client("glue"), role.sandbox.client("s3")
    s3.create_bucket(Bucket="statements")
    s3.put_object(Bucket="statements", Key="in/a.csv", Body=b"a\n1\n")
    glue.create_session(
        Id="s",
        Role=role.arn,
        GlueVersion="5.0",
        NumberOfWorkers=2,
        WorkerType="G.1X",
        DefaultArguments={"--conf": "spark.default.parallelism=1 --conf spark.sql.shuffle.partitions=1"},
        **SESSION,
    )
    wait_for_state(glue, "s", "READY")
    yield "s"
    glue.stop_session(Id="s")


PRINTED = {
    "1 + 1\n2 + 2": "4",
    '"text"': "'text'",
    "(1, 2)": "(1, 2)",
    "None": "",
    # the last statement runs as at a prompt: an expression in it prints its value
    "for i in range(2):\n    i": "0\n1",
    "for i in range(2):\n    i\nx = 5": "",
    "x = 5; x": "5",
    "# a comment alone": "",
    "": "",
    "  \n\n": "",
    "print(__name__)": "__main__",
    "import os; print(os.environ['AWS_REGION'], os.environ['AWS_DEFAULT_REGION'])": "us-east-1 us-east-1",
    "import boto3; print(boto3.client('glue').meta.region_name)": "us-east-1",
    "import logging; logging.getLogger('job').warning('logged')": "logged",
    # a child that goes on reading gets nothing of the statements that follow
    "import subprocess; child = subprocess.Popen('head -c 20 > /dev/null', shell=True); print('started')": "started",
    "print('second')": "second",
    "print('third')": "third",
}
ERRORS = {
    "!pip list": "SyntaxError",
    "%pip install x": "UnknownMagicError",
    "%time 1 + 1": "UnknownMagicError",
    "exit()": "SystemExit",
    "f(": "SyntaxError",
    "spark.read.text('s3://nowhere/none').show()": "Py4JJavaError",
}
ON_SPARK = {
    "from pyspark.sql import Row\n"
    "df = spark.createDataFrame(Row(**x) for x in [{'id': '1', 'price': 2.5}, {'id': '2', 'price': 3.5}])\n"
    "df.createOrReplaceTempView('v')": "",
    "from pyspark.ml.feature import VectorAssembler\n"
    "VectorAssembler(inputCols=['price'], outputCol='f').getOutputCol()": "'f'",
    "function = spark.udf.register('twice', lambda x: x * 2, 'double')": "",
    "[row.p for row in spark.sql('select twice(price) as p from v').collect()]": "[5.0, 7.0]",
    "df.rdd.map(lambda r: r.price).sum(), sc.parallelize(range(10)).sum()": "(6.0, 45)",
    "spark.read.csv('s3://statements/in/a.csv').count(), spark.read.csv('s3a://statements/in').count()": "(2, 2)",
    "spark.range(2).write.mode('overwrite').saveAsTable('t')\nspark.sql('select * from t').count()": "2",
    # the notebook stops Spark and starts it again, with other settings
    "sc.stop()\nfrom pyspark import SparkConf, SparkContext\n"
    "sc = SparkContext.getOrCreate(conf=SparkConf().set('spark.sql.shuffle.partitions', '3'))\n"
    "spark = __import__('pyspark').sql.SparkSession(sc)\n"
    "spark.read.csv('s3://statements/in').count(), spark.conf.get('spark.sql.shuffle.partitions')": "(2, '3')",
}


def test_statements_print_what_livy_prints_and_do_not_disturb_one_another(role: Role, session: str) -> None:
    assert {code: run(role, session, code)["Data"]["TextPlain"] for code in PRINTED} == PRINTED
    assert {code: run(role, session, code)["ErrorName"] for code in ERRORS} == ERRORS
    assert run(role, session, "x")["Data"]["TextPlain"] == "5"


def test_a_role_may_be_kept_from_data_in_glue_alone(role: Role, session: str) -> None:
    """AWS's own example turned round: the notebook's user may read in Studio, and no session may."""
    in_glue = {"StringEquals": {"glue:CredentialIssuingService": "glue.amazonaws.com"}}
    deny = {
        "Effect": "Deny",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::statements/in/*",
        "Condition": in_glue,
    }
    role.iam.put_role_policy(RoleName=role.name, PolicyName="not-in-glue", PolicyDocument=policy(deny))
    read = "import boto3; boto3.client('s3').get_object(Bucket='statements', Key='in/a.csv')['Body'].read()"
    refused = run(role, session, read)
    served = role.client("s3").get_object(Bucket="statements", Key="in/a.csv")["Body"].read()
    role.iam.delete_role_policy(RoleName=role.name, PolicyName="not-in-glue")
    assert ("AccessDenied" in refused["ErrorValue"], served) == (True, b"a\n1\n")
    assert run(role, session, read)["Data"]["TextPlain"] == repr(b"a\n1\n")


def test_a_notebook_s_work_on_spark_and_after_a_new_start_of_it(role: Role, session: str) -> None:
    found = {}
    for code in ON_SPARK:
        output = run(role, session, code)
        found[code] = output["Data"]["TextPlain"] if output["Status"] == "ok" else json.dumps(output)
    assert found == ON_SPARK


CATALOG = "arn:aws:glue:us-east-1:123456789012"
ASKED: dict[str, tuple[dict[str, Any], str]] = {
    "get_databases": ({}, "catalog"),
    "get_database": ({"Name": "d"}, "catalog"),
    "get_tables": ({"DatabaseName": "d"}, "catalog"),
    "get_table": ({"DatabaseName": "d", "Name": "t"}, "catalog"),
    "get_partitions": ({"DatabaseName": "d", "TableName": "t"}, "catalog"),
    "create_database": ({"DatabaseInput": {"Name": "x"}}, "catalog"),
    "get_connection": ({"Name": "net"}, "catalog"),
    "get_connections": ({}, "catalog"),
    "get_security_configuration": ({"Name": "s"}, ""),
}
"""Calls on the Data Catalog, and the resource that the recipe's grants lack: the managed policy has the others."""


def test_the_recipe_s_grants_alone_lack_the_catalog(sandbox: Sandbox) -> None:
    role = Role(sandbox, "recipe-alone", "sagemaker.amazonaws.com")
    role.attach("service-role/AwsGlueSessionUserRestrictedServiceRole")
    role.allow({"Action": ["iam:GetRole", "iam:PassRole", "sts:GetCallerIdentity"], "Resource": "*"})
    operator, glue = sandbox.client("glue"), role.client("glue")
    operator.create_database(DatabaseInput={"Name": "d"})
    operator.create_table(DatabaseName="d", TableInput={"Name": "t", "StorageDescriptor": {"Columns": []}})
    lacking = {}
    for operation, (parameters, _) in ASKED.items():
        with pytest.raises(ClientError, match="not authorized") as refused:
            getattr(glue, operation)(**parameters)
        lacking[operation] = str(refused.value).partition(f" on resource: {CATALOG}:")[2].partition(" ")[0]
    assert lacking == {operation: resource for operation, (_, resource) in ASKED.items()}
