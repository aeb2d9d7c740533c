"""This project's own grants in a plan: what the plan does to them, and which ones it leaves on the role."""
