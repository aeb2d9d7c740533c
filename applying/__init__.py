"""Apply plans after their checks: a saved plan, or in a pipeline a fresh one that does what was reviewed."""
