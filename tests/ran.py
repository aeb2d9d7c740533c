"""The result of a command that ran in the process of the tests."""

import json
from typing import Any, NamedTuple


class Ran(NamedTuple):
    """Exit status, standard output and standard error, with access to the object that `--json` prints."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.out)
        return value

    def role(self, name: str) -> dict[str, Any]:
        # the key is `name` in discover, `role` in verify
        value: dict[str, Any] = next(
            each for each in self.json["roles"] if name in (each.get("name"), each.get("role"))
        )
        return value

    def verdicts(self, name: str) -> dict[str, str]:
        return {call["action"]: call["verdict"] for call in self.role(name)["calls"]}
