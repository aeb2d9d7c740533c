"""The command `completion`: print what a shell evaluates once; the shell then asks `completion --words` for candidates.

The candidates come from the parsers of the commands, so that nothing has to be written twice or printed again after a
change.
"""

import argparse
import importlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from commands import command_line

_DESCRIPTION = """\
Print the completion of ./glue-sessions for a shell, to be evaluated when the shell starts; CLONE is the path of the \
clone:

  - bash, in ~/.bashrc: eval "$(CLONE/glue-sessions completion bash)"
  - zsh, after compinit: eval "$(CLONE/glue-sessions completion zsh)"
  - fish, in config.fish: CLONE/glue-sessions completion fish | source
"""

_EPILOG = "Exit status: 0 success."

_PROGRAM = Path(__file__).resolve().parents[2] / "glue-sessions"

_SCRIPTS = {
    "bash": """\
_glue_sessions() {
    local IFS=$'\\n'
    COMPREPLY=($("PROGRAM" completion --words "${COMP_WORDS[@]:1:COMP_CWORD}" 2> /dev/null))
}
complete -o default -F _glue_sessions glue-sessions
""",
    "zsh": """\
_glue_sessions() {
    local -a candidates
    candidates=("${(@f)$("PROGRAM" completion --words "${(@)words[2,CURRENT]}" 2> /dev/null)}")
    if [[ -n "$candidates" ]]; then compadd -a candidates; else _files; fi
}
compdef _glue_sessions glue-sessions
""",
    "fish": """\
function __glue_sessions
    "PROGRAM" completion --words (commandline --tokenize --cut-at-cursor)[2..] (commandline --current-token)
end
complete --command glue-sessions --arguments "(__glue_sessions)"
""",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a shell's completion, or the candidates for the last of the words; return 0."""
    options = parser().parse_args(arguments)
    if options.words is not None:
        print("\n".join(candidates(options.words)))
    elif options.shell:
        print(_SCRIPTS[options.shell].replace("PROGRAM", _quoted(str(_PROGRAM))), end="")
    else:
        parser().print_help()
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    result = command_line.parser("completion", _DESCRIPTION, _EPILOG)
    result.add_argument("shell", nargs="?", choices=_SCRIPTS, help="the shell")
    result.add_argument("--words", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return result


def candidates(words: Sequence[str]) -> list[str]:
    """Return what may stand in place of the last word of a command line, without the program's name.

    Args:
        words: at least one; the last one is incomplete, and may be empty.
    """
    from commands.__main__ import COMMANDS, module

    *before, last = [word for word in words if word != "="] or [""]
    if words[-1:] == ["="]:  # bash splits --format=json into three words
        before, last = [*before, last], ""
    name = before[0] if before else None
    if name is None:
        return [each for each in (*COMMANDS, "--help", "--version") if each.startswith(last)]
    if name not in COMMANDS:
        return []
    own = importlib.import_module("sandbox.__main__" if name == "sandbox" else module(name)).parser()
    return [each for each in _of(own, before[1:]) if each.startswith(last)]


def _of(parser: argparse.ArgumentParser, before: Sequence[str]) -> Iterator[str]:
    """Yield the candidates for the word after `before`; nothing where a file or free text is expected."""
    actions = [each for each in parser._actions if each.help != argparse.SUPPRESS]
    for action in actions:
        if isinstance(action, argparse._SubParsersAction):
            for position, word in enumerate(before):
                if word in action.choices:
                    yield from _of(action.choices[word], before[position + 1 :])
                    return
    previous = next((each for each in actions if before and before[-1] in each.option_strings), None)
    if previous is not None and previous.nargs != 0:
        yield from _values(previous)
        return
    for action in actions:
        yield from action.option_strings if action.option_strings else _values(action)


def _values(action: argparse.Action) -> Iterator[str]:
    if action.choices is not None:
        yield from map(str, action.choices)
    elif action.metavar == "STACK":
        yield from _stacks()


def _stacks() -> list[str]:
    """Return the names of the configured stacks, none if the configuration is wrong."""
    from configuration import ConfigurationError, configuration_path, load

    try:
        return [stack.name for stack in load(configuration_path(os.environ), os.environ).role_stacks]
    except ConfigurationError:
        return []


def _quoted(text: str) -> str:
    """Return text for a double-quoted string, which the three shells read alike."""
    return "".join(f"\\{each}" if each in '\\"$`' else each for each in text)


if __name__ == "__main__":
    command_line.run(main)
