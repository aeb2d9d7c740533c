"""Where a pipeline keeps what it ran and planned, for the comment to link to."""

from collections.abc import Mapping
from typing import NamedTuple


class Links(NamedTuple):
    """Addresses of a pipeline's run; "" where there is none."""

    run: str = ""
    artifacts: str = ""
    """The plans, and the whole review as JSON."""

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Links":
        """Return the links of a job of GitHub Actions or GitLab CI; none elsewhere.

        Args:
            environment: the job's variables.
        """
        github = [environment.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID")]
        if all(github):
            run = "{}/{}/actions/runs/{}".format(*github)
            return cls(run, f"{run}#artifacts")
        if job := environment.get("CI_JOB_URL", ""):
            return cls(job, f"{job}/artifacts/browse")
        return cls()
