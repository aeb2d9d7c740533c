import pytest
from botocore import exceptions
from botocore.exceptions import ClientError

from aws.errors import Errors, code, in_words, is_denied, is_not_found


def client_error(code: str, message: str = "Not now.\n Really", **metadata: object) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}, "Call")  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (exceptions.NoCredentialsError(), "no AWS credentials found, sign in or set AWS_PROFILE"),
        (
            exceptions.ProfileNotFound(profile="x"),
            "The config profile (x) could not be found, choose one of `aws configure list-profiles`",
        ),
        (
            exceptions.TokenRetrievalError(provider="sso", error_msg="expired"),
            "the AWS credentials cannot be used, sign in again: Error when retrieving token from sso: expired",
        ),
        (
            exceptions.EndpointConnectionError(endpoint_url="https://x"),
            'AWS cannot be reached: Could not connect to the endpoint URL: "https://x"',
        ),
        (exceptions.NoRegionError(), "You must specify a region"),
        (client_error("AccessDenied"), "access denied: Not now. Really"),
        (client_error("ExpiredToken"), "the AWS credentials have expired, sign in again: Not now. Really"),
        (
            client_error("OptInRequired"),
            "the credentials are not accepted, or the region is not enabled for this account: Not now. Really",
        ),
        (
            client_error("Throttling", RetryAttempts=5),
            "still throttled after 5 retries, try again later: Not now. Really",
        ),
        (
            client_error("ServiceFailure", RetryAttempts=6, HTTPStatusCode=500),
            "AWS still fails after 6 retries, try again later: ServiceFailure: Not now. Really",
        ),
        (client_error("NotImplemented", RetryAttempts=0, HTTPStatusCode=501), "NotImplemented: Not now. Really"),
        (client_error("MalformedPolicyDocument", HTTPStatusCode=400), "MalformedPolicyDocument: Not now. Really"),
        (client_error("MalformedPolicyDocument"), "MalformedPolicyDocument: Not now. Really"),
        (client_error("MalformedPolicyDocument", ""), "MalformedPolicyDocument: no reason given"),
    ],
    ids=lambda value: code(value) if isinstance(value, Exception) else "",
)
def test_an_error_is_one_line_with_cause_and_remedy(error: Exception, words: str) -> None:
    assert in_words(error) == words


def test_denied_and_missing_are_recognized_by_their_codes() -> None:
    assert is_denied(client_error("UnauthorizedOperation"))
    assert not is_denied(client_error("NoSuchEntity"))
    assert is_not_found(client_error("NoSuchEntity"))
    assert not is_not_found(exceptions.NoCredentialsError())


def test_the_same_error_of_similar_calls_is_one_line() -> None:
    errors = Errors()
    for subject in ("a", "b", "c"):
        errors.add("roles", "iam:GetRole", client_error("AccessDenied"), subject)
    errors.add("roles", "iam:GetRole", client_error("Throttling", RetryAttempts=5), "d")
    errors.add_line("something else")
    errors.add_line("something else")
    assert errors.lines == [
        "roles: iam:GetRole of a: access denied: Not now. Really (and 2 more like it)",
        "roles: iam:GetRole of d: still throttled after 5 retries, try again later: Not now. Really",
        "something else",
    ]
