"""A stack's Terraform JSON, asked what it declares: every answer that is not the expected one raises."""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from cdktf import App, TerraformStack

ABSENT: Final = object()
"""In place of an expected value: the key must not be there."""


def app_in_memory() -> "App":
    """Return an app that writes no files, for stacks that are only looked at."""
    from cdktf import Testing  # starts the jsii runtime

    return Testing.app()


class Template:
    """What a stack synthesizes.

        template = Template.from_stack(stack)
        template.resource_count_is("aws_iam_role", 1)
        template.has_resource("aws_iam_role", "execution_role", {"lifecycle": {"prevent_destroy": True}})

    Expected objects are matched key by key, further keys are let pass; lists and everything else must be equal.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document

    @classmethod
    def from_stack(cls, stack: "TerraformStack") -> Self:
        """Synthesize the stack, CDKTF's own validation included."""
        from cdktf import Testing  # starts the jsii runtime

        return cls.from_json(Testing.synth(stack, True))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Take the content of a `cdk.tf.json`."""
        return cls(json.loads(text))

    @property
    def addresses(self) -> list[str]:
        """Addresses of all resources, sorted."""
        resources = self.document.get("resource", {})
        return sorted(f"{type_}.{name}" for type_, named in resources.items() for name in named)

    def resource_count_is(self, type_: str, count: int) -> None:
        """Raise unless there are `count` resources of a type."""
        found = sorted(self._of_type("resource", type_))
        if len(found) != count:
            raise AssertionError(f"expected {count} of {type_}, found {len(found)}: {', '.join(found) or 'none'}")

    def has_resource(self, type_: str, name: str | None, properties: Mapping[str, Any]) -> Any:
        """Return the resource with these properties.

        Args:
            type_: its type.
            name: its name; None: any name will do.
            properties: what it must have, see the class.
        """
        return self._matching("resource", type_, name, properties)

    def has_data_source(self, type_: str, name: str | None, properties: Mapping[str, Any]) -> Any:
        """Return the data source with these properties, as `has_resource` does."""
        return self._matching("data", type_, name, properties)

    def has_block(self, path: str, expected: Any) -> Any:
        """Return what is at a path, such as `terraform.backend.s3` or `check`, once it is as expected."""
        found: Any = self.document
        for at, key in enumerate(path.split("."), start=1):
            if not isinstance(found, Mapping) or key not in found:
                parent = ".".join(path.split(".")[: at - 1]) or "the document"
                keys = ", ".join(sorted(found)) if isinstance(found, Mapping) else f"the value {_text(found)}"
                raise AssertionError(f"no {path}: {parent} has {keys or 'no keys'}")
            found = found[key]
        if differences := list(_differences(expected, found)):
            raise AssertionError("\n".join([f"{path} is another:", *differences]))
        return found

    def has_no_block(self, *names: str) -> None:
        """Raise if one of the top-level blocks is there."""
        if there := [name for name in names if name in self.document]:
            raise AssertionError("\n".join(f"expected no {name}, found {_text(self.document[name])}" for name in there))

    def _of_type(self, kind: str, type_: str) -> Mapping[str, Any]:
        named: Mapping[str, Any] = self.document.get(kind, {}).get(type_, {})
        return named

    def _matching(self, kind: str, type_: str, name: str | None, properties: Mapping[str, Any]) -> Any:
        named = self._of_type(kind, type_)
        candidates = named if name is None else {name: named[name]} if name in named else {}
        if not candidates:
            there = sorted(self.document.get(kind, {})) if not named else [f"{type_}.{each}" for each in sorted(named)]
            wanted = f"{type_}.{name}" if name else type_
            raise AssertionError(f"no {kind} {wanted}, there is: {', '.join(there) or 'none'}")
        misses = {each: list(_differences(properties, found)) for each, found in candidates.items()}
        nearest = min(misses, key=lambda each: len(misses[each]))
        if misses[nearest]:
            of = f"none of {len(misses)} {type_} matches, the nearest is" if len(misses) > 1 else "not as expected:"
            raise AssertionError("\n".join([f"{of} {type_}.{nearest}", *misses[nearest]]))
        return candidates[nearest]


def _differences(expected: Any, found: Any, at: str = "") -> Iterator[str]:
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        for key, value in expected.items():
            place = f"{at}.{key}" if at else str(key)
            if value is ABSENT:
                if key in found:
                    yield f"  {place}: expected nothing, found {_text(found[key])}"
            elif key not in found:
                yield f"  {place}: expected {_text(value)}, there is {', '.join(map(str, found)) or 'nothing'}"
            else:
                yield from _differences(value, found[key], place)
    elif expected != found or isinstance(expected, bool) != isinstance(found, bool):
        yield f"  {at or 'value'}: expected {_text(expected)}, found {_text(found)}"


def _text(value: Any) -> str:
    return json.dumps(value, default=lambda _: "nothing")
