"""Authorization of calls on the Data Catalog and of a session's network: every resource and key that they need."""

import pytest
from botocore.exceptions import ClientError

from iam.documents.recipe import inline_policy
from sandbox.launcher import Sandbox
from tests.sandbox.conftest import Role
from tests.sandbox.test_authorization import PASSES_ITSELF, RESTRICTED, SESSIONS, create_session, role

__all__ = ["role"]


def test_a_catalog_call_needs_the_catalog_the_database_and_the_table(role: Role) -> None:
    operator = role.sandbox.client("glue")
    operator.create_database(DatabaseInput={"Name": "sales"})
    operator.create_table(DatabaseName="sales", TableInput={"Name": "orders", "StorageDescriptor": {"Columns": []}})
    prefix = "arn:aws:glue:us-east-1:123456789012"
    needed = [f"{prefix}:catalog", f"{prefix}:database/sales", f"{prefix}:table/sales/orders"]
    glue = role.client("glue")
    for missing in needed:
        role.allow({"Action": "glue:*", "Resource": [each for each in needed if each != missing]})
        with pytest.raises(ClientError, match=f"not authorized to perform: glue:GetTable on resource: {missing} "):
            glue.get_table(DatabaseName="sales", Name="orders")
    role.allow({"Action": "glue:*", "Resource": needed})
    assert glue.get_table(DatabaseName="sales", Name="orders")["Table"]["Name"] == "orders"
    assert glue.get_database(Name="sales")["Database"]["Name"] == "sales"
    with pytest.raises(ClientError, match=r"glue:GetDatabases on resource: .*:database/\* "):
        glue.get_databases()
    with pytest.raises(ClientError, match=r"glue:GetTables on resource: .*:table/sales/\* "):
        glue.get_tables(DatabaseName="sales")
    with pytest.raises(ClientError, match=r"glue:CreateDatabase on resource: .*:database/other "):
        glue.create_database(DatabaseInput={"Name": "other"})


def test_the_permission_levels_differ_on_the_catalog_as_on_aws(sandbox: Sandbox) -> None:
    role = Role(sandbox, "restricted-reader", "sagemaker.amazonaws.com")
    role.attach(RESTRICTED)
    sandbox.client("glue").create_database(DatabaseInput={"Name": "default"})
    read = role.client("glue").get_database
    with pytest.raises(ClientError, match=r"glue:GetDatabase on resource: arn:aws:glue:us-east-1:123456789012:catalog"):
        read(Name="default")
    role.allow(
        *inline_policy("least-privilege", partition="aws", account_id="123456789012", role_arn=role.arn)["Statement"]
    )
    assert read(Name="default")["Database"]["Name"] == "default"


def test_a_session_is_in_the_network_of_its_connections(role: Role) -> None:
    operator = role.sandbox.client("glue")
    role.sandbox.client("sagemaker").create_domain(
        DomainName="d", AuthMode="IAM", DefaultUserSettings={}, SubnetIds=["subnet-1"], VpcId="vpc-1"
    )
    operator.create_connection(
        ConnectionInput={
            "Name": "net",
            "ConnectionType": "NETWORK",
            "ConnectionProperties": {},
            "PhysicalConnectionRequirements": {"SubnetId": "subnet-1", "SecurityGroupIdList": ["sg-1", "sg-2"]},
        }
    )
    only_in = {"ForAllValues:StringEquals": {"glue:VpcIds": "vpc-1"}, "Null": {"glue:VpcIds": "false"}}
    role.allow(SESSIONS | {"Condition": only_in}, PASSES_ITSELF)
    with pytest.raises(ClientError, match="not authorized to perform: glue:CreateSession"):
        create_session(role)
    connected = {"Connections": {"Connections": ["net"]}}
    with pytest.raises(ClientError, match="not authorized to perform: glue:TagResource"):
        create_session(role, **connected)
    for key, values in (("glue:SubnetIds", ["subnet-2"]), ("glue:SecurityGroupIds", ["sg-1"])):
        role.allow(SESSIONS | {"Condition": {"ForAllValues:StringEquals": {key: values}}}, PASSES_ITSELF)
        with pytest.raises(ClientError, match="not authorized to perform: glue:CreateSession"):
            create_session(role, **connected)
