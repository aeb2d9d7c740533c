"""Trust policies as they occur in practice: the input of every test of an ownership.

They follow the AWS documentation of SageMaker's features and of IAM, and what consoles, tools and people write. IAM may
hold any of them; those in `DELETED` and `OVER_QUOTA` it would no longer accept. One file, because it is one table.
"""

import json
from typing import Any

from iam.documents.quotas import DEFAULTS
from iam.documents.recipe import GLUE, SAGEMAKER, glue_statement, trust_policy
from iam.policy_document import Document, size, statements

OURS = glue_statement()


def statement(*services: str, **more: Any) -> Document:
    """Return a trust statement; a single service is a string, several are a list."""
    principal = services[0] if len(services) == 1 else list(services)
    return {"Effect": "Allow", "Principal": {"Service": principal}, "Action": "sts:AssumeRole", **more}


def trust(*statements: Document, **more: Any) -> Document:
    """Return a trust policy."""
    return {"Version": "2012-10-17", "Statement": list(statements), **more}


def _aws(*principals: str, **more: Any) -> Document:
    named = principals[0] if len(principals) == 1 else list(principals)
    return {"Effect": "Allow", "Principal": {"AWS": named}, "Action": "sts:AssumeRole", **more}


def _federated(*providers: str, **more: Any) -> Document:
    named = providers[0] if len(providers) == 1 else list(providers)
    return {"Effect": "Allow", "Principal": {"Federated": named}, "Action": "sts:AssumeRoleWithWebIdentity", **more}


_ACCOUNT = "arn:aws:iam::111122223333"
_SOURCE_ACCOUNT = {"StringEquals": {"aws:SourceAccount": "111122223333"}}
_WITH_TAGS = ["sts:AssumeRole", "sts:TagSession"]
RECIPES = [
    statement(*services, Action=action)
    for services in ((GLUE, SAGEMAKER), (SAGEMAKER, GLUE))
    for action in ("sts:AssumeRole", ["sts:AssumeRole"])
]
SOURCE_ARN = {"ArnLike": {"aws:SourceArn": "arn:aws:sagemaker:us-west-2:111122223333:*"}}
CONSOLES = statement(SAGEMAKER)
PEOPLE = _aws(
    f"{_ACCOUNT}:role/ci",
    "444455556666",
    Sid="People",
    Action=_WITH_TAGS,
    Condition={"Bool": {"aws:MultiFactorAuthPresent": True}, "NumericLessThan": {"aws:MultiFactorAuthAge": 3600}},
)
_DATAZONE = statement(
    "datazone.amazonaws.com",
    Action=["sts:AssumeRole", "sts:TagSession", "sts:SetContext"],
    Condition={
        "StringEquals": {"aws:SourceAccount": ["111122223333"]},
        "ForAllValues:StringLike": {"aws:TagKeys": ["datazone*"]},
    },
)
_EVERYBODY_BUT = {"Effect": "Deny", "NotPrincipal": {"AWS": "111122223333"}}

# Glue is not trusted, or under conditions only: additive ownership adds its statement
UNTRUSTING: dict[str, Document] = {
    # services, as SageMaker's features want them
    "the console's": trust(CONSOLES),
    "Canvas": trust(statement(SAGEMAKER, "forecast.amazonaws.com")),
    "several services": trust(statement(SAGEMAKER, "events.amazonaws.com", "lambda.amazonaws.com")),
    "jobs": trust(CONSOLES, statement("job.sagemaker.amazonaws.com")),
    "a service in a list of one": trust({**statement(), "Principal": {"Service": [SAGEMAKER]}}),
    "MLOps": trust(
        statement(
            SAGEMAKER,
            *(
                f"{name}.amazonaws.com"
                for name in ("codebuild", "codepipeline", "cloudformation", "states", "ecs-tasks")
            ),
        )
    ),
    "EMR Serverless and Bedrock": trust(statement("emr-serverless.amazonaws.com", SAGEMAKER, "bedrock.amazonaws.com")),
    "Redshift ML": trust(statement("redshift.amazonaws.com", SAGEMAKER, "redshift-serverless.amazonaws.com")),
    "each service in a separate statement": trust(
        CONSOLES, *(statement(f"{name}.amazonaws.com") for name in ("lambda", "ec2", "firehose", "apigateway"))
    ),
    "another partition's service": trust(statement(SAGEMAKER, "ec2.amazonaws.com.cn")),
    "no SageMaker": trust(statement("lambda.amazonaws.com")),
    # actions
    "source identity": trust(statement(SAGEMAKER, Action=["sts:AssumeRole", "sts:SetSourceIdentity"])),
    "identity propagation": trust(statement(SAGEMAKER, Action=["sts:AssumeRole", "sts:SetContext"])),
    "an action in a list of one": trust(statement(SAGEMAKER, Action=["sts:AssumeRole"])),
    "an action in another case": trust(statement(SAGEMAKER, Action="STS:assumerole")),
    "every action of STS": trust(statement(SAGEMAKER, Action="sts:*")),
    "all actions but some": trust(
        CONSOLES,
        {"Effect": "Allow", "Principal": {"AWS": f"{_ACCOUNT}:root"}, "NotAction": ["sts:TagSession", "sts:Set*"]},
    ),
    "tags in a separate statement": trust(CONSOLES, statement(SAGEMAKER, Sid="Tags", Action="sts:TagSession")),
    "pods": trust(CONSOLES, statement("pods.eks.amazonaws.com", Action=_WITH_TAGS)),
    # conditions
    "confused deputy": trust(statement(SAGEMAKER, Condition=SOURCE_ARN)),
    "the source's account and ARN": trust(statement(SAGEMAKER, Condition={**_SOURCE_ACCOUNT, **SOURCE_ARN})),
    "a condition of many values": trust(
        statement(SAGEMAKER, Condition={"StringEquals": {"aws:SourceAccount": ["111122223333", "444455556666"]}})
    ),
    "DataZone": trust(CONSOLES, _DATAZONE),
    "an empty condition": trust(statement(SAGEMAKER, Condition={})),
    "roles anywhere": trust(
        CONSOLES,
        statement(
            "rolesanywhere.amazonaws.com",
            Action=[*_WITH_TAGS, "sts:SetSourceIdentity"],
            Condition={
                "StringEquals": {"aws:PrincipalTag/x509Subject/CN": "build"},
                "ArnEquals": {"aws:SourceArn": "arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/4f1a"},
            },
        ),
    ),
    # people, accounts and other roles
    "people": trust(CONSOLES, PEOPLE),
    "nobody but people": trust(PEOPLE),
    "an account by its root": trust(CONSOLES, _aws("arn:aws:iam::444455556666:root")),
    "a role, a user and a session": trust(
        CONSOLES,
        _aws(
            f"{_ACCOUNT}:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Data_0123456789abcdef",
            f"{_ACCOUNT}:user/ann",
            "arn:aws:sts::111122223333:assumed-role/ci/build-1",
        ),
    ),
    "services and people in one statement": trust(
        {**CONSOLES, "Principal": {"Service": [SAGEMAKER, "lambda.amazonaws.com"], "AWS": f"{_ACCOUNT}:role/ci"}}
    ),
    "an external id": trust(
        CONSOLES, _aws("arn:aws:iam::444455556666:root", Condition={"StringEquals": {"sts:ExternalId": "7f-ä b;c"}})
    ),
    "the organization": trust(
        CONSOLES,
        _aws(
            "*",
            Condition={
                "StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"},
                "ArnLike": {"aws:PrincipalArn": ["arn:aws:iam::*:role/ci-*", "arn:aws:iam::*:role/team/*"]},
            },
        ),
    ),
    "a part of the organization": trust(
        CONSOLES,
        {
            **_aws("*", Action=_WITH_TAGS),
            "Principal": {"AWS": ["*"]},
            "Condition": {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": ["o-a1b2c3d4e5/r-ab12/ou-ab12-*/*"]}},
        },
    ),
    "everybody under a condition": trust(
        CONSOLES,
        {**_aws("*"), "Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}},
    ),
    "for a while, from some networks": trust(
        CONSOLES,
        _aws(
            "444455556666",
            Condition={
                "DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"},
                "IpAddress": {"aws:SourceIp": ["192.0.2.0/24", "2001:db8::/32"]},
                "StringEqualsIfExists": {"aws:SourceVpc": "vpc-0123456789abcdef0"},
                "Null": {"aws:TokenIssueTime": "true"},
            },
        ),
    ),
    # federation
    "web identity": trust(
        CONSOLES,
        _federated(
            f"{_ACCOUNT}:oidc-provider/ci.example.com",
            Condition={"StringEquals": {"ci.example.com:aud": "sts.amazonaws.com"}},
        ),
    ),
    "a repository's pipeline": trust(
        CONSOLES,
        _federated(
            f"{_ACCOUNT}:oidc-provider/token.actions.githubusercontent.com",
            Condition={
                "StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"},
                "StringLike": {"token.actions.githubusercontent.com:sub": ["repo:forecasting/*:ref:refs/heads/main"]},
            },
        ),
    ),
    "a service account of a cluster": trust(
        CONSOLES,
        _federated(
            f"{_ACCOUNT}:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF",
            Condition={
                "StringEquals": {
                    "oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF:sub": "system:serviceaccount:ml:train",
                    "oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF:aud": "sts.amazonaws.com",
                }
            },
        ),
    ),
    "Cognito": trust(
        CONSOLES,
        _federated(
            "cognito-identity.amazonaws.com",
            Condition={
                "StringEquals": {"cognito-identity.amazonaws.com:aud": "eu-west-1:4f1a"},
                "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": "authenticated"},
            },
        ),
    ),
    "SAML": trust(
        CONSOLES,
        _federated(
            f"{_ACCOUNT}:saml-provider/okta",
            f"{_ACCOUNT}:saml-provider/adfs",
            Action=["sts:AssumeRoleWithSAML", "sts:TagSession"],
            Condition={
                "StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"},
                "ForAllValues:StringEquals": {"sts:TransitiveTagKeys": ["team", "cost-centre"]},
            },
        ),
    ),
    # denials
    "all but some, denied": trust(CONSOLES, {**_EVERYBODY_BUT, "NotAction": "sts:TagSession"}),
    "a denial alone beside": trust(CONSOLES, _aws("444455556666", Effect="Deny", Sid="Left")),
    "a denial first": trust({**_EVERYBODY_BUT, "Action": "sts:*"}, CONSOLES),
    "denied without a second factor": trust(
        CONSOLES,
        _aws("444455556666"),
        {
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": "sts:AssumeRole",
            "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
        },
    ),
    "Glue denied": trust(CONSOLES, statement(GLUE, Effect="Deny")),
    # how documents are written
    "a single statement": {"Version": "2012-10-17", "Statement": CONSOLES},
    "a single statement of others": {"Version": "2012-10-17", "Statement": PEOPLE},
    "version 2008": {"Version": "2008-10-17", "Statement": [statement(SAGEMAKER, Sid="")]},
    "a single statement of 2008": {"Version": "2008-10-17", "Statement": CONSOLES},
    "no version": {"Statement": [CONSOLES]},
    "an id": trust(CONSOLES, Id="trust-of-the-data-scientists"),
    "an id of 2008": {"Version": "2008-10-17", "Id": "4f1a", "Statement": [CONSOLES, PEOPLE]},
    "a Sid": trust(statement(SAGEMAKER, Sid="SageMakerAssumeRolePolicy")),
    "empty Sids": trust(statement(SAGEMAKER, Sid=""), statement("lambda.amazonaws.com", Sid="")),
    "Sids that differ in case": trust(
        statement(SAGEMAKER, Sid="studio"), statement("lambda.amazonaws.com", Sid="Studio")
    ),
    "our Sid in lower case": trust(CONSOLES, statement("lambda.amazonaws.com", Sid=OURS["Sid"].lower())),
    "the same statement twice": trust(CONSOLES, CONSOLES),
    "the same service twice": trust(statement(SAGEMAKER, SAGEMAKER)),
    "letters of other languages": trust(
        CONSOLES, _aws(f"{_ACCOUNT}:role/ci", Condition={"StringLike": {"aws:PrincipalTag/équipe": "Größe ½ ÆØÅ"}})
    ),
    "quotes and backslashes": trust(
        CONSOLES, _aws(f"{_ACCOUNT}:role/ci", Condition={"StringEquals": {"sts:ExternalId": r'a "b" \c <d> & e'}})
    ),
    "numbers and booleans": trust(
        CONSOLES,
        _aws(
            f"{_ACCOUNT}:role/ci",
            Condition={
                "NumericLessThanEquals": {"sts:DurationSeconds": [3600, 900.5]},
                "Bool": {"aws:SecureTransport": True, "aws:ViaAWSService": "false"},
            },
        ),
    ),
    "policy variables": trust(
        CONSOLES, {**PEOPLE, "Condition": {"StringLike": {"sts:RoleSessionName": "${aws:username}%{x}"}}}
    ),
    "policy variables of 2008": {
        "Version": "2008-10-17",
        "Statement": [CONSOLES, _aws("*", Condition={"StringEquals": {"sts:RoleSessionName": "${aws:userid}"}})],
    },
    # Glue, but not for a session
    "Glue under a condition only": trust(CONSOLES, statement(GLUE, Condition=SOURCE_ARN)),
    "Glue and SageMaker under a condition": trust(statement(GLUE, SAGEMAKER, Condition=_SOURCE_ACCOUNT)),
    "Lake Formation": trust(
        CONSOLES,
        statement(
            "lakeformation.amazonaws.com",
            GLUE,
            Action=["sts:AssumeRole", "sts:SetContext"],
            Condition=_SOURCE_ACCOUNT,
        ),
    ),
    "Glue for another action": trust(CONSOLES, statement(GLUE, Action="sts:TagSession")),
    "Glue for all but what it needs": trust(
        CONSOLES, {"Effect": "Allow", "Principal": {"Service": GLUE}, "NotAction": "sts:AssumeRole*"}
    ),
}

# Glue may assume the role: additive ownership leaves the document as it stands
TRUSTING: dict[str, Document] = {
    "the recipe's": trust_policy(),
    "the recipe's, the services in the other order": trust(statement(SAGEMAKER, GLUE)),
    "the recipe's with a Sid": trust(statement(GLUE, SAGEMAKER, Sid="Recipe")),
    "the recipe's as a single statement": {"Version": "2012-10-17", "Statement": statement(GLUE, SAGEMAKER)},
    "the recipe's of 2008": {
        "Version": "2008-10-17",
        "Statement": [statement(GLUE, SAGEMAKER, Action=["sts:AssumeRole"])],
    },
    "Feature Processor": trust(statement("scheduler.amazonaws.com", SAGEMAKER, GLUE)),
    "Glue alone": trust(CONSOLES, statement(GLUE)),
    "Glue and nobody else": trust(statement(GLUE)),
    "Glue in a list": trust(CONSOLES, {**statement(), "Principal": {"Service": [GLUE]}}),
    "Glue among people": trust(
        CONSOLES, {**statement(GLUE), "Principal": {"Service": GLUE, "AWS": f"{_ACCOUNT}:role/ci"}}
    ),
    "Glue with tags": trust(CONSOLES, statement(GLUE, Action=_WITH_TAGS)),
    "Glue with a source identity": trust(CONSOLES, statement(GLUE, Action=["sts:SetSourceIdentity", "sts:AssumeRole"])),
    "Glue plainly and under a condition": trust(CONSOLES, statement(GLUE, Condition=SOURCE_ARN), statement(GLUE)),
    "Glue trusted, and denied under a condition": trust(
        statement(SAGEMAKER, GLUE),
        statement(GLUE, Effect="Deny", Condition={"StringNotEquals": {"aws:SourceAccount": "111122223333"}}),
    ),
    "any case": trust(CONSOLES, statement(GLUE, Action=["STS:ASSUMEROLE"])),
    "wildcards": trust(CONSOLES, statement(GLUE, Action="sts:Assume*")),
    "wildcards of one letter": trust(CONSOLES, statement(GLUE, Action="sts:AssumeRol?")),
    "all actions of STS": trust(CONSOLES, statement(GLUE, Action="sts:*")),
    "all actions but what Glue does not need": trust(
        CONSOLES, {"Effect": "Allow", "Principal": {"Service": GLUE}, "NotAction": ["sts:TagSession", "sts:Set*"]}
    ),
    "Glue under an empty condition": trust(CONSOLES, statement(GLUE, Condition={})),
    "ours": trust(CONSOLES, OURS),
    "ours first": trust(OURS, CONSOLES),
    "ours, in lists": trust({**OURS, "Principal": {"Service": [GLUE]}, "Action": ["sts:AssumeRole"]}, CONSOLES),
    "ours, and Glue plainly as well": trust(OURS, statement(SAGEMAKER, GLUE)),
    "ours among others of 2008": {"Version": "2008-10-17", "Statement": [PEOPLE, OURS, CONSOLES]},
}
# a statement under our Sid that is Glue's alone and not as we write it: additive ownership restores it
ALTERED: dict[str, Document] = {
    name: trust(altered, CONSOLES)
    for name, altered in {
        "ours, denied": {**OURS, "Effect": "Deny"},
        "ours, under a condition": {**OURS, "Condition": SOURCE_ARN},
        "ours, for another action": {**OURS, "Action": "sts:TagSession"},
        "ours, for one more action": {**OURS, "Action": _WITH_TAGS},
    }.items()
}
# somebody else's statement under our Sid: additive ownership stops
FOREIGN: dict[str, Document] = {
    name: trust(CONSOLES, foreign)
    for name, foreign in {
        "our Sid for another service": {**OURS, "Principal": {"Service": SAGEMAKER}},
        "our Sid for several services": {**OURS, "Principal": {"Service": [GLUE, SAGEMAKER]}},
        "our Sid for people": {**OURS, "Principal": {"AWS": "111122223333"}},
        "our Sid for Glue and people": {**OURS, "Principal": {"Service": GLUE, "AWS": "111122223333"}},
        "our Sid for everybody": {**OURS, "Principal": "*", "Condition": _SOURCE_ACCOUNT},
        "our Sid for all but Glue": {
            "Sid": OURS["Sid"],
            "Effect": "Deny",
            "NotPrincipal": {"Service": GLUE},
            "Action": "sts:AssumeRole",
        },
    }.items()
}
# ids that IAM shows for a deleted role and a deleted user, and no longer accepts
DELETED_ROLE, DELETED_USER = "AROAEXAMPLEEXAMPLE123", "AIDAEXAMPLEEXAMPLE456"
DELETED: dict[str, Document] = {
    "deleted": trust(CONSOLES, _aws(DELETED_ROLE, DELETED_USER, "444455556666")),
    "deleted, one principal": trust(CONSOLES, _aws(DELETED_ROLE)),
    "deleted, denied": trust(
        CONSOLES, {"Effect": "Deny", "NotPrincipal": {"AWS": DELETED_ROLE}, "Action": "sts:AssumeRole"}
    ),
}


def _padded(to: int, *first: Document) -> Document:
    """Return a trust policy of `to` characters, as IAM counts them."""

    def padded(padding: str) -> Document:
        return trust(*first, _aws("444455556666", Condition={"StringEquals": {"sts:ExternalId": padding}}))

    return padded("x" * (to - size(padded(""))))


QUOTA = DEFAULTS.trust_policy_characters
_OURS_IN_A_LIST = size(trust(CONSOLES, OURS)) - size(trust(CONSOLES))
NEAR_QUOTA: dict[str, Document] = {"just room for ours": _padded(QUOTA - _OURS_IN_A_LIST, CONSOLES)}
# no room for our statement
OVER_QUOTA: dict[str, Document] = {
    "a character short of room for ours": _padded(QUOTA - _OURS_IN_A_LIST + 1, CONSOLES),
    "full": _padded(QUOTA, CONSOLES),
}
# what additive ownership accepts
ACCEPTED = UNTRUSTING | TRUSTING | ALTERED | NEAR_QUOTA
REFUSED = FOREIGN | DELETED | OVER_QUOTA


def released(document: Document) -> list[Document]:
    """Return the statements that a release leaves: without Glue's own, and the recipe's with SageMaker only."""
    return [_without_glue(each) for each in statements(document) if each.get("Sid") != OURS["Sid"]]


def _without_glue(each: Document) -> Document:
    return {**each, "Principal": {"Service": SAGEMAKER}} if each in RECIPES else each


def grants(document: Document) -> dict[str, str]:
    """Return a text for each effect, action, principal and condition of a trust policy.

    Texts and order are those of the check in a plan. The keys that they are sorted by have actions in lower case.
    """
    texts: dict[str, str] = {}
    for each in statements(document):
        if "Principal" not in each:
            principals = [f"everybody but {_json(each['NotPrincipal'])}"]
        elif isinstance(each["Principal"], str):
            principals = [f"everybody ({_json(each['Principal'])})"]
        else:
            principals = [
                name if kind == "Service" else f"{kind} {name}"
                for kind, names in each["Principal"].items()
                for name in ([names] if isinstance(names, str) else names)
            ]
        actions: Any = each.get("Action", each.get("NotAction"))
        negated = "all but " if "NotAction" in each else ""
        condition = f" if {_json(each['Condition'])}" if each.get("Condition") else ""
        for principal in principals:
            for action in [actions] if isinstance(actions, str) else actions:
                rest = f"to {principal}{condition}"
                key = f"{each['Effect']} {negated}{action.lower()} {rest}"
                texts.setdefault(key, f"{each['Effect']} {negated}{action} {rest}")
    return dict(sorted(texts.items()))


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    # as Terraform writes them
    return text.replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026")
