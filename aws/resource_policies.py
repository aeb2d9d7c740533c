"""The policies of buckets, keys and the Data Catalog in an account: each is read once."""

import threading
from collections.abc import Callable

from aws.account import Account
from aws.errors import AWS_ERRORS, code, is_denied
from iam.engine.statements import resource_policy
from iam.readiness.resource_policies import Holder, ResourcePolicy, Unread

_NO_POLICY = ("NoSuchBucketPolicy", "EntityNotFoundException")
_MISSING = ("NoSuchBucket", "NotFoundException")


def reader(account: Account) -> Callable[[Holder], ResourcePolicy]:
    """Return a function that reads the policy of a resource in the account; it may be called from any thread."""
    found: dict[Holder, ResourcePolicy] = {}
    lock = threading.Lock()

    def read(holder: Holder) -> ResourcePolicy:
        with lock:
            if holder not in found:
                found[holder] = _read(account, holder)
            return found[holder]

    return read


def _read(account: Account, holder: Holder) -> ResourcePolicy:
    try:
        document = _document(account, holder)
    except AWS_ERRORS as error:
        if code(error) in _NO_POLICY:
            return None
        if code(error) in _MISSING:
            return Unread.MISSING
        if code(error) == "MethodNotAllowed":  # S3's answer to another account that may read the policy
            return Unread.ELSEWHERE
        return Unread.DENIED if is_denied(error) else Unread.FAILED
    try:
        return resource_policy(document) if document else None
    except ValueError:
        return Unread.NOT_UNDERSTOOD


def _document(account: Account, holder: Holder) -> str | None:
    """Return the policy as JSON, None if there is none.

    Raises:
        BotoCoreError, ClientError: it cannot be read, or there is none.
    """
    match holder.kind:
        case "bucket":
            # another account's bucket is refused, which its policy alone would not show
            owner = account.identity.account_id
            return account.client("s3").get_bucket_policy(Bucket=holder.name, ExpectedBucketOwner=owner)["Policy"]
        case "key":
            kms = account.client("kms", holder.name.split(":")[3])
            return str(kms.get_key_policy(KeyId=holder.name, PolicyName="default")["Policy"])
        case "catalog":
            return account.client("glue").get_resource_policy().get("PolicyInJson")
