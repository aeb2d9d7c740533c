# The same as session_grants.hcl, through data sources that list a role's policies, from provider 6.39 on. None reads the documents of inline
# policies: the size is that of this project's alone.

attached_managed_policy = toset([
  for policy in data.aws_iam_role_policy_attachments.live.attached_policies : policy.policy_arn
  if policy.policy_arn == argument.policy_arn
])

existing_inline_policy = toset([
  for name in data.aws_iam_role_policies.live.policy_names : name if name == argument.policy_name
])

inline_policies_size = sum([
  for document in argument.documents : length(try(jsonencode(jsondecode(document)), document))
])
