"""The arguments of a session, `DefaultArguments` of CreateSession: what the sandbox refuses, and what a user must know.

`interpreter.py` honors them. Source: AWS Glue developer guide, "Using job parameters in AWS Glue jobs".
"""

from collections.abc import Mapping

from sandbox import installation

HONORED = {"--additional-python-modules", "--conf", "--datalake-formats", "--extra-py-files"}
VERSION_OF_THE_KERNEL = "--glue_kernel_version"
OF_THE_KERNEL = {VERSION_OF_THE_KERNEL, "--enable-glue-datacatalog"}
"""The kernel sends these with each session."""


def table_formats(arguments: Mapping[str, str]) -> set[str]:
    """Return the table formats that the arguments name."""
    return {name.strip() for name in arguments.get("--datalake-formats", "").split(",") if name.strip()}


def refusal(arguments: Mapping[str, str]) -> str | None:
    """Return why no session can have these arguments, or None."""
    available = installation.available_formats()
    for name in sorted(table_formats(arguments) - available):
        if name not in installation.FORMATS_OF_GLUE:
            return f"--datalake-formats {name} is unknown, use {', '.join(installation.FORMATS_OF_GLUE)}"
        others = f", only those of {', '.join(available)}" if available else ""
        return f"--datalake-formats {name}: the sandbox lacks the Java libraries of {name}{others}; see docs/sandbox.md"
    return None


def notice(arguments: Mapping[str, str]) -> str:
    """Return lines for the first output of a notebook's session: its differences from Glue 5.0.

    Other programs read a statement's output, and get it alone.
    """
    if VERSION_OF_THE_KERNEL not in arguments:
        return ""
    lines = []
    if differences := installation.differences(table_formats(arguments)):
        lines.append(f"This session differs from Glue 5.0: {', '.join(differences)}.\n")
    if ignored := sorted(arguments.keys() - HONORED - OF_THE_KERNEL):
        lines.append(f"The sandbox ignores these arguments: {', '.join(ignored)}.\n")
    return "".join(lines)
