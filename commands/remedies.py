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
        "what the state does not have stays: apply shows the plan, asks, imports it, and then deletes it; if others"
        " grant it now, delete the role's entry in glue-sessions.yaml instead:",
        [command("apply", *stacks)],
    )


def owner_of_trust_policy(again: str) -> Advice:
    """Return what to do about a trust policy that another stack owns; `again` is the command that checks it."""
    return Advice(f"have the stack that owns the role let {GLUE} assume it, then:", [again])
