"""TLS, S3 over TLS, and errors of clients."""

import http.client
import json
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.launcher import Sandbox

DEADLINE = 120
"""Seconds, far more than a loaded machine needs: only a missing response fails a test, not a late one."""
TLS_ONLY = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": "*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    },
}


def port_of(sandbox: Sandbox) -> int:
    return int(sandbox.endpoint.rpartition(":")[2])


def connect(sandbox: Sandbox, host: str = "127.0.0.1") -> http.client.HTTPSConnection:
    context = ssl.create_default_context(cafile=str(sandbox.certificate_authority))
    return http.client.HTTPSConnection(host, port_of(sandbox), context=context, timeout=DEADLINE)


def test_the_certificate_is_valid_for_localhost_and_connections_persist(sandbox: Sandbox) -> None:
    connection = connect(sandbox, "localhost")
    for _ in range(3):
        connection.request("GET", "/_sandbox/decisions")
        response = connection.getresponse()
        assert response.status == 200
        response.read()
        assert not response.will_close
    connection.close()


def test_plain_http_is_rejected(sandbox: Sandbox) -> None:
    with socket.create_connection(("127.0.0.1", port_of(sandbox)), timeout=DEADLINE) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert b"HTTP/1.1 200" not in plain.recv(1000)


def test_a_bucket_that_requires_tls_can_be_used(sandbox: Sandbox) -> None:
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket="demands-tls")
    s3.put_bucket_policy(Bucket="demands-tls", Policy=json.dumps(TLS_ONLY))
    s3.put_object(Bucket="demands-tls", Key="a b/ü.tfstate", Body=b"state")
    assert s3.get_object(Bucket="demands-tls", Key="a b/ü.tfstate")["Body"].read() == b"state"


@pytest.mark.parametrize("condition", [{}, {"Bool": {"aws:SecureTransport": "true"}}])
def test_a_bucket_policy_that_denies_requests_over_tls_does_so(sandbox: Sandbox, condition: dict[str, object]) -> None:
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket="denies-all")
    statement = TLS_ONLY["Statement"] | {"Condition": condition}  # type: ignore[operator]
    s3.put_bucket_policy(Bucket="denies-all", Policy=json.dumps({**TLS_ONLY, "Statement": [statement]}))
    with pytest.raises(ClientError, match=r"\(403\)|Forbidden|AccessDenied"):
        s3.put_object(Bucket="denies-all", Key="key", Body=b"")
    s3.delete_bucket_policy(Bucket="denies-all")
    s3.delete_bucket(Bucket="denies-all")


def test_only_one_of_many_concurrent_writers_gets_a_lock_file(sandbox: Sandbox) -> None:
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket="locks")

    def take(number: int) -> int:
        try:
            s3.put_object(Bucket="locks", Key="x.tflock", Body=str(number).encode(), IfNoneMatch="*")
        except ClientError as error:
            return error.response["ResponseMetadata"]["HTTPStatusCode"]
        return 200

    with ThreadPoolExecutor(10) as pool:
        assert sorted(pool.map(take, range(30))) == [200] + 29 * [412]


def test_silent_clients_do_not_block_others(sandbox: Sandbox) -> None:
    silent = [socket.create_connection(("127.0.0.1", port_of(sandbox))) for _ in range(20)]
    try:
        connection = connect(sandbox)
        connection.request("GET", "/_sandbox/decisions")
        assert connection.getresponse().status == 200
        connection.close()
    finally:
        for client in silent:
            client.close()


def test_a_client_that_hangs_up_during_a_request_does_not_affect_others(sandbox: Sandbox) -> None:
    connection = connect(sandbox)
    connection.connect()
    assert connection.sock is not None
    connection.sock.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc")
    connection.close()
    assert sandbox.client("sts").get_caller_identity()["Account"]


@pytest.mark.parametrize("body", [b"{", b"[]", b"[" * 100_000, b"\xff\xfe"], ids=["cut", "list", "deep", "bytes"])
def test_a_request_that_is_not_a_json_object_is_a_client_error(sandbox: Sandbox, body: bytes) -> None:
    connection = connect(sandbox)
    connection.request(
        "POST",
        "/",
        body,
        {
            "X-Amz-Target": "AWSGlue.GetSession",
            "Authorization": "AWS4-HMAC-SHA256 Credential=a/20250101/us-east-1/glue/aws4_request, Signature=",
        },
    )
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    assert (response.status, answer["__type"]) == (400, "SerializationException")


def test_an_unknown_operation_is_not_implemented(sandbox: Sandbox) -> None:
    with pytest.raises(ClientError, match=r"\(NotImplemented\).*does not have this operation"):
        sandbox.client("iam").list_service_specific_credentials()
    with pytest.raises(ClientError, match=r"\(NotImplemented\).*does not have this operation"):
        sandbox.client("sagemaker").list_workteams()
    service: Any = "accessanalyzer"
    with pytest.raises(ClientError, match=r"\(NotImplemented\).*moto has no service at access-analyzer\."):
        sandbox.client(service).validate_policy(policyDocument="{}", policyType="IDENTITY_POLICY")
    assert "urls.py" not in sandbox.log_file.read_text(), "moto's advice on its own source"


def test_an_unexpected_exception_is_an_error_without_a_traceback(sandbox: Sandbox) -> None:
    connection = connect(sandbox)
    connection.request("GET", "/%2f%2e%2e/\u0001?list-type=x&versions=%ff".replace("\u0001", "%01"))
    response = connection.getresponse()
    text = response.read()
    connection.close()
    assert 400 <= response.status < 600
    assert b"Traceback" not in text


def test_a_bucket_of_another_region_is_redirected_to_as_s3_does(sandbox: Sandbox) -> None:
    there, here = sandbox.client("s3", region_name="eu-west-1"), sandbox.client("s3")
    there.create_bucket(Bucket="far", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    there.put_object(Bucket="far", Key="a/b", Body=b"state")
    answers: list[tuple[int, str | None]] = []

    def note(response_dict: Any, **_: object) -> None:
        answers.append((response_dict["status_code"], response_dict["headers"].get("x-amz-bucket-region")))

    here.meta.events.register("before-parse.s3", note)
    assert here.head_bucket(Bucket="far")["BucketRegion"] == "eu-west-1"  # boto3 follows
    assert here.get_object(Bucket="far", Key="a/b")["Body"].read() == b"state"
    assert answers[0] == (301, "eu-west-1")
    with pytest.raises(ClientError, match="BucketAlready"):
        here.create_bucket(Bucket="far", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})


@pytest.mark.parametrize("service", ["glue", "sagemaker", "s3", "sts", "iam"])
def test_an_unknown_region_is_refused_in_one_line(sandbox: Sandbox, service: Any) -> None:
    calls = {"glue": "list_sessions", "sagemaker": "list_domains", "s3": "list_buckets", "sts": "get_caller_identity"}
    client = sandbox.client(service, region_name="eu-nowhere-1")
    with pytest.raises(ClientError) as refused:
        getattr(client, calls.get(service, "list_roles"))()
    assert refused.value.response["Error"] == {
        **refused.value.response["Error"],
        "Code": "UnknownRegion",
        "Message": f"supply a region that has {service}, such as us-east-1, got eu-nowhere-1",
    }
