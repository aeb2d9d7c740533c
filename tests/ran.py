"""What a command said that was run in the process of the tests."""

import json
from typing import Any, NamedTuple


class Ran(NamedTuple):
    """Exit status, standard output and standard error; of `--json` the object, and what it has on a role."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found

    def role(self, name: str) -> dict[str, Any]:
        # discover calls it name, verify role
        found: dict[str, Any] = next(
            each for each in self.json["roles"] if name in (each.get("name"), each.get("role"))
        )
        return found

    def verdicts(self, name: str) -> dict[str, str]:
        return {call["action"]: call["verdict"] for call in self.role(name)["calls"]}
