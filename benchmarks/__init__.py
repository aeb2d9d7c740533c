"""How long things take, side by side with what a user would have instead."""
