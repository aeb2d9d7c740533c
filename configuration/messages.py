"""Errors of a configuration in words: where each one is, and what to change."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args, get_origin

from pydantic_core import ErrorDetails

from configuration import yaml_text
from configuration.settings import Configuration, RoleStack, Settings
from configuration.values import Section
from configuration.yaml_text import Document, Location
from iam.wording import shown, shown_key


@dataclass(frozen=True)
class ErrorLine:
    """One error of a configuration: `place` is the file and the setting in it, `message` what to change."""

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class ConfigurationError(Exception):
    """The configuration cannot be used; `errors` has everything wrong with it, ``str()`` one line for each."""

    def __init__(self, *errors: ErrorLine) -> None:
        super().__init__("\n".join(map(str, errors)))
        self.errors = errors


def place(path: Path, at: Location = ()) -> str:
    """Return the place of a setting: ``glue-sessions.yaml: environments.dev.roles[1].role``."""
    return f"{readable(path)}: {dotted(at)}" if at else readable(path)


def place_to_correct(configuration: Configuration, *settings: Location) -> str:
    """Return where a value of some settings is corrected: in the variables that it comes from, or in the file."""
    places = f"{' and '.join(map(dotted, settings))} of {readable(configuration.path.name)}"
    names = dict.fromkeys(name for at in settings for name in configuration.variables.get(at, ()))
    if not names:
        return places
    return f"{' or '.join(names)}, which {places} {'names' if len(settings) == 1 else 'name'}"


def role_setting(stack: RoleStack) -> Location:
    """Return the setting that names the role of a stack."""
    return ("environments", stack.environment_name, "roles", stack.environment.roles.index(stack.role), "role")


def readable(path: Path | str) -> str:
    """Return a path unchanged if it can be printed, in quotes otherwise."""
    return str(path) if str(path).isprintable() and str(path) else shown(str(path))


def dotted(at: Location) -> str:
    """Return a location as a path of settings: ``environments.dev.roles[1].role``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{shown_key(part)}" for part in at).removeprefix(".")


def validation_messages(errors: list[ErrorDetails], document: Document) -> Iterator[tuple[Location, str]]:
    """Yield location and message of each error that pydantic reports on a document.

    A value that is None because reading it failed is left out: the document has that error already.
    """
    unread = {at for at, _ in document.errors}
    for error in errors:
        at = error["loc"][:-1] if error["loc"][-1:] == ("[key]",) else error["loc"]
        if error["input"] is not None or at not in unread:
            yield at, _message(error, at, document)


def _message(error: ErrorDetails, at: Location, document: Document) -> str:
    written = document.written.get(at)
    got = _got(error["input"], written)
    match error["type"]:
        case "missing":
            return "supply this setting, it is missing"
        case "extra_forbidden":
            return _no_such_setting(at)
        case "string_type" if isinstance(error["input"], bool):
            return f"put quotes around {got}, without them it is a boolean"
        case "string_type" if isinstance(error["input"], int | float):
            return f"put quotes around {got}, without them it is a number and loses leading zeros"
        case "string_type":
            return f"supply text, got {got}"
        case "bool_type":
            return f"supply true or false, got {got}"
        case "int_type" | "int_from_float" | "finite_number":
            return f"supply a whole number, got {got}"
        case "greater_than_equal":
            return f"supply a whole number of at least {error['ctx']['ge']}, got {got}"
        case "literal_error":
            return f"supply {error['ctx']['expected']}, got {got}".replace("'", '"')
        case "list_type":
            return f'supply a list ("- role: ..."), got {got}'
        case "dict_type":
            return f"supply environments by name, got {got}"
        case "model_type":
            example = next(iter(_section_at(at).model_fields))
            return f'supply settings ("{example}: ..."), got {got}'
        case "too_short":
            return "supply at least one"
        case "value_error":
            return str(error["ctx"]["error"]) + _origin(written)
        case _:
            return f"supply another value, got {got}"


def _got(value: object, written: str | None) -> str:
    match value:
        case str():
            return shown(value) + _origin(written)
        case dict() | list():
            return ("a list" if isinstance(value, list) else "settings") + ("" if value else " without entries")
        case None:
            return "nothing"
        case bool():
            return json.dumps(value)
        case _:
            number = written or ""
            return number if re.fullmatch(r"[-+.\w]{1,64}", number, re.ASCII) else shown(number)


def _origin(written: str | None) -> str:
    variables = yaml_text.variables(written or "")
    return f" from {', '.join(variables)}" if variables else ""


def _no_such_setting(at: Location) -> str:
    import difflib  # 15 ms that only a misspelled setting needs

    known = list(_section_at(at[:-1]).model_fields)
    near = difflib.get_close_matches(str(at[-1]), known, n=1)
    return f"no such setting, did you mean {near[0]}?" if near else f"no such setting, known here: {', '.join(known)}"


def _section_at(at: Location) -> type[Section]:
    section: type[Section] = Settings
    parts = iter(at)
    for part in parts:
        hint = section.model_fields[str(part)].annotation
        if get_origin(hint) in (dict, list):
            next(parts)
        section = next(a for a in (hint, *get_args(hint)) if isinstance(a, type) and issubclass(a, Section))
    return section
