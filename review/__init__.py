"""What a plan means: what happens to roles, the findings of the rules, drift; as a comment, a page and JSON."""
