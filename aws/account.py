"""An AWS account as seen by one set of credentials."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar, overload

import boto3
from botocore.config import Config

from iam.arn import partition_of

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sts import STSClient
    from mypy_boto3_sts.type_defs import CredentialsTypeDef

WORKERS = 12
"""Calls in parallel. AWS throttles an account's Describe calls at about ten a second; retries absorb that."""

_CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 6},
    connect_timeout=5,
    read_timeout=30,
    max_pool_connections=WORKERS,
)

Progress = Callable[[str, int], Callable[[], object]]
"""Opens a step, given its name and its number of items; the returned function is called after each item."""

_In = TypeVar("_In")
_Out = TypeVar("_Out")


class Identity(NamedTuple):
    """The caller, from sts:GetCallerIdentity."""

    account_id: str
    arn: str
    user_id: str


class Calls:
    """Counts API calls by operation; each page counts, retries do not."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_operation: Counter[str] = Counter()

    def watch(self, client: Any) -> None:
        """Count the calls of this client from now on."""
        client.meta.events.register("before-call", self._count)

    def _count(self, model: Any, **_: Any) -> None:
        with self._lock:
            self._by_operation[model.name] += 1

    @property
    def by_operation(self) -> dict[str, int]:
        """Number of calls of each operation, most frequent first."""
        return dict(self._by_operation.most_common())

    def __str__(self) -> str:
        total = sum(self._by_operation.values())
        each = ", ".join(f"{name} {count:,}" for name, count in self.by_operation.items())
        return f"{total:,} API calls ({each})"


class Account:
    """The caller and one client per service and region.

    Args:
        session: source of credentials and settings.
        calls: counts the calls.
        region: default region of clients; falls back to the session's, then to us-east-1.
        identity: the caller, if it is known already.
    """

    def __init__(
        self, session: boto3.Session, *, calls: Calls, region: str | None = None, identity: Identity | None = None
    ) -> None:
        self.session = session
        self.calls = calls
        self.region = region or session.region_name or "us-east-1"
        self.partition = partition_of(self.region)
        self._identity = identity
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    @property
    def identity(self) -> Identity:
        """The caller, read once.

        Raises:
            BotoCoreError, ClientError: there are no credentials, or AWS rejects them.
        """
        if self._identity is None:
            caller = self.client("sts").get_caller_identity()
            self._identity = Identity(caller["Account"], caller["Arn"], caller["UserId"])
        return self._identity

    def in_region(self, region: str) -> "Account":
        """Return the same account with another default region, without reading the caller again."""
        if region == self.region:
            return self
        return Account(self.session, calls=self.calls, region=region, identity=self.identity)

    def assuming(self, role_arn: str, *, session_name: str) -> "Account":
        """Return the account as seen by a role that this caller assumes.

        Raises:
            BotoCoreError, ClientError: the role cannot be assumed.
        """
        response = self.client("sts").assume_role(RoleArn=role_arn, RoleSessionName=session_name)
        return Account(session_of(response["Credentials"], self.region), calls=self.calls, region=self.region)

    @overload
    def client(self, service: Literal["sts"], region: str | None = None) -> "STSClient": ...
    @overload
    def client(self, service: Literal["iam"], region: str | None = None) -> "IAMClient": ...
    @overload
    def client(self, service: Literal["sagemaker"], region: str | None = None) -> "SageMakerClient": ...
    @overload
    def client(self, service: Literal["glue"], region: str | None = None) -> "GlueClient": ...
    @overload
    def client(self, service: Literal["s3"], region: str | None = None) -> "S3Client": ...
    @overload
    def client(self, service: Literal["ec2", "kms"], region: str | None = None) -> Any: ...

    def client(self, service: Any, region: str | None = None) -> Any:
        """Return the client of a service in a region, by default the account's."""
        key = (service, region or self.region)
        with self._lock:  # creating clients is not thread-safe in boto3
            if key not in self._clients:
                client = self.session.client(service, region_name=key[1], config=_CONFIG)
                self.calls.watch(client)
                self._clients[key] = client
            return self._clients[key]


def session_of(credentials: "CredentialsTypeDef", region: str) -> boto3.Session:
    """Return a session with the credentials that sts:AssumeRole returned."""
    return boto3.Session(
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
        region_name=region,
    )


def each(
    pool: ThreadPoolExecutor,
    work: Callable[[_In], _Out],
    items: Iterable[_In],
    done: Callable[[], object] = lambda: None,
) -> Iterator[_Out]:
    """Yield the result of `work` for each item, in order, computed in parallel.

    Args:
        pool: bounds the parallelism.
        work: a function whose side effects do not depend on order.
        items: the arguments of `work`.
        done: called after each item, from any thread.
    """

    def one(item: _In) -> _Out:
        try:
            return work(item)
        finally:
            done()

    return pool.map(one, items)
