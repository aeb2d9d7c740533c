"""What a stack makes of a role's trust policy: all of it, one statement of it, or nothing."""

import json
from dataclasses import dataclass, field
from typing import Any

from iam.documents.recipe import ASSUME_ROLE, GLUE, GLUE_STATEMENT_SID, SAGEMAKER, glue_statement
from iam.policy_document import Document
from modules import trust_expressions as trust
from modules.terraform_blocks import Assertion


@dataclass(frozen=True)
class OwnedTrust:
    """The trust policy a stack writes to an adopted role.

    Attributes:
        document: value of `assume_role_policy`: JSON text, or a reference to the expression that makes it.
        locals: what the expressions refer to.
        preconditions: what must hold for AWS to accept the document.
        checks: what a reviewer must be told, by name of the check.
    """

    document: str
    locals: dict[str, Any]
    preconditions: list[Assertion] = field(default_factory=list)
    checks: dict[str, Assertion] = field(default_factory=dict)


_LIVE = {
    "live_trust": trust.reference(trust.LIVE_TRUST),
    "live_statements": trust.reference(trust.statements("local.live_trust")),
}


def authoritative(document: Document) -> OwnedTrust:
    """Exactly this document; the plan names every live statement that it takes away.

    Args:
        document: the whole trust policy.
    """
    return OwnedTrust(
        document=trust.literal(json.dumps(document)),
        locals={
            **_LIVE,
            "owned_statements": json.loads(trust.literal(json.dumps(document["Statement"]))),
            "live_grants": trust.reference(trust.grants("local.live_statements")),
            "owned_grants": trust.reference(trust.grants("local.owned_statements")),
            "lost_grants": trust.reference(
                "[for key, texts in local.live_grants : texts[0] if !contains(keys(local.owned_grants), key)]"
            ),
        },
        checks={
            "trust_statements_kept": Assertion(
                "length(local.lost_grants) == 0",
                "This plan takes away from the trust policy of ${data.aws_iam_role.live.arn}:"
                ' ${join("; ", local.lost_grants)}.'
                " To keep a statement, save it in a file and name that under trust.keep, or set trust.ownership to"
                " additive.",
            )
        },
    )


def additive(*, quota: int) -> OwnedTrust:
    """The live trust policy with Glue's own statement in it, everything else left to its owners.

    Args:
        quota: longest trust policy the account accepts, in characters.
    """
    put_right = f"jsondecode({trust.has_our_sid('s')} ? jsonencode(local.glue_statement) : jsonencode(s))"
    trusting = f"{trust.lets_glue_assume('s')} && !{trust.has_conditions('s')}"
    missing = f"length(local.statements_under_our_sid) == 0 && !anytrue([for s in local.live_statements : {trusting}])"
    return _from_live(
        # in place, so that nobody else's statement moves; appended only where Glue is not trusted anyhow
        statements=f"concat([for s in local.live_statements : {put_right}],"
        f" [for s in [local.glue_statement] : s if {missing}])",
        locals_={
            "glue_statement": glue_statement(),
            "statements_under_our_sid": trust.reference(
                f"[for s in local.live_statements : s if {trust.has_our_sid('s')}]"
            ),
        },
        quota=quota,
        preconditions=[
            Assertion(
                f"alltrue([for s in local.statements_under_our_sid : {trust.names_glue_alone('s')}])",
                f"The trust policy of ${{data.aws_iam_role.live.arn}} has a statement with Sid {GLUE_STATEMENT_SID}"
                " that names others than Glue: ${jsonencode(local.statements_under_our_sid)}. This stack would replace"
                " it. Give that statement another Sid first.",
            )
        ],
    )


def released(*, quota: int) -> OwnedTrust:
    """The live trust policy with Glue taken out as far as this project put it in.

    Args:
        quota: longest trust policy the account accepts, in characters.
    """
    sagemaker_alone = f"merge(s, {{Principal = {{Service = {trust.quoted(SAGEMAKER)}}}}})"
    without_glue = f"jsondecode({trust.is_the_recipes('s')} ? jsonencode({sagemaker_alone}) : jsonencode(s))"
    ours = f"{trust.has_our_sid('s')} && {trust.names_glue_alone('s')}"
    return _from_live(
        statements=f"[for s in local.live_statements : {without_glue} if !({ours})]",
        locals_={},
        quota=quota,
        preconditions=[],
    )


def external() -> tuple[dict[str, Any], dict[str, Assertion]]:
    """For a role that another stack owns: the locals and the check that say whether it trusts Glue."""
    trusting = f"[for s in local.live_statements : s if {trust.lets_glue_assume('s')}]"
    locals_ = {**_LIVE, "statements_trusting_glue": trust.reference(trusting)}
    check = Assertion(
        f"anytrue([for s in local.statements_trusting_glue : !{trust.has_conditions('s')}])",
        f"The trust policy of ${{data.aws_iam_role.live.arn}} ${{length(local.statements_trusting_glue) == 0 ?"
        f' "does not let {GLUE} call {ASSUME_ROLE}" : "lets {GLUE} call {ASSUME_ROLE} under conditions only:'
        ' ${jsonencode(local.statements_trusting_glue)}"}. Its trust.ownership is external: whoever owns the role adds'
        " the statement ${jsonencode(local.glue_statement)}.",
    )
    return {**locals_, "glue_statement": glue_statement()}, {"glue_is_trusted": check}


def denied() -> tuple[dict[str, Any], dict[str, Assertion]]:
    """For a role whose other statements are left to their owners: the locals and the check that one denies Glue."""
    check = Assertion(
        "length(local.statements_denying_glue) == 0",
        f"The trust policy of ${{data.aws_iam_role.live.arn}} denies {GLUE} {ASSUME_ROLE}, whatever else it grants:"
        ' ${join(", ", [for s in local.statements_denying_glue : jsonencode(s)])}.'
        " Whoever owns that statement takes it out, or limits it to others than Glue.",
    )
    denying = f"[for s in local.live_statements : s if {trust.denies_glue('s')}]"
    return {"statements_denying_glue": trust.reference(denying)}, {"glue_is_not_denied": check}


def _from_live(*, statements: str, locals_: dict[str, Any], quota: int, preconditions: list[Assertion]) -> OwnedTrust:
    with_statements = "jsonencode(merge(local.live_trust, {Statement = local.trust_statements}))"
    changed = "jsonencode(local.trust_statements) != jsonencode(local.live_statements)"
    # a stale id or a long document that is there already stops nobody as long as nothing is written
    if_written = "!local.trust_changes ||"
    of_role = "The trust policy of ${data.aws_iam_role.live.arn}"
    return OwnedTrust(
        document="${local.trust_changes ? local.trust_policy : data.aws_iam_role.live.assume_role_policy}",
        locals={
            **_LIVE,
            **locals_,
            "trust_statements": trust.reference(statements),
            "trust_policy": trust.reference(with_statements),
            "trust_changes": trust.reference(changed),
            "deleted_principals": trust.reference(trust.deleted_principals("local.trust_statements")),
        },
        preconditions=[
            *preconditions,
            Assertion(
                f"{if_written} length(local.deleted_principals) == 0",
                f'{of_role} names a deleted principal: ${{join(", ", local.deleted_principals)}}. AWS refuses to write'
                " it again. Remove it from the role's trust policy first.",
            ),
            Assertion(
                f"{if_written} length(local.trust_policy) <= {quota}",
                f"{of_role} would be ${{length(local.trust_policy)}} characters long, and the quota is {quota}. Shorten"
                " its statements, or have AWS raise the quota (IAM, role trust policy length) and set"
                " trust_policy_quota.",
            ),
            Assertion(
                "length(local.trust_statements) > 0",
                f"{of_role} would be left without a statement, which AWS does not accept. Give the role a statement of"
                " its own, or delete the role by hand if nobody needs it.",
            ),
        ],
    )
