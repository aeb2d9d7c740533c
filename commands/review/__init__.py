"""The command `review`: what Terraform plans mean in IAM terms, and what is dangerous about them."""
