"""Finds SageMaker domains, user profiles and spaces, and what their execution roles have of the recipe's grants."""
