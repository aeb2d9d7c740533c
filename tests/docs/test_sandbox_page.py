"""docs/sandbox.md: its commands work in a shell."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.repository import ROOT
from tests.waiting import wait_until

PAGE = (ROOT / "docs/sandbox.md").read_text(encoding="utf-8")
(PROGRAM,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
START, USE = re.findall(r"^```shell\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.thorough
def test_its_commands_work_in_a_shell(tmp_path: Path) -> None:
    start = START.partition("#")[0]
    *use, plan, last = [line for line in USE.replace("/tmp/aws", str(tmp_path)).splitlines() if line]
    assert (plan, last) == ("./glue-sessions plan", "make apply")  # the end-to-end tests plan and apply
    with subprocess.Popen(start.replace("/tmp/aws", str(tmp_path)).split(), cwd=ROOT, stdout=subprocess.DEVNULL) as aws:
        try:
            wait_until((tmp_path / "environment").exists, "the sandbox is ready")
            asked = [
                "aws s3api head-bucket --bucket $TF_STATE_BUCKET",
            ]
            script = "\n".join(["set -e", *use, *asked])
            done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
        finally:
            aws.terminate()
    assert (done.returncode, done.stderr) == (0, "")
    assert "not granted: AmazonSageMaker-ExecutionRole-20240101T000001 (1 domain)" in done.stdout


@pytest.mark.thorough
def test_its_program_runs_as_it_is() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "3.5.4" in done.stdout
    assert "glue:CreateSession Allowed\n" in done.stdout
