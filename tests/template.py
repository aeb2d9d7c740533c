"""Assertions on the Terraform JSON of a stack; each raises AssertionError with the nearest miss."""

import json
import shutil
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from cdktf import App, TerraformStack

ABSENT: Final = object()
"""In place of an expected value: the key must be missing."""


def app_in_memory() -> "App":
    """Return an app that writes no files, for stacks that are only inspected."""
    from cdktf import Testing  # starts the jsii runtime

    app = Testing.app()
    shutil.rmtree(app.outdir)  # for an output that is never written; CDKTF leaves it in the folder of temporary files
    return app


class Template:
    """The Terraform JSON that a stack synthesizes.

        template = Template.from_stack(stack)
        template.resource_count_is("aws_iam_role", 1)
        template.has_resource("aws_iam_role", "execution_role", {"lifecycle": {"prevent_destroy": True}})

    Expected objects are matched key by key, ignoring further keys; lists and all other values must be equal.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document

    @classmethod
    def from_stack(cls, stack: "TerraformStack") -> Self:
        """Synthesize and validate the stack."""
        from cdktf import Testing  # starts the jsii runtime

        return cls.from_json(Testing.synth(stack, True))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Parse the content of a `cdk.tf.json`."""
        return cls(json.loads(text))

    @property
    def addresses(self) -> list[str]:
        """The addresses of all resources, sorted."""
        resources = self.document.get("resource", {})
        return sorted(f"{type_}.{name}" for type_, named in resources.items() for name in named)

    def resource_count_is(self, type_: str, count: int) -> None:
        """Raise unless there are `count` resources of a type."""
        actual = sorted(self._of_type("resource", type_))
        if len(actual) != count:
            raise AssertionError(f"expected {count} of {type_}, got {len(actual)}: {', '.join(actual) or 'none'}")

    def has_resource(self, type_: str, name: str | None, properties: Mapping[str, Any]) -> Any:
        """Return the resource with these properties.

        Args:
            type_: its type.
            name: its name; None for any.
            properties: what it must have, see `Template`.

        Raises:
            AssertionError: no resource has them.
        """
        return self._matching("resource", type_, name, properties)

    def has_data_source(self, type_: str, name: str | None, properties: Mapping[str, Any]) -> Any:
        """Return the data source with these properties; see `has_resource`."""
        return self._matching("data", type_, name, properties)

    def has_block(self, path: str, expected: Any) -> Any:
        """Return the block at a path, such as `terraform.backend.s3`, or raise unless it is as expected."""
        actual: Any = self.document
        for at, key in enumerate(path.split("."), start=1):
            if not isinstance(actual, Mapping) or key not in actual:
                parent = ".".join(path.split(".")[: at - 1]) or "the document"
                keys = ", ".join(sorted(actual)) if isinstance(actual, Mapping) else f"the value {_text(actual)}"
                raise AssertionError(f"no {path}: {parent} has {keys or 'no keys'}")
            actual = actual[key]
        if differences := list(_differences(expected, actual)):
            raise AssertionError("\n".join([f"{path} is not as expected:", *differences]))
        return actual

    def has_no_block(self, *names: str) -> None:
        """Raise if one of the top-level blocks exists."""
        if present := [name for name in names if name in self.document]:
            raise AssertionError("\n".join(f"expected no {name}, got {_text(self.document[name])}" for name in present))

    def _of_type(self, kind: str, type_: str) -> Mapping[str, Any]:
        named: Mapping[str, Any] = self.document.get(kind, {}).get(type_, {})
        return named

    def _matching(self, kind: str, type_: str, name: str | None, properties: Mapping[str, Any]) -> Any:
        named = self._of_type(kind, type_)
        candidates = named if name is None else {name: named[name]} if name in named else {}
        if not candidates:
            present = [f"{type_}.{each}" for each in sorted(named)] or sorted(self.document.get(kind, {}))
            wanted = f"{type_}.{name}" if name else type_
            raise AssertionError(f"no {kind} {wanted}, only {', '.join(present) or 'none'}")
        misses = {each: list(_differences(properties, actual)) for each, actual in candidates.items()}
        nearest = min(misses, key=lambda each: len(misses[each]))
        if misses[nearest]:
            of = f"none of {len(misses)} {type_} matches, the nearest is" if len(misses) > 1 else "not as expected:"
            raise AssertionError("\n".join([f"{of} {type_}.{nearest}", *misses[nearest]]))
        return candidates[nearest]


def _differences(expected: Any, actual: Any, at: str = "") -> Iterator[str]:
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        for key, value in expected.items():
            place = f"{at}.{key}" if at else str(key)
            if value is ABSENT:
                if key in actual:
                    yield f"  {place}: expected no value, got {_text(actual[key])}"
            elif key not in actual:
                yield f"  {place}: expected {_text(value)}, got only {', '.join(map(str, actual)) or 'no keys'}"
            else:
                yield from _differences(value, actual[key], place)
    elif expected != actual or isinstance(expected, bool) != isinstance(actual, bool):
        yield f"  {at or 'value'}: expected {_text(expected)}, got {_text(actual)}"


def _text(value: Any) -> str:
    return json.dumps(value, default=lambda _: "no value")
