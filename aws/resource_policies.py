"""The policies of buckets, keys and the Data Catalog in an account, and the keys of buckets: each is read once."""

import threading
from collections import defaultdict
from collections.abc import Callable, Hashable
from typing import TypeVar, cast

from aws.account import Account
from aws.errors import AWS_ERRORS, code, is_denied
from iam.engine.statements import resource_policy
from iam.readiness.resource_policies import Holder, ResourcePolicy, Unread

_NONE = ("NoSuchBucketPolicy", "EntityNotFoundException", "ServerSideEncryptionConfigurationNotFoundError")
_MISSING = ("NoSuchBucket", "NotFoundException")

_Found = TypeVar("_Found")


class AccountResources:
    """The policies of an account's resources, and the keys of its buckets; thread-safe.

    Args:
        account: the account of the resources.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self._found: dict[Hashable, object] = {}
        self._lock = threading.Lock()
        self._reading: defaultdict[Hashable, threading.Lock] = defaultdict(threading.Lock)

    def policy(self, holder: Holder) -> ResourcePolicy:
        """Return the policy of a resource in the account."""
        return self._once(holder, lambda: self._policy(holder))

    def default_key(self, bucket: str) -> str | Unread | None:
        """Return the KMS key by which a bucket encrypts new objects, None for a key that needs no permission."""
        return self._once(("key", bucket), lambda: self._default_key(bucket))

    def _once(self, what: Hashable, read: Callable[[], _Found | None]) -> _Found | Unread | None:
        with self._lock:
            reading = self._reading[what]
        # only who asks for the same waits
        with reading:
            if what not in self._found:
                try:
                    self._found[what] = read()
                except AWS_ERRORS as error:
                    self._found[what] = _unread(error)
            return cast("_Found | Unread | None", self._found[what])

    def _policy(self, holder: Holder) -> ResourcePolicy:
        document = self._document(holder)
        try:
            return resource_policy(document) if document else None
        except ValueError:
            return Unread.NOT_UNDERSTOOD

    def _document(self, holder: Holder) -> str | None:
        match holder.kind:
            case "bucket":
                # another account's bucket is refused, which its policy alone would not show
                owner = self._account.identity.account_id
                s3 = self._account.client("s3")
                return s3.get_bucket_policy(Bucket=holder.name, ExpectedBucketOwner=owner)["Policy"]
            case "key":
                kms = self._account.client("kms", holder.name.split(":")[3])
                return str(kms.get_key_policy(KeyId=holder.name, PolicyName="default")["Policy"])
            case "catalog":
                return self._account.client("glue").get_resource_policy().get("PolicyInJson")

    def _default_key(self, bucket: str) -> str | None:
        owner = self._account.identity.account_id
        found = self._account.client("s3").get_bucket_encryption(Bucket=bucket, ExpectedBucketOwner=owner)
        rules = found["ServerSideEncryptionConfiguration"]["Rules"]
        defaults = [each.get("ApplyServerSideEncryptionByDefault") for each in rules]
        # without a key, S3 uses AWS's own, which everyone may use through S3
        return next((key for each in defaults if each and (key := each.get("KMSMasterKeyID"))), None)


def _unread(error: Exception) -> Unread | None:
    """Return why something was not read, None if the error says that there is nothing."""
    if code(error) in _NONE:
        return None
    if code(error) in _MISSING:
        return Unread.MISSING
    if code(error) == "MethodNotAllowed":  # S3's answer to another account that may read the policy
        return Unread.ELSEWHERE
    return Unread.DENIED if is_denied(error) else Unread.FAILED
