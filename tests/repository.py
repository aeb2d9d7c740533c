"""Where this repository is, and its configuration as shipped."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

AS_SHIPPED = ROOT / "tests/expected/as-shipped/glue-sessions.yaml"
"""A copy of glue-sessions.yaml, which is somebody's own as soon as this repository is in use."""
