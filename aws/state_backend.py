"""Clients that reach the state bucket as Terraform's S3 backend does: by profile, assumed role and endpoints."""

from typing import TYPE_CHECKING, Any, Literal, overload

import boto3
from botocore.config import Config

from aws.account import session_of
from configuration import AssumeRole, State

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sts import STSClient
    from mypy_boto3_sts.type_defs import AssumeRoleRequestTypeDef


def session(state: State) -> boto3.Session:
    """Return a session with the backend's credentials.

    Raises:
        BotoCoreError, ClientError: there are none, or the backend's role cannot be assumed.
    """
    own = boto3.Session(profile_name=state.profile, region_name=state.region)
    if state.assume_role is None:
        return own
    request = _assume_role_request(state.assume_role)
    return session_of(client(own, "sts", state).assume_role(**request)["Credentials"], state.region)


@overload
def client(session: boto3.Session, service: Literal["s3"], state: State) -> "S3Client": ...
@overload
def client(session: boto3.Session, service: Literal["sts"], state: State) -> "STSClient": ...


def client(session: boto3.Session, service: Literal["s3", "sts"], state: State) -> Any:
    """Return a client that uses the backend's endpoint, certificate bundle and addressing style."""
    endpoints = state.endpoints.model_dump() if state.endpoints else {}
    path_style: Any = {"s3": {"addressing_style": "path"}} if state.use_path_style else {}
    return session.client(
        service,
        endpoint_url=endpoints.get(service),
        verify=state.custom_ca_bundle,
        config=Config(retries={"mode": "standard"}, connect_timeout=10, **path_style),
    )


def _assume_role_request(role: AssumeRole) -> "AssumeRoleRequestTypeDef":
    request: AssumeRoleRequestTypeDef = {"RoleArn": role.role_arn, "RoleSessionName": "glue-sessions-state"}
    if role.external_id:
        request["ExternalId"] = role.external_id
    return request
