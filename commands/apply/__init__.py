"""The command `apply`: plan, show the plan, apply it after an approval."""
