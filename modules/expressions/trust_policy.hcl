# Expressions over the trust policy that a role has in AWS when Terraform plans. modules/hcl.py reads this file:
# argument.NAME is filled in by a construct, expression.NAME is another expression of this file.

# ---- One statement, s

has_our_sid = (try(s.Sid, "") == argument.our_sid)

has_conditions = (length(try(s.Condition, {})) > 0)

# Glue is the statement's only principal: replacing or removing the statement affects nobody else.
names_glue_alone = (
  try(length(s.Principal), 0) == 1
  && jsonencode(flatten([try(s.Principal.Service, [])])) == jsonencode([argument.glue])
)

# The statement is ours as this project writes it, or with lists of one, which the provider takes for the same.
is_ours = (
  expression.names_glue_alone
  && jsonencode(merge(
    s,
    { Action = join(" ", flatten([try(s.Action, [])])) },
    { Principal = { Service = argument.glue } }
  )) == jsonencode(local.glue_statement)
)

# The statement allows Glue to assume the role, with or without conditions.
lets_glue_assume = (
  s.Effect == "Allow"
  && contains(flatten([try(s.Principal.Service, [])]), argument.glue)
  && expression.covers_assume_role
)

# The statement denies Glue, or everybody, the role. Conditional and NotPrincipal statements are excluded: an
# expression cannot decide them.
denies_glue = (
  s.Effect == "Deny"
  && !expression.has_conditions
  && anytrue([
    for name in flatten([try(values(s.Principal), [try(s.Principal, [])])]) : contains(["*", argument.glue], name)
  ])
  && expression.covers_assume_role
)

covers_assume_role = (
  can(s.NotAction)
  ? !anytrue([for action in flatten([try(s.NotAction, [])]) : expression.action_covers_assume_role])
  : anytrue([for action in flatten([try(s.Action, [])]) : expression.action_covers_assume_role])
)

# IAM ignores the case of actions; * and ? are its wildcards.
action_covers_assume_role = can(regex(
  "^${replace(replace(lower(action), "*", ".*"), "?", ".")}$",
  argument.assume_role_in_lower_case
))

# The statement is exactly the recipe's: Glue and SageMaker, sts:AssumeRole, nothing else.
is_the_recipes = (
  jsonencode(sort(keys(s))) == jsonencode(["Action", "Effect", "Principal"])
  && s.Effect == "Allow"
  && jsonencode(flatten([try(s.Action, [])])) == jsonencode([argument.assume_role])
  && try(length(s.Principal), 0) == 1
  && jsonencode(sort(flatten([try(s.Principal.Service, [])]))) == jsonencode(sort([argument.glue, argument.sagemaker]))
)

# ---- The role's trust policy in AWS

live_trust = jsondecode(data.aws_iam_role.live.assume_role_policy)

# As a list: IAM accepts a single statement object as well.
live_statements = flatten([local.live_trust.Statement])

statements_under_our_sid = [for s in local.live_statements : s if expression.has_our_sid]

statements_denying_glue = [for s in local.live_statements : s if expression.denies_glue]

statements_trusting_glue = [for s in local.live_statements : s if expression.lets_glue_assume]

glue_is_trusted_unconditionally = anytrue([for s in local.statements_trusting_glue : !expression.has_conditions])

# ---- The trust policy to write

# Ours is restored in place, so that no other statement moves, and appended only where Glue is not trusted yet.
additive_statements = concat(
  [
    for s in local.live_statements :
    jsondecode(
      expression.has_our_sid && !expression.is_ours ? jsonencode(local.glue_statement) : jsonencode(s)
    )
  ],
  [
    for s in [local.glue_statement] : s
    if length(local.statements_under_our_sid) == 0
    && !anytrue([for s in local.live_statements : expression.lets_glue_assume && !expression.has_conditions])
  ]
)

# Ours is removed; the recipe's statement keeps SageMaker alone.
released_statements = [
  for s in local.live_statements :
  jsondecode(
    expression.is_the_recipes
    ? jsonencode(merge(s, { Principal = { Service = argument.sagemaker } }))
    : jsonencode(s)
  )
  if !(expression.has_our_sid && expression.names_glue_alone)
]

trust_policy = jsonencode(merge(local.live_trust, { Statement = local.trust_statements }))

# Where nothing changes, the text in AWS is repeated, so that the plan shows no difference.
derived_trust_policy = local.trust_changes ? local.trust_policy : data.aws_iam_role.live.assume_role_policy

trust_changes = jsonencode(local.trust_statements) != jsonencode(local.live_statements)

# IAM shows the unique id of a deleted role or user in place of its ARN, and refuses a document that names one.
deleted_principals = [
  for name in flatten([
    for s in local.trust_statements : [
      try(flatten([s.Principal.AWS]), []),
      try(flatten([s.NotPrincipal.AWS]), [])
    ]
  ]) : name if can(regex(argument.deleted_principal, name))
]

# ---- Grants: what statements allow and deny

# One entry for each effect, action, principal and condition. Keys are compared, so actions are in lower case there;
# values are shown to people.
grants = merge([
  for statement in argument.statements : merge([
    for condition in [expression.condition_of_grants] : merge([
      for principal in expression.principals_of_grants : {
        for action in can(statement.NotAction)
        ? [for action in flatten([statement.NotAction]) : "all but ${action}"]
        : flatten([statement.Action]) :
        ("${statement.Effect} ${lower(action)} to ${principal}${condition}") =>
        "${statement.Effect} ${action} to ${principal}${condition}"...
      }
    ]...)
  ]...)
]...)

condition_of_grants = length(try(statement.Condition, {})) == 0 ? "" : " if ${jsonencode(statement.Condition)}"

principals_of_grants = try(
  flatten([
    for type, names in statement.Principal : [
      for name in flatten([names]) : type == "Service" ? name : "${type} ${name}"
    ]
  ]),
  can(statement.Principal)
  ? ["everybody (${jsonencode(statement.Principal)})"]
  : ["everybody but ${jsonencode(statement.NotPrincipal)}"]
)

# Keys as far as they matter: AWS and the provider take some forms of a principal for one.
comparable_grant = replace(
  replace(key, "/ to AWS arn:[a-z-]+:iam::([0-9]{12}):root( if .*)?$/", " to AWS $1$2"),
  "/ to AWS [*]( if .*)?$/", " to everybody (\"*\")$1"
)

lost_grants = [
  for key, texts in local.live_grants : texts[0]
  if !contains([for key in keys(local.owned_grants) : expression.comparable_grant], expression.comparable_grant)
]

grants_change = (
  jsonencode(sort(distinct([for key in keys(local.live_grants) : expression.comparable_grant])))
  != jsonencode(sort(distinct([for key in keys(local.owned_grants) : expression.comparable_grant])))
)
