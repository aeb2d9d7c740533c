"""Says what Terraform plans mean in IAM terms: who may assume a role, what it may do, what is dangerous."""
