"""What `verify` says of calls on buckets, keys and the Data Catalog against an evaluator, over policies from a seed.

    python -m tests.iam.readiness.resource_worlds --situations 50000 --seed 1

A situation is a role, its boundary, the policies of what it uses and the key of its bucket, over small alphabets. What
AWS documents for every request that a call stands for (each object, each prefix, each network) is put beside the one
answer of `decide_with_resource`. The evaluation logic here shares no code with the engine.
"""

import argparse
import random
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from iam.documents.access import Access
from iam.engine.decision import Request, Verdict, decide
from iam.engine.statements import resource_policy
from iam.readiness.kernel_calls import KernelCall, boundary, requests, role_policies
from iam.readiness.resource_policies import Holder, ResourcePolicy, Unread, decide_with_resource
from iam.role import Role
from tests.iam.engine import evaluator
from tests.iam.readiness.roles import ARN, role

ACCOUNT, ROLE, UNIQUE_ID = ARN.account_id, str(ARN), "AROAEXAMPLEEXAMPLE123"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/team/GlueJobRunnerSession"
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/k"
GLUE = f"arn:aws:glue:eu-west-1:{ACCOUNT}"
DATA = "arn:aws:s3:::data"
ACCESS = Access(
    "eu-west-1", read_buckets=("s3://data/curated/", "s3://data/raw/"), read_databases=("sales",), keys=(KEY,)
)

Document = dict[str, Any]
Context = dict[str, tuple[str, ...]]

PRINCIPALS: list[Any] = [
    *("*", {"AWS": "*"}, {"AWS": ACCOUNT}, {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, {"AWS": ROLE}, {"AWS": UNIQUE_ID}),
    *({"AWS": SESSION}, {"AWS": f"{SESSION}2"}, {"AWS": "AROAOTHER"}, {"AWS": f"arn:aws:iam::{ACCOUNT}:role/team"}),
    *({"AWS": "444455556666"}, {"AWS": f"{ROLE}2"}, {"Service": "glue.amazonaws.com"}, {"Federated": "cognito"}),
    *({"AWS": [ROLE, "444455556666"]}, {"AWS": [f"{ROLE}2", ACCOUNT]}, {"AWS": [SESSION, ACCOUNT]}),
    {"AWS": f"arn:aws:iam::{ACCOUNT}:user/team"},
]
NOT_PRINCIPALS: list[Any] = [
    *({"AWS": [ROLE, ACCOUNT]}, {"AWS": [ROLE, ACCOUNT, SESSION]}, {"AWS": ROLE}, {"AWS": "444455556666"}),
    *(
        {"AWS": ACCOUNT},
        {"AWS": [UNIQUE_ID, ACCOUNT]},
        {"AWS": [f"{ROLE}2", ACCOUNT]},
        {"Service": "glue.amazonaws.com"},
    ),
]
ACTIONS = ["*", "s3:*", "s3:Get*", "s3:GetObject", "s3:ListBucket", "kms:*", "kms:Decrypt", "glue:*", "glue:GetTable"]
RESOURCES = [
    *("*", DATA, f"{DATA}/*", f"{DATA}/curated/*", f"{DATA}/curated/people/*", f"{DATA}/raw/*", f"{DATA}/raw/example"),
    *(KEY, f"{GLUE}:*", f"{GLUE}:catalog", f"{GLUE}:table/sales/*", f"{GLUE}:table/sales/orders", f"{DATA}2/*"),
    f"{DATA}/${{aws:PrincipalTag/team}}/*",
]
CONDITIONS: list[Document] = [
    {"Bool": {"aws:SecureTransport": "false"}},
    {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}},
    {"StringNotEqualsIfExists": {"aws:SourceVpce": ["vpce-1", "vpce-2"]}},
    {"StringEquals": {"aws:PrincipalOrgID": "o-1"}},
    {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}, "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}},
    {"Bool": {"aws:PrincipalIsAWSService": "true"}},
    {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/service-role/*"}},
    {"ArnNotLike": {"aws:PrincipalArn": [f"arn:aws:iam::{ACCOUNT}:role/t*", ROLE]}},
    {"StringNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/team*"}},
    {"StringLike": {"aws:userid": f"{UNIQUE_ID}:*"}},
    {"StringNotLike": {"aws:userid": [f"{UNIQUE_ID}:*", ACCOUNT]}},
    {"StringNotEquals": {"aws:userid": f"{UNIQUE_ID}:SageMaker"}},
    {"StringLike": {"s3:prefix": ["curated", "curated/*"]}},
    {"StringLike": {"s3:prefix": "curated/people/*"}},
    {"StringNotLike": {"s3:prefix": ["curated*", "raw*"]}},
    {"StringEquals": {"s3:prefix": "raw/"}},
    {"Null": {"s3:prefix": "true"}},
    {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}},
    {"StringNotEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}},
    {"StringEquals": {"kms:ViaService": "glue.eu-west-1.amazonaws.com"}},
    {"StringEquals": {"kms:CallerAccount": ACCOUNT}},
    {"StringLike": {"kms:EncryptionContext:aws:s3:arn": f"{DATA}/curated/*"}},
    {"Bool": {"aws:ViaAWSService": "true"}},
    {"Bool": {"aws:ViaAWSService": "false"}},
    {"StringEquals": {"aws:ResourceAccount": ACCOUNT}},
    {"StringEquals": {"aws:PrincipalTag/team": "data"}},
    {"StringNotEquals": {"aws:PrincipalType": "AssumedRole"}},
]


@dataclass(frozen=True)
class Situation:
    """A role and what it uses, as documents; None for no policy, and no key of the bucket."""

    own: list[Document]
    bounds: list[Document] | None
    policies: Mapping[Holder, list[Document] | None]
    key: str | None


HOLDERS = (Holder("bucket", "data"), Holder("key", KEY), Holder("catalog"))


def situation(source: random.Random) -> Situation:
    """Make a situation of few statements; most allow what the role uses, so that others can matter."""

    def statement(*, principal: bool) -> Document:
        found: Document = {"Effect": source.choice(["Allow", "Deny", "Deny"])}
        if principal and source.random() < 0.15 and found["Effect"] == "Deny":
            found["NotPrincipal"] = source.choice(NOT_PRINCIPALS)
        elif principal:
            found["Principal"] = source.choice(PRINCIPALS)
        found["Action" if source.random() < 0.9 else "NotAction"] = source.choice(ACTIONS)
        found["Resource" if source.random() < 0.9 else "NotResource"] = source.choice(RESOURCES)
        if source.random() < 0.6:
            found["Condition"] = source.choice(CONDITIONS)
        return found

    def statements(*usual: Document, principal: bool = True) -> list[Document]:
        more = [statement(principal=principal) for _ in range(source.choice([0, 1, 1, 2]))]
        return [*(each for each in usual if source.random() < 0.8), *more]

    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    policies: dict[Holder, list[Document] | None] = {
        HOLDERS[0]: source.choice([None, statements(), statements()]),
        HOLDERS[1]: statements({**everything, "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}),
        HOLDERS[2]: source.choice([None, statements()]),
    }
    bounds = statements(everything, principal=False) if source.random() < 0.3 else None
    own = statements(everything, principal=False) if source.random() < 0.5 else [everything]
    return Situation(own, bounds, policies, source.choice([None, None, KEY]))


# what AWS documents


def worlds(call: KernelCall, *, through_s3: bool = False) -> Iterator[tuple[str, Context]]:
    """Yield the resource and the context of every request that a call stands for."""
    known: Context = {
        "aws:principalarn": (ROLE,),
        "aws:principalaccount": (ACCOUNT,),
        "aws:principaltype": ("AssumedRole",),
        "aws:principalisawsservice": ("false",),
        "aws:userid": (f"{UNIQUE_ID}:GlueJobRunnerSession",),
        "aws:resourceaccount": (ACCOUNT,),
        "aws:principaltag/team": ("data",),
    }
    direct: Context = {"aws:viaawsservice": ("false",), "aws:securetransport": ("true",)}
    forwarded: Context = {"aws:viaawsservice": ("true",), "kms:viaservice": ("s3.eu-west-1.amazonaws.com",)}
    resources, more = [call.resource], [direct]
    if call.action == "s3:ListBucket":
        more = [{**direct, "s3:prefix": (each,)} for each in ("curated", "curated/", "curated/people/", "raw/", "raw")]
    elif call.action == "s3:GetObject" and call.resource.endswith("/example"):
        resources = [call.resource, f"{call.resource[:-7]}people/a"]
    elif call.resource.endswith("/sales/example"):
        resources = [call.resource, f"{call.resource[:-7]}orders"]
    if call.action.startswith("kms:"):
        known["kms:calleraccount"] = (ACCOUNT,)
        by_s3 = [
            {**forwarded, **secure, "kms:encryptioncontext:aws:s3:arn": (context,)}
            for secure in ({}, {"aws:securetransport": ("true",)}, {"aws:securetransport": ("false",)})
            for context in (f"{DATA}/curated/a", DATA)
        ]
        more = by_s3 if through_s3 else [direct, *by_s3]
    networks: list[Context] = [
        {**({"aws:sourcevpce": (vpce,)} if vpce else {}), **({"aws:principalorgid": (org,)} if org else {})}
        for vpce, org in product(("", "vpce-1", "vpce-3"), ("", "o-1", "o-2"))
    ]
    for resource, context, network in product(resources, more, networks):
        yield resource, {**known, **context, **network}


def matches(statements: Iterable[Document], effect: str, request: evaluator.Request) -> list[Document]:
    """Return the statements that apply, whoever calls."""
    found = []
    for each in statements:
        whoever = {key: value for key, value in each.items() if key not in ("Principal", "NotPrincipal")}
        if each["Effect"] == effect and evaluator.applies(whoever, request):
            found.append(each)
    return found


def is_denied_to_session(statement: Document, bounded: bool) -> bool:
    """Return whether a Deny is about the session.

    NotPrincipal spares a session that it names with its role and its account, and no role with a boundary.
    """
    if "NotPrincipal" in statement:
        named = set(evaluator.entries(statement["NotPrincipal"]))
        spared = {f"AWS:{SESSION}", f"AWS:{ROLE}"} <= named and bool({f"AWS:{ACCOUNT}", f"AWS:{ROOT}"} & named)
        return bounded or not spared
    return bool(set(evaluator.entries(statement["Principal"])) & {*DIRECT, *OF_ACCOUNT})


ROOT = f"arn:aws:iam::{ACCOUNT}:root"
DIRECT = {"*", f"AWS:{ROLE}", f"AWS:{UNIQUE_ID}", f"AWS:{SESSION}"}
OF_ACCOUNT = {f"AWS:{ACCOUNT}", f"AWS:{ROOT}"}


def is_allowed(situation: Situation, action: str, resource: str, context: Context) -> bool:
    """Return AWS's answer to one request in the account of role and resource."""
    request = evaluator.Request(action, resource, context=context)
    holder = next(
        each for each, service in zip(HOLDERS, ("s3", "kms", "glue"), strict=True) if action.startswith(service)
    )
    theirs = situation.policies[holder] or []
    bounded = situation.bounds is not None
    if matches([*situation.own, *(situation.bounds or ())], "Deny", request):
        return False
    if any(is_denied_to_session(each, bounded) for each in matches(theirs, "Deny", request)):
        return False
    named = {
        entry for each in matches(theirs, "Allow", request) for entry in evaluator.entries(each.get("Principal", {}))
    }
    within = situation.bounds is None or bool(matches(situation.bounds, "Allow", request))
    # no boundary holds a session that is named itself; for "*", AWS documents that with aws:PrincipalArn alone
    if named & {"*", f"AWS:{SESSION}"}:
        return True
    if named & DIRECT:
        return within
    if not (within and matches(situation.own, "Allow", request)):
        return False
    return holder.kind != "key" or bool(named & OF_ACCOUNT)


def answers(situation: Situation, call: KernelCall) -> set[bool]:
    """Return AWS's answers to the requests that a call stands for."""
    found = {is_allowed(situation, call.action, *world) for world in worlds(call)}
    if call.action == "s3:GetObject" and situation.key and True in found:
        decrypt = replace(call, action="kms:Decrypt", resource=KEY)
        by_key = {is_allowed(situation, "kms:Decrypt", *world) for world in worlds(decrypt, through_s3=True)}
        found = {one and other for one in found for other in by_key}
    return found


# what verify says


class _Said:
    def __init__(self, situation: Situation) -> None:
        self._situation = situation

    def policy(self, holder: Holder) -> ResourcePolicy:
        found = self._situation.policies[holder]
        return None if found is None else resource_policy(document(found))

    def default_key(self, bucket: str) -> str | Unread | None:
        assert bucket == "data"
        return self._situation.key


def document(statements: list[Document]) -> Document:
    return {"Version": "2012-10-17", "Statement": statements}


def team(situation: Situation) -> Role:
    bounds = {} if situation.bounds is None else {"arn:aws:iam::111122223333:policy/b": document(situation.bounds)}
    return replace(
        role(None, managed=False, boundary=bounds, tags={"team": "data"}),
        inline_policies={"own": document(situation.own)},
        unique_id=UNIQUE_ID,
    )


USED = ("s3:ListBucket", "s3:GetObject", "kms:Decrypt", "glue:GetTable")


def check(situations: int, seed: int) -> tuple[list[str], Counter[str]]:
    """Return what is wrong, and how often each verdict was given, and given where all answers are alike."""
    source, wrong, counts = random.Random(seed), list[str](), Counter[str]()
    for _ in range(situations):
        found = situation(source)
        of = team(found)
        policies, limits = role_policies(of), boundary(of)
        for call, request in requests(of, region="eu-west-1", access=ACCESS):
            if not call.setting or call.action not in USED:
                continue
            said = verdict(request, of, found, policies, limits)
            actual = answers(found, call)
            counts[said.value] += 1
            if said is Verdict.UNDECIDED:
                counts["undecided, all alike"] += len(actual) == 1
            elif actual != {said is Verdict.ALLOWED}:
                wrong.append(f"{call.action} on {call.resource}: {said}, and AWS answers {sorted(actual)}: {found}")
    return wrong, counts


def verdict(request: Request, of: Role, found: Situation, policies: Any, limits: Any) -> Verdict:
    return decide_with_resource(request, decide(request, policies, limits), of, _Said(found)).decision.verdict


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--situations", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    wrong, counts = check(options.situations, options.seed)
    print("\n\n".join(wrong[:20]), dict(counts), f"{len(wrong)} wrong", sep="\n")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
