"""The command `apply-plan`."""
