"""What AWS refused or could not be asked, in one line each."""

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

AWS_ERRORS = (exceptions.BotoCoreError, exceptions.ClientError)
"""What boto3 raises when a call has no answer."""


def code(error: Exception) -> str:
    """Give AWS's code of an error, like `AccessDenied`, or the kind of failure where AWS gave none."""
    if isinstance(error, exceptions.ClientError):
        return str(error.response["Error"].get("Code", "unknown"))
    return type(error).__name__


def is_denied(error: Exception) -> bool:
    """Say whether AWS refused a call for want of permission."""
    return code(error) in _DENIED


def is_not_found(error: Exception) -> bool:
    """Say whether what a call is about does not exist (any longer)."""
    return code(error) in {"NoSuchEntity", "ResourceNotFound", "EntityNotFoundException"}


def in_words(error: Exception) -> str:
    """Say in one line what is wrong, and what to do about it."""
    if isinstance(error, exceptions.NoCredentialsError):
        return "no AWS credentials found, sign in or set AWS_PROFILE"
    if isinstance(error, exceptions.ProfileNotFound):
        return f"{_line(error)}, choose one of `aws configure list-profiles`"
    if isinstance(error, _SIGN_IN):
        return f"the AWS credentials cannot be used, sign in again: {_line(error)}"
    if isinstance(error, _UNREACHABLE):
        return f"cannot be reached: {_line(error)}"
    if not isinstance(error, exceptions.ClientError):
        return _line(error)
    message = error.response["Error"].get("Message") or "no reason given"
    match code(error):
        case known if known in _DENIED:
            return f"access denied: {_line(message)}"
        case known if known in _EXPIRED:
            return f"the AWS credentials have expired, sign in again: {_line(message)}"
        case known if known in _NOT_ACCEPTED:
            return f"the credentials are not accepted, or the region is off for this account: {_line(message)}"
        case known if known in _THROTTLED:
            retries = error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0)
            return f"throttled, and still so after {retries} retries, try again later: {_line(message)}"
        case other:
            return f"{other}: {_line(message)}"


def _line(text: object) -> str:
    return " ".join(str(text).split()).rstrip(".")


@dataclass
class _Fault:
    text: str
    count: int = 1


class Faults:
    """What went wrong, in the order it happened; the same failure of many alike calls is one line."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str], _Fault] = {}
        self._lock = threading.Lock()

    def add(self, place: str, operation: str, error: Exception, subject: str = "") -> None:
        """Note a call without an answer.

        Args:
            place: region, account or role: what the line begins with.
            operation: the call, like `DescribeUserProfile`.
            error: one of `AWS_ERRORS`.
            subject: what the call was about, if there are more of its kind.
        """
        of = f" of {subject}" if subject else ""
        with self._lock:
            known = self._found.get((place, operation, code(error)))
            if known:
                known.count += 1
            else:
                text = f"{place}: {operation}{of}: {in_words(error)}"
                self._found[place, operation, code(error)] = _Fault(text)

    def say(self, line: str) -> None:
        """Note something that is wrong, said already."""
        with self._lock:
            self._found.setdefault((line, "", ""), _Fault(line))

    @property
    def lines(self) -> list[str]:
        """A line for each kind of failure."""
        return [
            fault.text if fault.count == 1 else f"{fault.text} (and {fault.count - 1:,} more like it)"
            for fault in self._found.values()
        ]
