"""An AWS account as one set of credentials sees it."""

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
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sts import STSClient

WORKERS = 12
"""Calls at a time: AWS throttles the describing calls of an account at some ten a second, and retries see to that."""

_CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 6},
    connect_timeout=5,
    read_timeout=30,
    max_pool_connections=WORKERS,
)

_In = TypeVar("_In")
_Out = TypeVar("_Out")


class Identity(NamedTuple):
    """Who is calling: sts:GetCallerIdentity."""

    account_id: str
    arn: str
    user_id: str


class Calls:
    """Counts API calls by operation; a page is a call, a retry is not."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_operation: Counter[str] = Counter()

    def watch(self, client: Any) -> None:
        """Count what this client calls from now on."""
        client.meta.events.register("before-call", self._count)

    def _count(self, model: Any, **_: Any) -> None:
        with self._lock:
            self._by_operation[model.name] += 1

    @property
    def by_operation(self) -> dict[str, int]:
        """How often each operation was called, the most frequent first."""
        return dict(self._by_operation.most_common())

    def __str__(self) -> str:
        total = sum(self._by_operation.values())
        each = ", ".join(f"{name} {count:,}" for name, count in self.by_operation.items())
        return f"{total:,} API calls ({each})"


class Account:
    """An account: who calls, and a client for each service and region, made once.

    Args:
        session: where credentials and settings come from.
        region: region for calls that are not about one; otherwise the session's, or the first of all.
        calls: counts the calls.
        identity: who calls, if that is known already.
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
        """Who is calling; asked once.

        Raises:
            BotoCoreError, ClientError: there are no credentials, or AWS does not take them.
        """
        if self._identity is None:
            found = self.client("sts").get_caller_identity()
            self._identity = Identity(found["Account"], found["Arn"], found["UserId"])
        return self._identity

    def in_region(self, region: str) -> "Account":
        """Give the same account with another region of its own; who calls is not asked again."""
        if region == self.region:
            return self
        return Account(self.session, calls=self.calls, region=region, identity=self.identity)

    def assuming(self, role_arn: str, *, session_name: str) -> "Account":
        """Give the account as a role sees it.

        Raises:
            BotoCoreError, ClientError: the role cannot be assumed.
        """
        found = self.client("sts").assume_role(RoleArn=role_arn, RoleSessionName=session_name)["Credentials"]
        session = boto3.Session(
            aws_access_key_id=found["AccessKeyId"],
            aws_secret_access_key=found["SecretAccessKey"],
            aws_session_token=found["SessionToken"],
            region_name=self.region,
        )
        return Account(session, calls=self.calls, region=self.region)

    @overload
    def client(self, service: Literal["sts"], region: str | None = None) -> "STSClient": ...
    @overload
    def client(self, service: Literal["iam"], region: str | None = None) -> "IAMClient": ...
    @overload
    def client(self, service: Literal["sagemaker"], region: str | None = None) -> "SageMakerClient": ...
    @overload
    def client(self, service: Literal["glue"], region: str | None = None) -> "GlueClient": ...
    @overload
    def client(self, service: Literal["ec2"], region: str | None = None) -> Any: ...

    def client(self, service: Any, region: str | None = None) -> Any:
        """Give the client of a service in a region, by default the account's own."""
        key = (service, region or self.region)
        with self._lock:  # boto3 makes one client at a time
            if key not in self._clients:
                client = self.session.client(service, region_name=key[1], config=_CONFIG)
                self.calls.watch(client)
                self._clients[key] = client
            return self._clients[key]


def each(
    pool: ThreadPoolExecutor,
    work: Callable[[_In], _Out],
    items: Iterable[_In],
    done: Callable[[], object] = lambda: None,
) -> Iterator[_Out]:
    """Yield what `work` gives for each item, in order, several at a time.

    Args:
        pool: bounds how many.
        work: a function without side effects that matter in order.
        items: what to work on.
        done: called after each item, from any thread.
    """

    def one(item: _In) -> _Out:
        try:
            return work(item)
        finally:
            done()

    return pool.map(one, items)
