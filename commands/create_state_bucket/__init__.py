"""The command `create-state-bucket`: the bucket before the first state, which Terraform cannot create."""
