"""The setting `access`: the real kernel is served what it names, and refused that without it, and anything beyond."""

import pytest
from botocore.exceptions import ClientError

from sandbox.launcher import Sandbox
from sandbox.studio import Kernel
from tests.e2e.execution_role import ACCOUNT, RECIPE_TRUST, ExecutionRole
from tests.e2e.shop import Shop
from tests.notebooks.conftest import RoleSession

KEY, OTHER_KEY = (f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-12345678900{n}" for n in (1, 2))
VPC = "vpc-0123456789abcdef0"
ACCESS = {
    "buckets": {"read": ["s3://access-data/sales/"], "write": ["s3://access-scratch/team/"]},
    "databases": {"read": ["sales"], "write": ["scratch"]},
    "connections": ["warehouse"],
    "keys": [KEY],
    "only_in_vpcs": [VPC],
}

HELPERS = """
import boto3, pandas
s3, glue = boto3.client("s3"), boto3.client("glue")

def refused(call, *arguments, **named):
    try:
        call(*arguments, **named)
    except Exception as error:
        return isinstance(error, PermissionError) or "AccessDenied" in str(error)
    return False

def read_table(database, table):
    location = glue.get_table(DatabaseName=database, Name=table)["Table"]["StorageDescriptor"]["Location"]
    return spark.read.csv(location, header=True).count()

def encrypt(key):
    encryption = dict(ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    s3.put_object(Bucket="access-scratch", Key="team/encrypted", Body=b"x", **encryption)
    return s3.get_object(Bucket="access-scratch", Key="team/encrypted")["Body"].read()

def make_table(database):
    glue.create_table(DatabaseName=database, TableInput=dict(Name="made", StorageDescriptor=dict(Columns=[])))
    glue.delete_table(DatabaseName=database, Name="made")
    return database

def write(address):
    spark.range(3).write.mode("overwrite").parquet(address)
    return spark.read.parquet(address).count()

def write_with_pandas(address):
    pandas.DataFrame({"city": ["Oslo"]}).to_csv(address + ".csv", index=False)
    pandas.read_csv(address + ".csv").to_parquet(address + ".parquet")
    return pandas.read_parquet(address + ".parquet").city[0]
"""
SERVED = {
    'read_table("sales", "orders")': "2",
    'glue.get_database(Name="default")["Database"]["Name"]': "'default'",
    'write("s3://access-scratch/team/numbers")': "3",
    'write_with_pandas("s3://access-scratch/team/cities")': "'Oslo'",
    'make_table("scratch")': "'scratch'",
    f'encrypt("{KEY}")': "b'x'",
}
ONE_STEP_BEYOND = (
    'read_table, "hr", "people"',
    'spark.read.csv, "s3://access-data/hr/"',
    'write, "s3://access-data/sales/new"',
    'write_with_pandas, "s3://access-scratch/cities"',
    'make_table, "sales"',
    f'encrypt, "{OTHER_KEY}"',
    'glue.get_connection, Name="payroll"',
)


@pytest.fixture(scope="module")
def data(aws: Sandbox) -> None:
    """Create two databases with a table each, their data, connections, and a network."""
    s3, glue = aws.client("s3"), aws.client("glue")
    for bucket in ("access-data", "access-scratch"):
        s3.create_bucket(Bucket=bucket)
    for database in ("default", "sales", "hr", "scratch"):
        glue.create_database(DatabaseInput={"Name": database})
    for database, table in (("sales", "orders"), ("hr", "people")):
        s3.put_object(Bucket="access-data", Key=f"{database}/{table}/part.csv", Body=b"n,name\n1,a\n2,b\n")
        location = f"s3://access-data/{database}/{table}/"
        glue.create_table(
            DatabaseName=database,
            TableInput={"Name": table, "StorageDescriptor": {"Columns": [], "Location": location}},
        )
    for connection in ("warehouse", "payroll"):
        glue.create_connection(
            ConnectionInput={
                "Name": connection,
                "ConnectionType": "NETWORK",
                "ConnectionProperties": {},
                "PhysicalConnectionRequirements": {"SubnetId": "subnet-access", "SecurityGroupIdList": ["sg-1"]},
            }
        )
    aws.client("sagemaker").create_domain(
        DomainName="access", AuthMode="IAM", DefaultUserSettings={}, SubnetIds=["subnet-access"], VpcId=VPC
    )


@pytest.mark.usefixtures("data")
def test_a_session_is_served_what_access_names_and_refused_everything_else(shop: Shop, role: ExecutionRole) -> None:
    role.detach("arn:aws:iam::aws:policy/AmazonSageMakerFullAccess")  # it has some of the access already
    with Kernel(role_arn=role.arn, sandbox=shop.aws.environment) as kernel:
        shop.stack(role.arn).apply()
        kernel.run("%glue_version 5.0\n%connections warehouse")
        assert "not authorized to perform: glue:GetConnection" in kernel.run("spark.version")

        stack = shop.stack(role.arn, access=ACCESS)
        stack.apply()
        assert not stack.plan().changes
        kernel.run(HELPERS)
        served = {code: kernel.run(code).strip() for code in SERVED}
        assert served == SERVED
        beyond = {call: kernel.run(f"refused({call})").strip() for call in ONE_STEP_BEYOND}
        assert beyond == dict.fromkeys(ONE_STEP_BEYOND, "True")

        studio = RoleSession(shop.aws, role.arn)
        with pytest.raises(ClientError, match=r"glue:CreateSession .* with an explicit deny"):
            studio.start_and_end_glue_session(role.arn)

        shop.stack(role.arn, released=True, access=ACCESS).apply()
        role.attach()
        role.trust = RECIPE_TRUST
        iam = shop.aws.client("iam")
        assert iam.list_role_policies(RoleName=role.name)["PolicyNames"] == ["buckets"]
        calls = [f"refused(lambda: {code})" for code in SERVED]
        without = {call: kernel.run(call).strip() for call in calls}
        assert without == dict.fromkeys(calls, "True")
