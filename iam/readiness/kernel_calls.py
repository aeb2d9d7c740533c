"""What the Glue PySpark kernel asks of AWS, call by call, as the execution role.

Source: PyPI aws-glue-sessions 1.0.9 and sagemaker-kernel-wrapper 0.0.6, read and observed; which actions and resources
a call is judged on: Service Authorization Reference, "Actions, resources, and condition keys for AWS Glue".
"""

from collections.abc import Iterator
from dataclasses import dataclass

from iam.documents.recipe import GLUE
from iam.engine.decision import Context, Request
from iam.role import Role

# The kernel draws a UUID for each session; this one stands for all.
_SESSION = "session/00000000-0000-4000-8000-000000000000"

_ROLE = "role"
_ANY = "*"
_CATALOG = "catalog"


@dataclass(frozen=True)
class KernelCall:
    """A call of the kernel.

    Attributes:
        action: as IAM calls it.
        resource: what it is judged on: `role`, `session/…`, `catalog`, or `*`; the rest of the ARN goes before it.
        when: when the kernel makes it.
        needed: whether notebooks fail without it; the others cost a convenience, and the recipe does not grant them.
    """

    action: str
    resource: str
    when: str
    needed: bool = True


NO_PERMISSION_NEEDED = KernelCall("sts:GetCallerIdentity", _ANY, "first cell: the session's owner tag")
"""AWS answers this call whatever the policies say.
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
    KernelCall("glue:GetDatabases", _CATALOG, 'spark.sql("show databases")', needed=False),
)


def session_user_id(role: Role) -> str:
    """Give `aws:userid` of the role's Studio sessions, which the kernel puts into the owner tag."""
    return f"{role.unique_id}:SageMaker"


def requests(role: Role, *, region: str) -> Iterator[tuple[KernelCall, Request]]:
    """Yield each call that IAM judges, with the request it judges.

    Args:
        role: the execution role, which is client and session role at once.
        region: where sessions run.
    """
    arn = role.arn
    user_id = session_user_id(role)
    of_principal: Context = {
        "aws:principalarn": (str(arn),),
        "aws:principalaccount": (arn.account_id,),
        "aws:principaltype": ("AssumedRole",),
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
            # IAM is one for all regions, and counts as its home there
            **({"aws:requestedregion": (region,)} if call.action.startswith("glue:") else {}),
            **({"aws:resourcetag/owner": (user_id,)} if call.resource == _SESSION else {}),
            # in no request but those below
            "aws:requesttag/owner": (),
            "aws:tagkeys": (),
            "iam:passedtoservice": (),
            **of_call.get(call.action, {}),
        }
        if call.action == "glue:CreateSession":
            del context["aws:resourcetag/owner"]  # there is no session yet
        yield call, Request(call.action, resource, context)
