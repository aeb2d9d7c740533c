"""Saved plans applied after their checks."""
