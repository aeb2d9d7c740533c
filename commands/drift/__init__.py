"""The command `drift`: what others changed in the roles since the last apply, who is affected, what apply would do."""
