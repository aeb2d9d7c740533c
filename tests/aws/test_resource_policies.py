"""Policies of resources: each is read once, and different ones at the same time."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from types import SimpleNamespace
from typing import Any, cast

from aws.account import Account
from aws.resource_policies import AccountResources
from iam.engine.statements import Policy
from iam.readiness.resource_policies import Holder

POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}],
}


def test_each_policy_is_read_once_and_two_at_the_same_time() -> None:
    both = Barrier(2, timeout=60)
    calls: Counter[str] = Counter()

    def get_bucket_policy(*, Bucket: str, ExpectedBucketOwner: str) -> dict[str, Any]:  # noqa: N803, as in boto3
        calls[Bucket] += 1
        both.wait()
        return {"Policy": json.dumps(POLICY)}

    s3 = SimpleNamespace(get_bucket_policy=get_bucket_policy)
    account = SimpleNamespace(identity=SimpleNamespace(account_id="111122223333"), client=lambda service: s3)
    resources = AccountResources(cast("Account", account))
    asked = [Holder("bucket", "one"), Holder("bucket", "two")] * 3
    with ThreadPoolExecutor(len(asked)) as pool:
        found = list(pool.map(resources.policy, asked))
    assert all(isinstance(each, Policy) for each in found)
    assert calls == {"one": 1, "two": 1}
