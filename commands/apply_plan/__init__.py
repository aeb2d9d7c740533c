"""The command `apply-plan`: exactly the saved plan, if the role is still what the plan saw."""
