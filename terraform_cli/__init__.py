"""Run Terraform: find it, initialize, run in many stacks, interrupt, show progress."""
