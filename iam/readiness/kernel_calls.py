"""The calls that the Glue PySpark kernel makes as the execution role, and the policies that decide them.

Source: PyPI aws-glue-sessions 1.0.9 and sagemaker-kernel-wrapper 0.0.6, read and observed. Actions and resources that
IAM evaluates for a call: Service Authorization Reference, "Actions, resources, and condition keys for AWS Glue".
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from iam.documents.access import Access, access_calls
from iam.documents.recipe import GLUE
from iam.engine.decision import Context, Decision, Request, Verdict
from iam.engine.statements import ANYTHING, Policy, Statement, permissions_policy
from iam.policy_document import Document
from iam.role import Role

# The kernel generates a UUID for each session; this one stands for all.
_SESSION = "session/00000000-0000-4000-8000-000000000000"

_ROLE = "role"
_ANY = "*"
_CATALOG = "catalog"


@dataclass(frozen=True)
class KernelCall:
    """A call of the kernel.

    Attributes:
        action: its IAM action.
        resource: the resource that IAM evaluates: `role`, `*`, or the last part of an ARN (`session/…`, `catalog`).
        when: when the kernel makes it.
        needed: whether notebooks fail without it. Without the others, a convenience fails; the recipe omits them.
        setting: the setting that asks for it, such as `access.buckets`; empty for what every session needs.
        by_glue: whether Spark makes it, in the session in which Glue has assumed the role.
    """

    action: str
    resource: str
    when: str
    needed: bool = True
    setting: str = ""
    by_glue: bool = False


NO_PERMISSION_NEEDED = KernelCall("sts:GetCallerIdentity", _ANY, "first cell: the session's owner tag")
"""AWS allows this call to everyone.
https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html"""

CALLS = (
    NO_PERMISSION_NEEDED,
    KernelCall("iam:GetRole", _ROLE, "first cell, where the image names no role: the role's ARN"),
    KernelCall("iam:PassRole", _ROLE, "first cell: the session runs as the role"),
    KernelCall("glue:CreateSession", _SESSION, "first cell, with the owner tag"),
    KernelCall("glue:TagResource", _SESSION, "first cell: the owner tag itself"),
    KernelCall("glue:GetSession", _SESSION, "until the session is ready, and each cell"),
    KernelCall("glue:RunStatement", _SESSION, "each cell"),
    KernelCall("glue:GetStatement", _SESSION, "each cell, until it is done"),
    KernelCall("glue:CancelStatement", _SESSION, "a cell is interrupted"),
    KernelCall("glue:StopSession", _SESSION, "%stop_session, and the kernel's end"),
    KernelCall("glue:ListSessions", _ANY, "%list_sessions"),
    KernelCall("glue:GetTags", _SESSION, "%status, to show tags", needed=False),
    *(
        KernelCall(
            "glue:GetDatabase",
            resource,
            "spark.sql(…): whether the database default exists",
            needed=False,
            by_glue=True,
        )
        for resource in (_CATALOG, "database/default")
    ),
    KernelCall("glue:GetDatabases", _CATALOG, 'spark.sql("show databases")', needed=False, by_glue=True),
)

_OF_DIRECT_CALLS = ("aws:viaawsservice", "aws:securetransport")
"""The known keys of calls that a session makes itself, and not a service in its name.
Source: IAM User Guide, "Forward access sessions"."""

ALLOW_EVERYTHING = Policy((Statement("Allow", ANYTHING, ANYTHING, ANYTHING, frozenset()),))
"""Beside a role's own policies, it leaves what they and the permissions boundary deny."""

STUDIO_TAGS: Mapping[str, tuple[str, ...]] = {
    "Studio's tag of the domain": ("sagemaker:domain-arn",),
    "Studio's tags in a space that has a tag of its own": (
        "sagemaker:domain-arn",
        "sagemaker:space-arn",
        "a tag of the space",
    ),
}
"""The keys of tags that Studio adds to those of the kernel, by their name for people.

It adds them if the role may describe its domain and its space, and list the space's tags, all of which it copies;
otherwise none. Source: sagemaker-kernel-wrapper 0.0.6, `sm_gis_wrapper` and `resource_tag`.
"""


def session_user_id(role: Role) -> str:
    """Return `aws:userid` of the role's Studio sessions, the value of the owner tag."""
    return f"{role.unique_id}:SageMaker"


def _glue_user_id(role: Role) -> str:
    """Return `aws:userid` of the role where Glue assumes it: what cells do, they do in such a session.

    Source: Lake Formation Developer Guide, "Cross-account CloudTrail logging", whose event has this session's name.
    """
    return f"{role.unique_id}:GlueJobRunnerSession"


def requests(role: Role, *, region: str, access: Access | None = None) -> Iterator[tuple[KernelCall, Request]]:
    """Yield each call that IAM evaluates, with its request.

    Args:
        role: the execution role, which is client and session role at once.
        region: where sessions run.
        access: what the role's sessions may use besides Glue; their calls on it follow the kernel's.
    """
    arn = role.arn
    user_id = session_user_id(role)
    of_principal: Context = {
        "aws:principalarn": (str(arn),),
        "aws:principalaccount": (arn.account_id,),
        "aws:principaltype": ("AssumedRole",),
        "aws:principalisawsservice": ("false",),
        "aws:userid": (user_id,),
        "aws:username": (),
        "aws:securetransport": ("true",),
        "aws:viaawsservice": ("false",),
        **{f"aws:principaltag/{key.lower()}": (value,) for key, value in role.tags.items()},
    }
    of_call: dict[str, Context] = {
        "iam:PassRole": {"iam:passedtoservice": (GLUE,)},
        "glue:CreateSession": {"aws:requesttag/owner": (user_id,), "aws:tagkeys": ("owner",)},
        "glue:TagResource": {
            "aws:requesttag/owner": (user_id,),
            "aws:resourcetag/owner": (user_id,),
            "aws:tagkeys": ("owner",),
        },
    }
    for call in CALLS:
        if call is NO_PERMISSION_NEEDED:
            continue
        glue_arn = f"arn:{arn.partition}:glue:{region}:{arn.account_id}:{call.resource}"
        resource = str(arn) if call.resource == _ROLE else "*" if call.resource == _ANY else glue_arn
        context: dict[str, tuple[str, ...]] = {
            **of_principal,
            # IAM is a global service, evaluated in its home region
            **({"aws:requestedregion": (region,)} if call.action.startswith("glue:") else {}),
            **({"aws:resourcetag/owner": (user_id,)} if call.resource == _SESSION else {}),
            # only the requests below have these keys
            "aws:requesttag/owner": (),
            "aws:tagkeys": (),
            "iam:passedtoservice": (),
            **of_call.get(call.action, {}),
        }
        if call.action == "glue:CreateSession":
            del context["aws:resourcetag/owner"]  # the session does not exist yet
        if call.by_glue:
            context["aws:userid"] = (_glue_user_id(role),)
        yield call, Request(call.action, resource, context)
    if access:
        of_cells = {**of_principal, "aws:userid": (_glue_user_id(role),)}
        # S3 asks for a key in the name of the session, Spark by itself: both happen
        of_keys = {key: values for key, values in of_cells.items() if key not in _OF_DIRECT_CALLS}
        for each in access_calls(access, partition=arn.partition, account_id=arn.account_id):
            when = f"a cell that uses what {each.setting} names"
            call = KernelCall(each.action, each.resource, when, setting=each.setting)
            known = of_keys if each.action.startswith("kms:") else of_cells
            yield call, Request(each.action, each.resource, {**known, **each.context}, each.pattern, each.ranges)


def as_studio_sends(request: Request) -> dict[str, Request]:
    """Return a request with the tags that Studio adds, by their name in `STUDIO_TAGS`; empty if it sets no tags."""
    keys = request.context.get("aws:tagkeys")
    if not keys:
        return {}
    return {
        name: replace(request, context={**request.context, "aws:tagkeys": (*keys, *added)})
        for name, added in STUDIO_TAGS.items()
    }


def decide_call(request: Request, decide: Callable[[Request], Decision]) -> Decision:
    """Return the decision on a request of the kernel, undecided where the tags that Studio adds change it.

    Args:
        request: one of `requests`.
        decide: decides on one request.
    """
    return combined(decide(request), {name: decide(each) for name, each in as_studio_sends(request).items()})


def combined(kernels: Decision, studios: Mapping[str, Decision]) -> Decision:
    """Return the decision on a request with the kernel's tags alone, undecided where one on Studio's tags differs.

    Args:
        kernels: with the kernel's tags alone.
        studios: with Studio's tags too, by their name in `STUDIO_TAGS`.
    """
    if kernels.verdict is Verdict.UNDECIDED:
        return kernels
    for name, decision in studios.items():
        if decision.verdict is Verdict.UNDECIDED:
            return decision
        if decision.verdict is not kernels.verdict:
            refusal = decision if decision.verdict is Verdict.DENIED else kernels
            return Decision(
                Verdict.UNDECIDED,
                f"{kernels.verdict} with the owner tag alone, {decision.verdict} with {name}: {refusal.reason}",
            )
    return kernels


def role_policies(role: Role) -> dict[str, Policy | None]:
    """Return the meaning of a role's policies by a name for people; None for those that could not be read."""
    inline = {"its inline policies": None} if role.inline_policies is None else _named(role.inline_policies)
    attached = (
        {"its attached policies": None}
        if role.attached_policies is None
        else _named({arn.rpartition("/")[2]: document for arn, document in role.attached_policies.items()})
    )
    return {**attached, **inline}


def boundary(role: Role) -> dict[str, Policy | None]:
    """Return the meaning of a role's permissions boundary by name, empty if it has none."""
    return {arn.rpartition("/")[2]: _parsed(document) for arn, document in role.boundary.items()}


def _named(documents: Mapping[str, Document | None]) -> dict[str, Policy | None]:
    return {f"policy {name}": _parsed(document) for name, document in documents.items()}


def _parsed(document: Document | None) -> Policy | None:
    return None if document is None else _permissions(json.dumps(document))


@lru_cache(maxsize=1024)
def _permissions(text: str) -> Policy:
    return permissions_policy(text)
