"""Applies saved plans, if the roles' trust policies are still those that the plans saw."""
