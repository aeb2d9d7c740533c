"""CDKTF constructs, and the Terraform expressions that they use."""
