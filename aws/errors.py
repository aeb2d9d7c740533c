"""AWS errors, in one line each."""

import threading
from dataclasses import dataclass

from botocore import exceptions

# https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html and each service's common errors
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"}
_NOT_ACCEPTED = {
    "AuthFailure",
    "InvalidClientTokenId",
    "OptInRequired",
    "SubscriptionRequiredException",
    "UnrecognizedClientException",
}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
_THROTTLED = {
    "BandwidthLimitExceeded",
    "PriorRequestNotComplete",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "Throttling",
    "ThrottledException",
    "ThrottlingException",
    "TooManyRequestsException",
}

_SIGN_IN = (
    exceptions.SSOError,
    exceptions.TokenRetrievalError,
    exceptions.CredentialRetrievalError,
    exceptions.PartialCredentialsError,
    exceptions.InvalidConfigError,
    exceptions.InfiniteLoopConfigError,
)
_UNREACHABLE = (exceptions.HTTPClientError, exceptions.ConnectionError)

_SERVER_ERROR = 500
"""HTTP status codes from here on are errors of AWS, not of the caller."""

_NOT_IMPLEMENTED = "NotImplemented"
"""Comes with 501, but no retry helps: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"""

AWS_ERRORS = (exceptions.BotoCoreError, exceptions.ClientError)
"""What boto3 raises when a call fails."""


def code(error: Exception) -> str:
    """Return the AWS error code, like `AccessDenied`, or the exception's name where AWS sent no response."""
    if isinstance(error, exceptions.ClientError):
        return str(error.response["Error"].get("Code", "unknown"))
    return type(error).__name__


def is_denied(error: Exception) -> bool:
    """Return whether the caller lacks permission."""
    return code(error) in _DENIED


def is_throttled(error: Exception) -> bool:
    """Return whether AWS still refused the call after its retries, because there were too many."""
    return code(error) in _THROTTLED


def is_fault_of_aws(error: Exception) -> bool:
    """Return whether AWS failed to answer a valid call, also after retries."""
    if not isinstance(error, exceptions.ClientError):
        return False
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= _SERVER_ERROR


def is_unreachable(error: Exception) -> bool:
    """Return whether AWS sent no response."""
    return isinstance(error, _UNREACHABLE)


def is_not_found(error: Exception) -> bool:
    """Return whether the resource does not exist."""
    return code(error) in {"NoSuchEntity", "ResourceNotFound", "EntityNotFoundException"}


def is_about_credentials(error: Exception) -> bool:
    """Return whether there are no usable credentials: the caller has to sign in, or to choose others."""
    if isinstance(error, (exceptions.NoCredentialsError, exceptions.ProfileNotFound, *_SIGN_IN)):
        return True
    return code(error) in _EXPIRED | _NOT_ACCEPTED


def in_words(error: Exception) -> str:
    """Return one line with the cause and the remedy."""
    if isinstance(error, exceptions.NoCredentialsError):
        return "no AWS credentials found, sign in or set AWS_PROFILE"
    if isinstance(error, exceptions.ProfileNotFound):
        return f"{_line(error)}, choose one of `aws configure list-profiles`"
    if isinstance(error, _SIGN_IN):
        return f"the AWS credentials cannot be used, sign in again: {_line(error)}"
    if is_unreachable(error):
        return f"AWS cannot be reached: {_line(error)}"
    if not isinstance(error, exceptions.ClientError):
        return _line(error)
    message = error.response["Error"].get("Message") or "no reason given"
    match code(error):
        case known if known in _DENIED:
            return f"access denied: {_line(message)}"
        case known if known in _EXPIRED:
            return f"the AWS credentials have expired, sign in again: {_line(message)}"
        case known if known in _NOT_ACCEPTED:
            return f"the credentials are not accepted, or the region is not enabled for this account: {_line(message)}"
        case known if known in _THROTTLED:
            retries = error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0)
            return f"still throttled after {retries} retries, try again later: {_line(message)}"
        case other if other == _NOT_IMPLEMENTED:
            return f"{other}: {_line(message)}"
        case other if is_fault_of_aws(error):
            retries = error.response["ResponseMetadata"].get("RetryAttempts", 0)
            return f"AWS still fails after {retries} retries, try again later: {other}: {_line(message)}"
        case other:
            return f"{other}: {_line(message)}"


def _line(text: object) -> str:
    return " ".join(str(text).split()).rstrip(".")


@dataclass
class _Error:
    text: str
    count: int = 1


class Errors:
    """Errors of a run, in order; the same error of many similar calls is one line."""

    def __init__(self) -> None:
        self._errors: dict[tuple[str, str, str], _Error] = {}
        self._lock = threading.Lock()

    def add(self, place: str, operation: str, error: Exception, subject: str = "") -> None:
        """Record a call that failed.

        Args:
            place: region, account or role; begins the line.
            operation: the call, like `DescribeUserProfile`.
            error: one of `AWS_ERRORS`.
            subject: the resource that the call is about, if there are several of its kind.
        """
        of = f" of {subject}" if subject else ""
        with self._lock:
            known = self._errors.get((place, operation, code(error)))
            if known:
                known.count += 1
            else:
                text = f"{place}: {operation}{of}: {in_words(error)}"
                self._errors[place, operation, code(error)] = _Error(text)

    def add_line(self, line: str) -> None:
        """Record an error that is already formatted."""
        with self._lock:
            self._errors.setdefault((line, "", ""), _Error(line))

    @property
    def lines(self) -> list[str]:
        """One line for each kind of error."""
        return [
            error.text if error.count == 1 else f"{error.text} (and {error.count - 1:,} more like it)"
            for error in self._errors.values()
        ]
