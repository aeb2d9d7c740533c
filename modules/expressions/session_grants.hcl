# Grants that an adopted role has already, to be imported, and the size of its inline policies. Through lookup(), since naming either attribute makes
# Terraform warn that it is deprecated.

attached_managed_policy = toset([
  for arn in lookup(argument.role, "managed_policy_arns") : arn if arn == argument.policy_arn
])

existing_inline_policy = toset([
  for policy in lookup(argument.role, "inline_policy") : policy.name if policy.name == argument.policy_name
])

inline_policies_size = sum([
  for document in concat(
    [for policy in lookup(argument.role, "inline_policy") : policy.policy if !contains(argument.own_policies, policy.name)],
    argument.documents
  ) : length(try(jsonencode(jsondecode(document)), document))
])
