"""The command `plan`: what Terraform would change, and what that means in IAM terms."""
