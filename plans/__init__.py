"""Terraform plans read into values."""
