"""The command `create_state_bucket`."""
