"""Unknown and sensitive parts of a plan's values."""

import pytest

from plans.values import UNKNOWN, Hidden, Json, Value, attributes, items, marked, name, shown


@pytest.mark.parametrize(
    ("value", "sensitive", "unknown", "expected"),
    [
        ("a", None, None, "a"),
        ("a", False, {}, "a"),
        ("a", True, None, Hidden("a")),
        (None, None, True, UNKNOWN),
        ({"a": 1, "b": 2}, {"a": True}, {"c": True}, {"a": Hidden(1), "b": 2, "c": UNKNOWN}),
        ({"a": {"b": [1, 2]}}, {"a": {"b": [False, True]}}, None, {"a": {"b": [1, Hidden(2)]}}),
        ({"a": {}}, None, {"a": {"b": {"c": True}}}, {"a": {"b": {"c": UNKNOWN}}}),
        ([None], None, [True], [UNKNOWN]),
        ([], None, [True, False], [UNKNOWN, None]),
        ("a", {"b": True}, {"b": True}, "a"),
    ],
)
def test_marks_apply_at_every_depth(value: Json, sensitive: Json, unknown: Json, expected: Value) -> None:
    assert marked(value, sensitive, unknown) == expected


def test_hidden_values_are_compared_and_never_shown() -> None:
    one, same, other = Hidden("secret"), Hidden("secret"), Hidden("another")
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert one != "secret"
    assert "secret" not in f"{one} {one!r} {shown(one)}"


def test_the_parts_of_a_hidden_value_are_hidden() -> None:
    assert items(Hidden(["a", "b"])) == [Hidden("a"), Hidden("b")]
    assert attributes(Hidden({"a": 1})) == {"a": Hidden(1)}


@pytest.mark.parametrize("value", [None, "", UNKNOWN, 7, Hidden(None), ["a"]])
def test_only_text_is_a_name(value: Value) -> None:
    assert name(value) is None
