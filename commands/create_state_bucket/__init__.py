"""The command `create-state-bucket`."""
