"""A workflow run as GitHub decides it: which jobs run, with which results, and what a gate's script then says.

Source: https://docs.github.com/en/actions/reference/workflows-and-actions/expressions and its page on contexts.
"""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_STATUS = re.compile(r"\b(always|success|failure|cancelled)\(\)")
_TOKEN = re.compile(r"'[^']*'|&&|\|\||!=|==|!|[()]|[\w.-]+|\s+")
_PYTHON = {"&&": " and ", "||": " or ", "!": " not ", "!=": "!=", "==": "==", "(": "(", ")": ")"}


@dataclass
class Run:
    """A run of a workflow.

    Attributes:
        workflow: its file, parsed.
        contexts: values such as `vars.AWS_REGION`; what is missing is empty, as on GitHub.
        outcomes: how the jobs end that run; `success` without an entry.
        outputs: the outputs of jobs that succeed, such as `changes.configuration_only`.
        cancelled: whether the run was cancelled.
        results: how each job ended, once `run` was called.
    """

    workflow: Any
    contexts: Mapping[str, str]
    outcomes: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    cancelled: bool = False
    results: dict[str, str] = field(default_factory=dict)

    def run(self) -> "Run":
        """Decide about all jobs, which are in the order of their needs."""
        for name, job in self.workflow["jobs"].items():
            needs = [job["needs"]] if isinstance(job.get("needs"), str) else job.get("needs", [])
            success = all(self.results[each] == "success" for each in needs)
            runs = self._holds(job.get("if", ""), success)
            stopped = self.cancelled and "always()" not in str(job.get("if"))
            self.results[name] = ("cancelled" if stopped else self.outcomes.get(name, "success")) if runs else "skipped"
        return self

    def gate(self) -> tuple[int, str]:
        """Return the exit status and the output of the gate's script."""
        assert self.results["gate"] != "skipped"
        (step,) = self.workflow["jobs"]["gate"]["steps"]
        environment = {name: self._text(value) for name, value in step["env"].items()}
        done = subprocess.run(
            ["bash", "-e", "-c", step["run"]], env=environment, capture_output=True, text=True, check=False
        )
        assert done.stderr == ""
        return done.returncode, done.stdout

    def _holds(self, condition: str, success: bool) -> bool:
        """Return whether a job's `if` holds; without a status function, it includes `success()`."""
        expression = condition.removeprefix("${{").removesuffix("}}").strip()
        if not _STATUS.search(expression):
            if not success:
                return False
            expression = expression or "always()"
        statuses = {"always": True, "success": success, "failure": not success, "cancelled": self.cancelled}
        return bool(self._value(_STATUS.sub(lambda found: f"'{statuses[found[1]] or ''}'", expression)))

    def _text(self, value: str) -> str:
        found = re.fullmatch(r"\$\{\{(.*)\}\}", value)
        if not found:
            return value
        evaluated = self._value(found[1].strip())
        return str(evaluated).lower() if isinstance(evaluated, bool) else str(evaluated)

    def _value(self, expression: str) -> Any:
        tokens = _TOKEN.findall(expression)
        assert "".join(tokens) == expression, expression
        return eval("".join(map(self._python, tokens)), {"__builtins__": {}})

    def _python(self, token: str) -> str:
        if token.isspace() or token.startswith("'"):
            return token
        return _PYTHON.get(token) or repr(self._context(token))

    def _context(self, path: str) -> str:
        root, _, rest = path.partition(".")
        if root != "needs":
            return self.contexts.get(path, "")
        job, _, of_job = rest.partition(".")
        if of_job == "result":
            return self.results[job]
        succeeded = self.results[job] == "success"
        return self.outputs.get(f"{job}.{of_job.removeprefix('outputs.')}", "") if succeeded else ""
