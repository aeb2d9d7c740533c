"""Saved plans on their way through a pipeline: shown as JSON, reviewed, compared with what was merged."""

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from plans.plan import PlanError
from review.markdown import LIMIT, MARKER, markdown
from review.plan_files import review_files
from review.waivers import WaiverError
from terraform_cli.stacks import PLAN, Stack
from terraform_cli.synthesis import synthesize
from terraform_cli.terraform import Terraform, TerraformError

SHOWN = "plan.json"
"""File in a stack's folder: what terraform shows of the saved plan."""


def show(terraform: Terraform, stack: Stack) -> None:
    """Write what terraform shows of a stack's saved plan beside it: another machine can review that without terraform.

    Raises:
        TerraformError: there is no plan, or it cannot be shown.
    """
    if not (stack.folder / PLAN).is_file():
        raise TerraformError(f"there is no saved plan, run cdktf plan {stack.name} first")
    shown = terraform.run(stack.folder, "show", "-json", PLAN).or_raise()
    (stack.folder / SHOWN).write_text(shown.stdout, encoding="utf-8")


def reviewed(names: Sequence[str], folder: Path) -> tuple[int, str]:
    """Review all plans together; give the review's exit status and the comment.

    Args:
        names: of the stacks that were to be planned.
        folder: cdktf's output. A stack that has no plan there could not be planned: the status is then 2.
    """
    files = {name: folder / "stacks" / name / SHOWN for name in names}
    missing = [name for name, file in files.items() if not file.is_file()]
    planned = [str(file) for name, file in files.items() if name not in missing]
    status, text = 0, f"{MARKER}\n### ❌ IAM review: nothing was planned\n"
    if planned:
        try:
            review = review_files(planned)
            status, text = int(bool(review.failing)), markdown(review)
        except (PlanError, WaiverError) as error:
            print(error, file=sys.stderr)
            status, text = 2, f"{MARKER}\n### ❌ IAM review: the plans cannot be reviewed, see the job's log\n"
    if not missing:
        return status, text
    said = f"\n**Could not be planned**, see the jobs' logs: {', '.join(missing)}\n"
    head, _, rest = text.partition("\n")
    return 2, f"{head}\n{said}\n{rest}" if len(text) + len(said) < LIMIT else f"{head}\n{said[: LIMIT // 2]}"


def not_as_planned(stacks: Sequence[Stack]) -> list[str]:
    """Give the names of the stacks whose plans were made of another configuration than is here now.

    Args:
        stacks: as they were planned.

    Raises:
        SynthesisError: what is here cannot be synthesized.
    """
    with tempfile.TemporaryDirectory() as folder:
        synthesize(Path(folder))
        now = Path(folder, "stacks")
        return [stack.name for stack in stacks if _document(stack.folder) != _document(now / stack.name)]


def _document(folder: Path) -> Any:
    try:
        return json.loads((folder / "cdk.tf.json").read_bytes())
    except FileNotFoundError:
        return None
