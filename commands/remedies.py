"""What `verify` and `drift` both advise: one sentence for one remedy."""

from commands.page import Advice, command
from iam.documents.recipe import GLUE


def keep_or_apply(*stacks: str) -> Advice:
    """Return what to do about trust that is not configured."""
    return Advice(
        "apply takes away what is not configured. To keep it in the trust policy, set trust.keep or"
        " trust.ownership: additive in glue-sessions.yaml first:",
        [command("apply", *stacks)],
    )


def grants_stay(*stacks: str) -> Advice:
    """Return what to do about grants that the state does not have."""
    return Advice(
        "the state does not have these grants: apply shows the plan, asks, imports them, and then deletes them;"
        " if others grant them now, delete the entry:",
        [command("apply", *stacks)],
    )


def owner_of_trust_policy(again: str) -> Advice:
    """Return what to do about a trust policy that another stack owns; `again` is the command that checks it."""
    return Advice(f"have the stack that owns the role let {GLUE} assume it, then:", [again])
