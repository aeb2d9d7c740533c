"""Environment variables that change what Terraform does: refused, or passed where they belong.

Terraform reads arguments from TF_CLI_ARGS (every command) and TF_CLI_ARGS_plan (one command), the workspace from
TF_WORKSPACE, and its folder in each stack's from TF_DATA_DIR:
https://developer.hashicorp.com/terraform/cli/config/environment-variables

It needs only the standard library, as `installation` does.
"""

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

_PART = "the plan would leave out a part of the stack"

_REFUSED = {
    # flags of plan and apply: https://developer.hashicorp.com/terraform/cli/commands/plan
    "-refresh": "changes that others made would not be seen",
    "-refresh-only": "the plan would not be the one of the configuration",
    "-target": _PART,
    "-exclude": _PART,
    "-target-file": _PART,
    "-exclude-file": _PART,
    "-replace": "no plan of this project may replace a resource",
    "-destroy": "no plan of this project may delete a role",
    "-lock": "two runs could write the state at the same time",
    "-state": "it names another state",
    "-state-out": "it names another state",
    "-backup": "it names another state",
    "-generate-config-out": "it writes into the stack's folder",
    "-var": "the stacks have no variables",
    "-var-file": "the stacks have no variables",
    # flags of init: https://developer.hashicorp.com/terraform/cli/commands/init
    "-backend": "glue-sessions.yaml names the state, under state",
    "-backend-config": "glue-sessions.yaml names the state, under state",
    "-migrate-state": "it moves states",
    "-force-copy": "it moves states",
    "-from-module": "it writes into the stack's folder",
    "-chdir": "the stacks' folders are cdktf's",
}
"""Flags that would make a command's answer or a state wrong, and why."""

_TRUE_BY_DEFAULT = {"-refresh", "-lock", "-backend"}
"""Refused flags that are harmless unless they are false."""

_TRUE = {"1", "t", "T", "true", "TRUE", "True"}
"""What Terraform reads as true: https://pkg.go.dev/strconv#ParseBool"""

_OURS = {"-json", "-no-color", "-out", "-detailed-exitcode", "-input", "-auto-approve"}
"""Flags that decide how Terraform prints, asks and saves: the commands choose them, and ignore the environment's."""

_BELONGS = {
    "-compact-warnings": ("plan", "apply"),
    "-get": ("init",),
    "-lock": ("init", "plan", "apply"),
    "-lock-timeout": ("init", "plan", "apply"),
    "-lockfile": ("init",),
    "-parallelism": ("plan", "apply"),
    "-plugin-dir": ("init",),
    "-reconfigure": ("init",),
    "-refresh": ("plan",),
    "-backend": ("init",),
    "-upgrade": ("init",),
    "-concise": ("plan", "apply"),
    "-show-sensitive": ("plan", "apply"),
}
"""The commands that know a flag, for TF_CLI_ARGS, which Terraform would pass to all."""

_COMMANDS = ("init", "plan", "apply", "show")
"""The Terraform commands that this project runs in a stack's folder."""

_STANDARD_OUTPUT = {"/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}


class TerraformMissingError(Exception):
    """No usable Terraform; the message names the remedy."""


class UnusableEnvironmentError(TerraformMissingError):
    """The environment makes Terraform do something else; one line that names the variable and the remedy."""


def check_workspace(environment: Mapping[str, str]) -> None:
    """Check that TF_WORKSPACE selects no other workspace, which has other states.

    Raises:
        UnusableEnvironmentError: it does.
    """
    workspace = environment.get("TF_WORKSPACE")
    if workspace not in (None, "", "default"):
        raise UnusableEnvironmentError(
            f'TF_WORKSPACE is "{workspace}", which has other states: unset TF_WORKSPACE; each role has a state of its'
            " own, and `environments` in glue-sessions.yaml keep accounts and stages apart"
        )


def check_certificates(environment: Mapping[str, str]) -> None:
    """Check that AWS_CA_BUNDLE names a file, if it is set: the sandbox's is gone when the sandbox has ended.

    Raises:
        UnusableEnvironmentError: the file is missing.
    """
    bundle = environment.get("AWS_CA_BUNDLE")
    if bundle and not Path(bundle).exists():
        raise UnusableEnvironmentError(
            f"AWS_CA_BUNDLE is {bundle}, which is missing: is the sandbox running? Start it, and source its"
            " environment, or unset AWS_CA_BUNDLE"
        )


def arguments(environment: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the arguments to add to each Terraform command, from TF_CLI_ARGS and TF_CLI_ARGS_<command>.

    Raises:
        UnusableEnvironmentError: one of them would make the result wrong, or belongs to no command.
    """
    added: dict[str, list[str]] = {command: [] for command in _COMMANDS}
    for command in _COMMANDS:
        variable = f"TF_CLI_ARGS_{command}"
        for flag, words in _flags(variable, environment):
            if flag not in _OURS:
                added[command] += words
    for flag, words in _flags("TF_CLI_ARGS", environment):
        if flag in _OURS:
            continue
        if flag not in _BELONGS:
            raise UnusableEnvironmentError(
                f"TF_CLI_ARGS has {words[0]}, which not every Terraform command knows: name the command, as in"
                " TF_CLI_ARGS_plan"
            )
        for command in _BELONGS[flag]:
            added[command] += words
    return added


def _flags(variable: str, environment: Mapping[str, str]) -> Iterator[tuple[str, list[str]]]:
    """Yield each flag of a variable with its words. Raises UnusableEnvironmentError."""
    try:
        words = shlex.split(environment.get(variable, ""))
    except ValueError as error:
        raise UnusableEnvironmentError(f"{variable}: supply arguments as in a shell: {str(error).lower()}") from None
    flags: list[list[str]] = []
    for word in words:
        if word.startswith("-"):
            flags.append([word])
        elif flags and len(flags[-1]) == 1 and "=" not in flags[-1][0]:
            flags[-1].append(word)
        else:
            raise UnusableEnvironmentError(f'{variable} has "{word}", which is no flag: unset {variable}')
    for each in flags:
        name, _, value = each[0].partition("=")
        flag = f"-{name.lstrip('-')}"
        harmless = flag in _TRUE_BY_DEFAULT and (value or "true") in _TRUE
        if flag in _REFUSED and not harmless:
            raise UnusableEnvironmentError(f"{variable} has {' '.join(each)}: unset it, {_REFUSED[flag]}")
        yield flag, each


def without_arguments(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without TF_CLI_ARGS and its siblings."""
    return {name: value for name, value in environment.items() if not name.startswith("TF_CLI_ARGS")}


def check(environment: Mapping[str, str]) -> None:
    """Check everything that this module refuses.

    Raises:
        UnusableEnvironmentError: a variable makes Terraform do something else than the command says.
    """
    check_workspace(environment)
    check_certificates(environment)
    arguments(environment)
    if environment.get("TF_LOG_PATH") in _STANDARD_OUTPUT:
        raise UnusableEnvironmentError(
            f"TF_LOG_PATH is {environment['TF_LOG_PATH']}, where Terraform's answers are read: supply a file"
        )


def data_folder(folder: Path, environment: Mapping[str, str]) -> Path:
    """Return the folder that Terraform keeps a stack's providers and backend in: `.terraform`, or TF_DATA_DIR.

    Several stacks cannot share an absolute TF_DATA_DIR: each gets a folder in it, named as the stack's.
    """
    configured = Path(environment.get("TF_DATA_DIR") or ".terraform")
    if configured.is_absolute():
        return configured.joinpath(*folder.absolute().parts[1:])
    return folder.absolute() / configured


def for_stack(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a Terraform run in a stack's folder: no arguments, and its own data folder."""
    own = without_arguments(environment)
    if environment.get("TF_DATA_DIR"):
        own["TF_DATA_DIR"] = str(data_folder(folder, environment))
    return own


def check_selected_workspace(folder: Path, environment: Mapping[str, str]) -> None:
    """Check that `terraform workspace select` has selected no other workspace in a stack's folder.

    Raises:
        UnusableEnvironmentError: it has.
    """
    file = data_folder(folder, environment) / "environment"
    try:
        selected = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return
    if selected not in ("", "default"):
        raise UnusableEnvironmentError(
            f'the workspace "{selected}" is selected, which has another state: delete {file}'
        )
