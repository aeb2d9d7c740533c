"""Terraform expressions: read from the HCL files in `expressions/`, and written as values of Terraform JSON."""

import json
import re
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).with_name("expressions")
_ATTRIBUTE = re.compile(r"([a-z_]+) += (.*)")
_HOLE = re.compile(r"\b(argument|expression)\.([a-z_]+)\b")


class Expressions:
    """The named expressions of an HCL file, with their holes filled in.

        trust = Expressions("trust_policy.hcl", glue=quoted("glue.amazonaws.com"))
        trust.expression("grants", statements="local.live_statements")
        trust.reference("live_statements")

    The file is a list of HCL attributes, each beginning a line. In an expression, `expression.NAME` stands for another
    one of the file, and `argument.NAME` for text that Python supplies.

    Args:
        file: name of a file in `expressions/`.
        constants: arguments of every expression; the file must use each.

    Raises:
        ValueError: a constant that the file does not use, or an expression that it has twice.
    """

    def __init__(self, file: str, **constants: str) -> None:
        self._file = file
        self._texts = _attributes((_FOLDER / file).read_text())
        self._constants = constants
        holes = {name for text in self._texts.values() for kind, name in _HOLE.findall(text) if kind == "argument"}
        self._refuse(constants.keys() - holes)

    def expression(self, name: str, **arguments: str) -> str:
        """Return an expression on one line, without `${ }`.

        Args:
            name: its name in the file.
            arguments: further arguments beside the constants; the expression must use each.

        Raises:
            ValueError: there is no such expression, or an argument is missing or not used.
        """
        used: set[str] = set()
        text = self._filled(name, {**self._constants, **arguments}, used)
        self._refuse(arguments.keys() - used, by=name)
        return text

    def reference(self, name: str, **arguments: str) -> str:
        """Return an expression as a value of Terraform JSON; see `expression`."""
        return reference(self.expression(name, **arguments))

    def _filled(self, name: str, arguments: dict[str, str], used: set[str]) -> str:
        if name not in self._texts:
            raise ValueError(f"supply an expression of {self._file}, got {name}")

        def fill(hole: re.Match[str]) -> str:
            kind, key = hole.groups()
            if kind == "expression":
                return self._filled(key, arguments, used)
            if key not in arguments:
                raise ValueError(f"supply argument {key}, which {name} in {self._file} uses")
            used.add(key)
            return arguments[key]

        return _HOLE.sub(fill, self._texts[name])

    def _refuse(self, unused: set[str], *, by: str | None = None) -> None:
        if unused:
            place = f"{by} in {self._file}" if by else self._file
            raise ValueError(f"supply arguments that {place} uses, got {', '.join(sorted(unused))}")


def _attributes(text: str) -> dict[str, str]:
    """Return the expressions by name, each on one line and without comments."""
    texts: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if begin := _ATTRIBUTE.fullmatch(line):
            name = begin[1]
            if name in texts:
                raise ValueError(f"supply each expression once, got {name} twice")
            texts[name] = begin[2]
        elif (more := line.strip()) and not more.startswith("#"):
            space = "" if texts[name][-1] in "([{" or more[0] in ")]}" else " "
            texts[name] += space + more
    return texts


def reference(expression: str) -> str:
    """Return an expression as a value of Terraform JSON."""
    return "${" + expression + "}"


def literal(text: str) -> str:
    """Return text as a value of Terraform JSON in which `${aws:userid}` and the like are no expressions."""
    return text.replace("${", "$${").replace("%{", "%%{")


def literals(value: Any) -> Any:
    """Return a value with each text in it as a literal, see `literal`."""
    match value:
        case str():
            return literal(value)
        case dict():
            return {key: literals(each) for key, each in value.items()}
        case list():
            return [literals(each) for each in value]
    return value


def template(text: str, *references: str) -> str:
    """Return text as a value of Terraform JSON in which only these references are expressions."""
    written = literal(text)
    for each in references:
        written = written.replace(literal(each), each)
    return written


def quoted(text: str) -> str:
    """Return text as a string literal, to stand in an expression."""
    return literal(json.dumps(text, ensure_ascii=False))  # HCL has no surrogates
