"""AWS refuses calls of a plan and of an apply: they are named, nothing is lost, and the next apply completes it."""

import itertools
import json
import re
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from sandbox.launcher import Sandbox
from terraform_cli.terraform import Done
from tests.aws_proxy import Answer, AwsProxy, Cut, Refusal, answer_all
from tests.e2e.conftest import through
from tests.e2e.execution_role import (
    CONSOLE_TRUST,
    GLUE_STATEMENT,
    MANAGED_POLICY,
    RECIPE_INLINE_POLICY,
    RECIPE_TRUST,
    ExecutionRole,
    Grants,
    statement,
    trust,
)
from tests.e2e.one_root import COMMON
from tests.e2e.shop import ATTACHMENT, Shop
from tests.e2e.terraform import Run

GRANTED = Grants(RECIPE_TRUST, attached=True, inline_policy=RECIPE_INLINE_POLICY)
NOTHING_GRANTED = Grants(CONSOLE_TRUST, attached=False, inline_policy=None)
DENIAL = "User: arn:aws:iam::123456789012:user/somebody is not authorized, by an explicit deny"
DENIED = Refusal("AccessDenied", DENIAL, 403)

READS = {"GetCallerIdentity", "GetRole", "ListRolePolicies", "GetRolePolicy", "ListAttachedRolePolicies"}
"""What a plan asks of STS and IAM."""
WRITES = ["AttachRolePolicy", "PutRolePolicy", "UpdateAssumeRolePolicy"]
STATE_CALLS = {
    "PUT /BUCKET/STATE.tflock": "Error acquiring the state lock",
    "HEAD /BUCKET/STATE": "HeadObject",
    "GET /BUCKET/STATE": "GetObject",
}
"""What a plan asks of S3, with the words of the error."""
LIST = "GET /BUCKET"
LAST_CALLS = {"PUT /BUCKET/STATE", "GET /BUCKET/STATE.tflock", "DELETE /BUCKET/STATE.tflock"}
"""What saves the state and gives the lock back."""


def assert_refused(run: Run, *words: str) -> None:
    assert run.status == 1, run.output
    for each in words:
        assert any(each in error for error in run.errors), (words, run.errors)


def take_the_grants_away(role: ExecutionRole) -> None:
    grants = role.grants
    if grants.attached:
        role.detach()
    if grants.inline_policy:
        role.delete_inline_policy()
    role.trust = CONSOLE_TRUST


def test_every_denied_call_is_named_and_the_next_apply_completes_the_grants(
    shop: Shop, role: ExecutionRole, proxy: AwsProxy
) -> None:
    stack = shop.stack(role.name)
    state = f"glue-sessions/dev/{role.name}.tfstate"
    here = through(proxy)

    def named(text: str) -> str:
        return text.replace("BUCKET", shop.bucket).replace("STATE", state)

    stack.apply(**here)
    take_the_grants_away(role)
    before = role.read()

    # each call of a plan: nothing is changed
    # one in each plan: the grants are only read after the role
    for operation, words in {**{each: each for each in READS}, **STATE_CALLS}.items():
        proxy.answers = {named(operation): lambda _, __: DENIED}
        denial = "Forbidden" if operation.startswith("HEAD") else f"AccessDenied: {DENIAL}"
        assert_refused(stack.plan(**here), words, denial)
        assert role.read() == before
    proxy.answers = {}

    # the lock cannot be released: the plan is there, and a person removes the lock by the id in the error
    proxy.refuse(named("DELETE /BUCKET/STATE.tflock"), "AccessDenied")
    done = stack.plan(**here)
    assert_refused(done, "Error releasing the state lock")
    lock_id = re.search(r" ID: +(\S+)", done.errors[0])
    assert lock_id
    assert stack.run("force-unlock", "-force", lock_id[1]).status == 0
    proxy.answers = {}
    # nor where it cannot be read; listing the bucket is not needed
    proxy.refuse(named("GET /BUCKET/STATE.tflock"), "AccessDenied")
    proxy.refuse(named(LIST), "AccessDenied")
    done = stack.plan(**here)
    assert_refused(done, "Error releasing the state lock")
    assert len(done.errors) == 1
    shop.aws.client("s3").delete_object(Bucket=shop.bucket, Key=f"{state}.tflock")
    assert role.read() == before

    # each call that writes: the next apply, refused another, writes it; the grants are written after the trust policy
    for operation in WRITES:
        proxy.answers = {operation: lambda _, __: DENIED}
        assert_refused(stack.try_to_apply(**here), operation, DENIAL)
        has = role.grants
        assert (has.attached, has.inline_policy is not None, has.trust == RECIPE_TRUST) == (
            operation != "AttachRolePolicy",
            operation == "AttachRolePolicy",
            operation != "UpdateAssumeRolePolicy",
        )
        if operation == "AttachRolePolicy":
            role.delete_inline_policy()
        elif operation == "PutRolePolicy":
            role.trust = CONSOLE_TRUST
    proxy.answers = {}

    # the state cannot be saved: it is kept beside the stack, and pushed
    proxy.refuse(named("PUT /BUCKET/STATE"), "AccessDenied")
    assert_refused(stack.try_to_apply(**here), "Failed to save state", "Failed to persist state to backend")
    proxy.answers = {}
    assert role.grants == GRANTED
    assert stack.run("state", "push", "errored.tfstate").status == 0
    stack.assert_nothing_to_do()

    # no call but these has ever been made
    assert set(proxy.operations) == {*READS, *WRITES, *map(named, [*STATE_CALLS, LIST, *LAST_CALLS])}


def test_grants_that_are_written_but_cannot_be_read_are_completed_by_the_next_apply(
    shop: Shop, role: ExecutionRole, proxy: AwsProxy
) -> None:
    stack = shop.stack(role.name)
    written = threading.Event()

    def answer(operation: str) -> Answer:
        if operation in WRITES and operation != "UpdateAssumeRolePolicy":
            written.set()
        return DENIED if written.is_set() and operation in READS else None

    answer_all(proxy, answer)
    assert_refused(stack.try_to_apply(**through(proxy)), DENIAL)
    assert role.grants == GRANTED
    completed = stack.apply()
    assert completed.changes.get(ATTACHMENT) in ("replace", "create", None)
    assert role.grants == GRANTED
    stack.assert_nothing_to_do()


def test_a_call_whose_connection_closes_before_the_response_is_retried(
    shop: Shop, role: ExecutionRole, proxy: AwsProxy
) -> None:
    """IAM has done what it was asked, and nobody hears of it."""
    stack = shop.stack(role.name)
    unheard: dict[str, Callable[[], None]] = {
        "AttachRolePolicy": role.attach,
        "PutRolePolicy": lambda: role.put_inline_policy(RECIPE_INLINE_POLICY),
        "UpdateAssumeRolePolicy": lambda: setattr(role, "trust", RECIPE_TRUST),
    }

    def answer(operation: str) -> Answer:
        if operation not in unheard:
            return None
        unheard.pop(operation)()
        return Cut()

    answer_all(proxy, answer)
    stack.apply(**through(proxy))
    assert not unheard
    assert role.grants == GRANTED
    stack.assert_nothing_to_do()


def test_throttled_calls_are_retried_until_they_succeed(shop: Shop, role: ExecutionRole, proxy: AwsProxy) -> None:
    """Two of three calls of IAM are refused, until 8 are."""
    asked: Counter[str] = Counter()
    refused: list[str] = []
    lock = threading.Lock()

    def answer(operation: str) -> Answer:
        if operation not in {*READS, *WRITES} - {"GetCallerIdentity"}:
            return None
        with lock:
            asked[operation] += 1
            if len(refused) == 8 or asked[operation] % 3 == 0:
                return None
            refused.append(operation)
            return Refusal("Throttling", "Rate exceeded", 400)

    answer_all(proxy, answer)
    stack = shop.stack(role.name)
    stack.apply(AWS_ENDPOINT_URL=proxy.environment["AWS_ENDPOINT_URL"])
    assert len(refused) == 8
    assert role.grants == GRANTED


def test_a_service_that_goes_on_failing_is_given_up(shop: Shop, role: ExecutionRole, proxy: AwsProxy) -> None:
    stack = shop.stack(role.name)
    file = stack.folder / COMMON
    document = json.loads(file.read_text())
    (provider,) = document["provider"]["aws"]
    assert provider["max_retries"] == 10  # which takes most of a minute
    provider["max_retries"] = 4
    file.write_text(json.dumps(document))
    proxy.answers["GetRole"] = lambda _, __: Refusal("ServiceFailure", "We are sorry", 500)
    done = stack.plan(**through(proxy))
    assert Done(done.status, done.output, "").errors == [
        f"reading IAM Role ({role.name}): operation error IAM: GetRole, exceeded maximum number of attempts, 4,"
        " ServiceFailure: We are sorry; AWS failed 4 times in a row: try again later"
    ]
    assert proxy.operations.count("GetRole") == 4
    del proxy.answers["GetRole"]
    assert stack.plan(**through(proxy)).status == 2


def test_a_managed_policy_that_the_partition_lacks(shop: Shop, role: ExecutionRole, proxy: AwsProxy) -> None:
    stack = shop.stack(role.name)
    missing = f"Policy {MANAGED_POLICY} does not exist or is not attachable."
    proxy.answers["AttachRolePolicy"] = lambda _, __: Refusal("NoSuchEntity", missing, 404)
    assert_refused(stack.try_to_apply(**through(proxy)), missing)
    assert role.grants == Grants(RECIPE_TRUST, attached=False, inline_policy=RECIPE_INLINE_POLICY)
    # way back: the grants that were written are released
    shop.stack(role.name, released=True).apply()
    assert role.grants == NOTHING_GRANTED


def test_full_quotas_refuse_each_grant_by_itself(shop: Shop, role: ExecutionRole, aws: Sandbox) -> None:
    """IAM's quotas, as the sandbox keeps them: ten attached policies, 10,240 characters inline, 2,048 of trust."""
    iam = aws.client("iam")
    accounts = [f"{number:012}" for number in range(115)]
    long = statement("lambda.amazonaws.com", Condition={"StringEquals": {"aws:SourceAccount": accounts}})
    role.trust = trust(*CONSOLE_TRUST["Statement"], long)  # 2,003 characters, without room for Glue's statement
    pages = iam.get_paginator("list_policies").paginate(Scope="AWS")
    arns = (policy["Arn"] for page in pages for policy in page["Policies"])
    others = list(itertools.islice((arn for arn in arns if arn != MANAGED_POLICY and "SageMakerFull" not in arn), 9))
    for arn in others:
        role.attach(arn)
    before = role.read()

    # the quota is set to more than the account has
    stack = shop.stack(role.name, environment={"trust_policy_quota": 4096}, trust={"ownership": "additive"})
    assert_refused(stack.try_to_apply(), "LimitExceeded: Cannot exceed quota for ACLSizePerRole: 2048")
    assert role.read() == before
    # a plan does not read the inline policies of a role that another stack owns
    fill: Any = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::" + 9_950 * "x"}
    document = {"Version": "2012-10-17", "Statement": fill}
    role.put_inline_policy(document, name="long")
    assert_refused(
        shop.stack(role.name, trust={"ownership": "external"}).try_to_apply(),
        "LimitExceeded: Cannot exceed quota for PoliciesPerRole: 10",
        "LimitExceeded: Maximum policy size of 10240 bytes exceeded for role",
    )

    for arn in others:
        role.detach(arn)
    iam.delete_role_policy(RoleName=role.name, PolicyName="long")
    role.trust = CONSOLE_TRUST
    shop.stack(role.name, trust={"ownership": "additive"}).apply()
    assert role.grants == Grants(
        trust(*CONSOLE_TRUST["Statement"], GLUE_STATEMENT), attached=True, inline_policy=RECIPE_INLINE_POLICY
    )
