"""The role's trust policy, by who owns it: the whole document, one statement of it, or nothing."""

import json

from constructs import Construct

from iam.documents.recipe import ASSUME_ROLE, GLUE, GLUE_STATEMENT_SID, SAGEMAKER, glue_statement
from iam.policy_document import DELETED_PRINCIPAL_ID, Document
from modules import hcl
from modules.execution_role import LIVE_ROLE_ARN, ROLE_ADDRESS, AdoptedRole
from modules.terraform_blocks import Assertion, TerraformBlocks

EXPRESSIONS = hcl.Expressions(
    "trust_policy.hcl",
    assume_role=hcl.quoted(ASSUME_ROLE),
    assume_role_in_lower_case=hcl.quoted(ASSUME_ROLE.lower()),
    deleted_principal=hcl.quoted(f"^{DELETED_PRINCIPAL_ID}$"),
    glue=hcl.quoted(GLUE),
    our_sid=hcl.quoted(GLUE_STATEMENT_SID),
    sagemaker=hcl.quoted(SAGEMAKER),
)

_LIVE = {name: EXPRESSIONS.reference(name) for name in ("live_trust", "live_statements")}
_TRUST_POLICY = f"The trust policy of {LIVE_ROLE_ARN}"


class AuthoritativeTrust(AdoptedRole):
    """An adopted role with exactly this trust policy; the plan warns about each grant in AWS that this removes.

    Args:
        scope: the stack, or a construct in it.
        id_: id of the construct.
        document: the trust policy.
    """

    def __init__(self, scope: Construct, id_: str, *, document: Document) -> None:
        super().__init__(
            scope,
            id_,
            trust_policy=hcl.literal(json.dumps(document)),
            trust_statements="local.owned_statements",
            trust_changes="local.trust_changes",
        )
        blocks = TerraformBlocks.of(scope)
        blocks.define(_LIVE)
        blocks.define(
            {
                "owned_statements": json.loads(hcl.literal(json.dumps(document["Statement"]))),
                "live_grants": EXPRESSIONS.reference("grants", statements="local.live_statements"),
                "owned_grants": EXPRESSIONS.reference("grants", statements="local.owned_statements"),
                "lost_grants": EXPRESSIONS.reference("lost_grants"),
                "trust_changes": EXPRESSIONS.reference("grants_change"),
            }
        )
        blocks.check(
            "trust_statements_kept",
            Assertion(
                "length(local.lost_grants) == 0",
                f"This plan removes from the trust policy of {LIVE_ROLE_ARN}:"
                ' ${join("; ", local.lost_grants)}.'
                " To keep a statement, save it in a file and name that file in trust.keep, or set trust.ownership to"
                " additive.",
            ),
        )


class _DerivedTrust(AdoptedRole):
    """An adopted role whose trust policy Terraform derives from the one in AWS."""

    def __init__(
        self, scope: Construct, id_: str, *, statements: str, quota: int, precondition: Assertion | None = None
    ) -> None:
        # AWS keeps a document with a deleted principal, or over a lowered quota: it stops the plan only if rewritten
        if_written = "!local.trust_changes ||"
        preconditions = [
            Assertion(
                f"{if_written} length(local.deleted_principals) == 0",
                f'{_TRUST_POLICY} names a deleted principal: ${{join(", ", local.deleted_principals)}}. AWS rejects a'
                " document that names one. Remove it from the role's trust policy first.",
            ),
            Assertion(
                f"{if_written} length(local.trust_policy) <= {quota}",
                f"{_TRUST_POLICY} would be ${{length(local.trust_policy)}} characters long, and the quota is {quota}."
                " Shorten its statements, or have AWS raise the quota (IAM, role trust policy length) and set"
                " trust_policy_quota.",
            ),
            Assertion(
                "length(local.trust_statements) > 0",
                f"{_TRUST_POLICY} would have no statement left, which AWS does not accept. Add another"
                " statement to it, or delete the role by hand if nobody needs it.",
            ),
        ]
        super().__init__(
            scope,
            id_,
            trust_policy=EXPRESSIONS.reference("derived_trust_policy"),
            trust_statements="local.trust_statements",
            trust_changes="local.trust_changes",
            preconditions=[precondition, *preconditions] if precondition else preconditions,
        )
        blocks = TerraformBlocks.of(scope)
        blocks.define(_LIVE)
        blocks.define({"trust_statements": EXPRESSIONS.reference(statements)})
        blocks.define(
            {name: EXPRESSIONS.reference(name) for name in ("trust_policy", "trust_changes", "deleted_principals")}
        )


class AdditiveTrust(_DerivedTrust):
    """An adopted role with Glue's own statement in its trust policy; all other statements stay as they are.

    Args:
        scope: the stack, or a construct in it.
        id_: id of the construct.
        quota: longest trust policy the account accepts, in characters.
    """

    def __init__(self, scope: Construct, id_: str, *, quota: int) -> None:
        super().__init__(
            scope,
            id_,
            statements="additive_statements",
            quota=quota,
            precondition=Assertion(
                f"alltrue([for s in local.statements_under_our_sid : {EXPRESSIONS.expression('names_glue_alone')}])",
                f"{_TRUST_POLICY} has a statement with Sid {GLUE_STATEMENT_SID} that names principals other than Glue:"
                " ${jsonencode(local.statements_under_our_sid)}. This stack would replace it. Give that statement"
                " another Sid first.",
            ),
        )
        blocks = TerraformBlocks.of(scope)
        blocks.define(
            {
                "glue_statement": glue_statement(),
                "statements_under_our_sid": EXPRESSIONS.reference("statements_under_our_sid"),
            }
        )
        _check_that_nobody_denies_glue(blocks)


class ReleasedTrust(_DerivedTrust):
    """An adopted role without the trust in Glue that this project added; all other statements stay as they are.

    Args:
        scope: the stack, or a construct in it.
        id_: id of the construct.
        quota: longest trust policy the account accepts, in characters.
    """

    def __init__(self, scope: Construct, id_: str, *, quota: int) -> None:
        super().__init__(scope, id_, statements="released_statements", quota=quota)


class ExternalTrust(Construct):
    """The trust policy of a role that another stack owns: the plan warns if it does not let Glue assume the role.

    If the stack adopted the role earlier, the plan forgets it; without that block, it would destroy it.

    Args:
        scope: the stack, or a construct in it.
        id_: id of the construct.
    """

    def __init__(self, scope: Construct, id_: str) -> None:
        blocks = TerraformBlocks.of(scope)
        blocks.forget(ROLE_ADDRESS)
        super().__init__(scope, id_)
        blocks.define(_LIVE)
        blocks.define(
            {
                "glue_statement": glue_statement(),
                "statements_trusting_glue": EXPRESSIONS.reference("statements_trusting_glue"),
            }
        )
        blocks.check(
            "glue_is_trusted",
            Assertion(
                EXPRESSIONS.expression("glue_is_trusted_unconditionally"),
                f"{_TRUST_POLICY} ${{length(local.statements_trusting_glue) == 0 ?"
                f' "does not let {GLUE} call {ASSUME_ROLE}" : "lets {GLUE} call {ASSUME_ROLE} under conditions only:'
                ' ${jsonencode(local.statements_trusting_glue)}"}. Its trust.ownership is external: ask the owner of'
                " the role to add the statement ${jsonencode(local.glue_statement)}.",
            ),
        )
        _check_that_nobody_denies_glue(blocks)


def _check_that_nobody_denies_glue(blocks: TerraformBlocks) -> None:
    # no statement of ours makes up for a Deny
    blocks.define({"statements_denying_glue": EXPRESSIONS.reference("statements_denying_glue")})
    blocks.check(
        "glue_is_not_denied",
        Assertion(
            "length(local.statements_denying_glue) == 0",
            f"{_TRUST_POLICY} denies {GLUE} {ASSUME_ROLE}, whatever else it allows:"
            ' ${join(", ", [for s in local.statements_denying_glue : jsonencode(s)])}.'
            " Ask the owner of that statement to remove it, or to except Glue from it.",
        ),
    )
