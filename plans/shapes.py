"""The types that the parts of a plan's JSON must have."""

from plans.values import Json


class ShapeError(Exception):
    """A part of the plan has another type than Terraform's documentation says; names the part."""


def object_of(value: Json, place: str) -> dict[str, Json]:
    """Return an object; null is an empty one. Raises ShapeError."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ShapeError(f"{place} is not an object")
    return value


def list_of(value: Json, place: str) -> list[Json]:
    """Return a list; null is an empty one. Raises ShapeError."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise ShapeError(f"{place} is not a list")
    return value


def string_of(value: Json, place: str) -> str:
    """Return a string. Raises ShapeError."""
    if not isinstance(value, str):
        raise ShapeError(f"{place} is not a string")
    return value
