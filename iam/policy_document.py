"""A policy document as JSON has it."""

from typing import Any

Document = dict[str, Any]
"""A policy document, or one of its statements."""
