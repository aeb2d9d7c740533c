"""How fast this project promises to be, beside what was measured."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from benchmarks import plan, review, synth
from benchmarks.fleet import Synthesis
from benchmarks.measure import Result
from benchmarks.report import table


def targets(
    synthesis: Mapping[str, Result],
    planning: Mapping[str, Result],
    fleets: Sequence[Synthesis],
    reviews: Mapping[str, Result],
) -> str:
    """Return a table of all promises."""
    rows = [
        (what, f"{'at least' if at_least else 'at most'} {promised:g}", f"{measured:.2f}", "yes" if kept else "**no**")
        for what, at_least, promised, measured in _figures(synthesis, planning, fleets, reviews)
        for kept in [measured >= promised if at_least else measured <= promised]
    ]
    return table(("", "promised", "measured", "kept"), rows)


def _figures(
    synthesis: Mapping[str, Result],
    planning: Mapping[str, Result],
    fleets: Sequence[Synthesis],
    reviews: Mapping[str, Result],
) -> Iterator[tuple[str, bool, float, float]]:
    ours, documented = synthesis[synth.PROJECT], synthesis[synth.DOCUMENTED]
    yield "synthesis: times faster than the documented way", True, 20, documented.seconds / ours.seconds
    on_cdk_terrain = synthesis[synth.PROJECT_ON_CDK_TERRAIN].seconds
    times_faster = synthesis[synth.DOCUMENTED_CDK_TERRAIN].seconds / on_cdk_terrain
    yield "synthesis on CDK Terrain: times faster than its documented way", True, 10, times_faster
    yield "synthesis: times the floor", False, 1.1, ours.seconds / synthesis[synth.FLOOR].seconds
    yield "synthesis: memory, part of the documented way's", False, 0.25, ours.memory / documented.memory
    for before, now in pairwise(fleets):
        further = now.roles - before.roles
        upto = f"each further role up to {now.roles:,}"
        yield f"{upto}: milliseconds of synthesis", False, 4, (now.seconds - before.seconds) / further * 1000
        yield f"{upto}: KB of memory", False, 100, (now.memory - before.memory) / further / 1000
    yield f"synthesis of {fleets[-1].roles:,} roles: seconds", False, 6, fleets[-1].seconds
    ours = planning[plan.PROJECT]
    yield "cdktf plan: times plain Terraform", False, 1.5, ours.seconds / planning[plan.PLAIN].seconds
    yield "cdktf plan: part of the documented way's time", False, 0.5, ours.seconds / planning[plan.DOCUMENTED].seconds
    yield "review of one role: seconds", False, 0.5, reviews[review.ONE_ROLE].seconds
    yield "review of 5,000 resources: seconds", False, 3, reviews[review.MANY].seconds
    for name in review.HARD:
        yield f"review of {name}: seconds", False, 5, reviews[name].seconds
        yield f"review of {name}: MB of memory", False, 300, reviews[name].memory / 1_000_000
    yield "review of 5,000 resources: MB of memory", False, 300, reviews[review.MANY].memory / 1_000_000
