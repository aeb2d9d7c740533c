"""`python -m benchmarks`: measure, print the tables, and put them into docs/performance.md."""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks import fleet, parts, plan, report, review, synth
from benchmarks.environments import REPOSITORY, NotInstalledError
from benchmarks.measure import FailedError
from benchmarks.targets import targets
from sandbox.launcher import SandboxError
from terraform_cli.installation import TerraformMissingError


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    arguments = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure how long this project takes, beside the alternatives. Writes docs/performance.md and its"
        " plot. Needs Linux, terraform, and a quiet machine for half an hour.",
        epilog="Exit status: 0 measured, 2 could not run.",
    )
    arguments.add_argument(
        "what",
        nargs="?",
        choices=["all", "parts"],
        default="all",
        help="parts: only what each part of fast_cdktf buys, into fast_cdktf/README.md",
    )
    arguments.add_argument(
        "--quick", action="store_true", help="one round and small fleets, printed only: to check that everything runs"
    )
    return arguments


def main() -> int:
    """Measure; return the exit status."""
    options = parser().parse_args()
    if not Path("/proc/self/smaps_rollup").exists():
        print("run this on Linux: memory is read from /proc", file=sys.stderr)
        return 2
    try:
        with tempfile.TemporaryDirectory(prefix="benchmarks-") as work:
            (measure if options.what == "all" else measure_parts)(Path(work), quick=options.quick)
    except (NotInstalledError, FailedError, TerraformMissingError, SandboxError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def measure(work: Path, *, quick: bool) -> None:
    """Measure everything; print it, and unless `quick` write the documentation."""
    machine = report.machine()
    rounds = 1 if quick else 5
    stacks = _folder(work, "synth")
    synthesis = synth.run(stacks, rounds=rounds, progress=_print)
    cold = synth.cold(stacks, progress=_print)
    planning = plan.run(_folder(work, "plan"), rounds=rounds, progress=_print)
    fleets = fleet.synthesize(
        _folder(work, "fleets"), [1, 3] if quick else [1, 10, 100, 1000], rounds=rounds, progress=_print
    )
    changes = fleet.change(_folder(work, "changes"), [1] if quick else [1, 10, 50], progress=_print)
    reviews = review.run(_folder(work, "reviews"), rounds=rounds, progress=_print)
    sections = {
        "targets": targets(synthesis, planning, fleets, reviews),
        "synthesis": report.comparison(synthesis, synth.PROJECT),
        "cold": report.comparison(cold, synth.PROJECT),
        "plan": report.comparison(planning, plan.PLAIN),
        "fleets": report.syntheses(fleets),
        "changes": report.changes(changes),
        "fleet": report.fleet_on_one_machine(200, fleets, changes),
        "review": report.comparison(reviews, review.ONE_ROLE),
        "machine": machine,
    }
    print("\n\n".join(sections.values()))
    if not quick:
        document = REPOSITORY / "docs/performance.md"
        document.write_text(report.put_into(document.read_text(), sections))
        groups = {"Synthesis of one role": synthesis, "Plan of one role": planning}
        document.with_suffix(".svg").write_text(report.plot(groups))


def measure_parts(work: Path, *, quick: bool) -> None:
    """Measure the parts of fast_cdktf; print the table, and unless `quick` write it into the README of the folder."""
    measured = parts.run(work, rounds=1 if quick else 7, progress=_print, sizes=(1, 3) if quick else parts.SIZES)
    sections = {"parts": parts.report(measured), "machine": report.machine()}
    print("\n\n".join(sections.values()))
    if not quick:
        document = REPOSITORY / "fast_cdktf/README.md"
        document.write_text(report.put_into(document.read_text(), sections))


def _folder(work: Path, name: str) -> Path:
    folder = work / name
    folder.mkdir()
    return folder


def _print(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
