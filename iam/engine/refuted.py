"""Undecided gains that are known from elsewhere to be none."""

from collections.abc import Collection
from dataclasses import replace

from iam.engine.difference import Change, Difference, Kind, place
from iam.engine.statements import Statement, singles


def without_gains(of: Difference, policies: Collection[int]) -> Difference:
    """Return the same difference, given that some policies after allow nothing that they did not allow before.

    Only undecided changes of Allow statements are decided by that: a Deny also limits what other policies allow. A
    statement with another condition may still allow less, so that it is narrowed, undecided as before.

    Args:
        of: the difference.
        policies: positions among its policies after.
    """
    # the new statement of an altered one may be in any policy that changed
    everywhere = all(position in policies or policy in of.before for position, policy in enumerate(of.after))
    changes: list[Change] = []
    refuted: set[Statement] = set()
    for change in of.changes:
        if change.decided or change.effect == "Deny":
            changes.append(change)
        elif change.kind in (Kind.GAINED, Kind.WIDENED) and change.policy in policies:
            refuted.update(change.after, singles(change.after))
        elif change.kind is Kind.ALTERED and everywhere:
            changes.append(change._replace(kind=Kind.NARROWED))
        else:
            changes.append(change)
    return replace(
        of,
        changes=tuple(sorted(changes, key=place)),
        changed=lambda: [each for each in of.changed() if each not in refuted],
    )
