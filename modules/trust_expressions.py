"""Terraform expressions over a role's live trust policy.

Terraform evaluates these at plan time, on the document AWS holds at that moment. Plain expressions, since the policy
document data source rewrites what it is given: `Version` 2008-10-17 becomes 2012-10-17, empty Sids go, and a single
statement object fails the plan. Expressions stand here without `${ }`, to be composed; each names the locals it needs.
"""

import json

from iam.documents.recipe import ASSUME_ROLE, GLUE, GLUE_STATEMENT_SID, SAGEMAKER

LIVE_TRUST = "jsondecode(data.aws_iam_role.live.assume_role_policy)"


def reference(expression: str) -> str:
    """The expression as a Terraform JSON value."""
    return "${" + expression + "}"


def literal(text: str) -> str:
    """The text as a Terraform JSON value in which `${aws:userid}` and the like stay what they are."""
    return text.replace("${", "$${").replace("%{", "%%{")


def quoted(text: str) -> str:
    """The text as a string inside an expression."""
    return literal(json.dumps(text))


def statements(document: str) -> str:
    """The document's statements as a list, a single statement object included."""
    return f"flatten([{document}.Statement])"


def has_our_sid(statement: str) -> str:
    """Whether the statement carries the Sid of ours."""
    return f'(try({statement}.Sid, "") == {quoted(GLUE_STATEMENT_SID)})'


def names_glue_alone(statement: str) -> str:
    """Whether Glue is the statement's only principal: nobody else loses anything when it is rewritten or dropped."""
    return (
        f"(try(length({statement}.Principal), 0) == 1"
        f" && jsonencode(flatten([try({statement}.Principal.Service, [])])) == jsonencode([{quoted(GLUE)}]))"
    )


def lets_glue_assume(statement: str) -> str:
    """Whether the statement allows Glue to assume the role, perhaps under conditions."""
    return (
        f'({statement}.Effect == "Allow"'
        f" && contains(flatten([try({statement}.Principal.Service, [])]), {quoted(GLUE)})"
        f" && {_covers_assume_role(statement)})"
    )


def denies_glue(statement: str) -> str:
    """Whether the statement denies the role to Glue, or to everybody, whatever else is granted.

    Not where it holds under conditions, or names whom it leaves out: what that means for Glue no expression tells.
    """
    named = f"flatten([try(values({statement}.Principal), [try({statement}.Principal, [])])])"
    return (
        f'({statement}.Effect == "Deny" && !{has_conditions(statement)}'
        f' && anytrue([for name in {named} : contains(["*", {quoted(GLUE)}], name)])'
        f" && {_covers_assume_role(statement)})"
    )


def _covers_assume_role(statement: str) -> str:
    return (
        f"(can({statement}.NotAction) ? !{_names_assume_role(f'{statement}.NotAction')}"
        f" : {_names_assume_role(f'{statement}.Action')})"
    )


def _names_assume_role(actions: str) -> str:
    # an action may be written in any case and with wildcards
    return (
        f"anytrue([for action in flatten([try({actions}, [])]) :"
        r' can(regex("^${replace(replace(lower(action), "*", ".*"), "?", ".")}$", '
        f"{quoted(ASSUME_ROLE.lower())}))])"
    )


def has_conditions(statement: str) -> str:
    """Whether the statement holds under conditions only."""
    return f"(length(try({statement}.Condition, {{}})) > 0)"


def is_the_recipes(statement: str) -> str:
    """Whether the statement is exactly the recipe's: Glue and SageMaker, `sts:AssumeRole`, nothing else."""
    return (
        f'(jsonencode(sort(keys({statement}))) == jsonencode(["Action", "Effect", "Principal"])'
        f' && {statement}.Effect == "Allow"'
        f" && jsonencode(flatten([try({statement}.Action, [])])) == jsonencode([{quoted(ASSUME_ROLE)}])"
        f" && try(length({statement}.Principal), 0) == 1"
        f" && jsonencode(sort(flatten([try({statement}.Principal.Service, [])])))"
        f" == jsonencode(sort([{quoted(GLUE)}, {quoted(SAGEMAKER)}])))"
    )


def grants(statements_: str) -> str:
    """What the statements say, one entry for each effect, principal, action and condition.

    A map: the key compares (actions in lower case, as IAM compares them), the value is what a person reads.
    """
    principals = (
        "try("
        "flatten([for type, names in statement.Principal : [for name in flatten([names]) :"
        ' type == "Service" ? name : "${type} ${name}"]]),'
        ' can(statement.Principal) ? ["everybody (${jsonencode(statement.Principal)})"]'
        ' : ["everybody but ${jsonencode(statement.NotPrincipal)}"])'
    )
    actions = (
        'can(statement.NotAction) ? [for action in flatten([statement.NotAction]) : "all but ${action}"]'
        " : flatten([statement.Action])"
    )
    condition = 'length(try(statement.Condition, {})) == 0 ? "" : " if ${jsonencode(statement.Condition)}"'
    text = '"${statement.Effect} ${action} to ${principal}${condition}"'
    key = '"${statement.Effect} ${lower(action)} to ${principal}${condition}"'
    return (
        f"merge([for statement in {statements_} : merge([for condition in [{condition}] :"
        f" merge([for principal in {principals} :"
        f" {{for action in {actions} : ({key}) => {text}...}}]...)]...)]...)"
    )


def deleted_principals(statements_: str) -> str:
    """Ids that AWS shows in place of the ARN of a principal which has been deleted since."""
    return (
        f"[for name in flatten([for s in {statements_} :"
        " [try(flatten([s.Principal.AWS]), []), try(flatten([s.NotPrincipal.AWS]), [])]]) :"
        ' name if can(regex("^A(ROA|IDA)[A-Z0-9]+$", name))]'
    )
