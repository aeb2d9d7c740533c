"""Running Terraform."""
