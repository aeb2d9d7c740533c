"""Terraform stacks, one kind per file."""
