"""`make pipeline-changes`: whether a pull request or push changes the configuration alone, which no test reads.

Its job has no packages installed, so it needs only git and Python's standard library.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from commands.pipeline.github import set_output

CONFIGURATION = (".review-accept.yaml", "glue-sessions*.yaml", "trust/")
"""What no test reads: patterns of files in the repository's root, and a folder."""


def main(environment: Mapping[str, str] = os.environ) -> int:
    """Print what changed and set the output `configuration_only`."""
    changed = changed_files(environment)
    code = [path for path in changed if not is_configuration(path)]
    if not changed:
        print("everything is tested: there is nothing to compare with")
    elif code:
        print("everything is tested: these are not configuration:", *code, sep="\n  ")
    else:
        print("nothing is tested: only the configuration changed:", *changed, sep="\n  ")
    set_output("configuration_only", "true" if changed and not code else "false", environment)
    return 0


def is_configuration(path: str) -> bool:
    """Return whether a path in the repository belongs to the configuration."""
    folder, slash, _ = path.partition("/")
    return any(f"{folder}/" == each if slash else fnmatchcase(path, each) for each in CONFIGURATION)


def changed_files(environment: Mapping[str, str]) -> Sequence[str]:
    """Return the paths that a pull request or a push changes; none if that cannot be determined.

    Args:
        environment: the job's; has GITHUB_EVENT_NAME, and for a push BEFORE, the commit that the branch had before.
    """
    if environment.get("GITHUB_EVENT_NAME") == "pull_request":
        # GitHub checks out the merge into main. What differs from its first parent is what the pull request brings,
        # even if main has moved since
        parents = _git("rev-parse", "HEAD^@").splitlines()
        before = parents[0] if len(parents) == 2 else ""
    else:
        # zeros for a new branch; after a forced push, the commit may be gone
        before = environment.get("BEFORE", "")
    # a renamed file is also one that is removed
    listed = _git("diff", "--name-only", "--no-renames", "-z", before, "HEAD", "--") if before else ""
    return [path for path in listed.split("\0") if path]


def _git(*arguments: str) -> str:
    """Return git's output, empty if it fails."""
    done = subprocess.run(["git", *arguments], capture_output=True, check=False)
    return "" if done.returncode else done.stdout.decode(errors="backslashreplace")


if __name__ == "__main__":
    sys.exit(main())
