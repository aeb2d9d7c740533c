"""Which settings a role needs in the configuration, so that nobody loses trust unsaid."""

from dataclasses import dataclass
from typing import Any

from commands.discover.findings import RoleFinding
from iam.documents import trust
from iam.documents.recipe import GLUE, GLUE_STATEMENT_SID, SAGEMAKER, trust_policy_keeping
from iam.policy_document import Document
from iam.readiness import grants


class NotWritableError(Exception):
    """A role that is left out of the configuration; the message says why and what to do."""


@dataclass(frozen=True)
class Settings:
    """A role's entry in the configuration.

    Attributes:
        arn: the role.
        ownership: who is to own its trust policy.
        kept: statements to keep word for word, as a trust policy; None where there is none to keep.
        why: what of the role's trust policy asks for this.
    """

    arn: str
    ownership: str
    kept: Document | None
    why: str

    @property
    def name(self) -> str:
        """The role's name, without its path."""
        return self.arn.rpartition("/")[2]

    def entry(self, kept_at: str | None) -> dict[str, Any]:
        """Give the entry as values; `kept_at` is the path of the kept statements."""
        if kept_at:
            return {"role": self.arn, "trust": {"keep": kept_at}}
        if self.ownership == "additive":
            return {"role": self.arn, "trust": {"ownership": "additive"}}
        return {"role": self.arn}


def settings_for(finding: RoleFinding, *, additive: bool, quota: int) -> Settings:
    """Choose a role's settings by its live trust policy.

    Args:
        finding: the role.
        additive: whether to leave a trust policy of others to them, rather than to keep their statements.
        quota: longest trust policy that the environment accepts, in characters.

    Raises:
        NotWritableError: no settings are right for it.
    """
    if finding.role is None:
        raise NotWritableError("; ".join(finding.notes))
    if finding.not_supported:
        raise NotWritableError(finding.not_supported)
    live = finding.role.trust_policy
    for place, principal in trust.deleted_principals(live):
        raise NotWritableError(
            f"its trust policy names a deleted principal, {principal} in {place}: remove it there first,"
            " IAM refuses to write it again"
        )
    others = grants.without_glue_statement(live)
    if others["Statement"] and not grants.more_than_the_recipe(others):
        return Settings(finding.arn, "authoritative", None, "trusts SageMaker alone")
    size = trust.size(trust_policy_keeping(others))
    if size > quota:
        raise NotWritableError(
            f"its trust policy would have {size} characters with Glue's own statement, and the quota is {quota}:"
            " shorten it, or set trust_policy_quota where AWS has raised the account's quota"
        )
    if additive:
        return Settings(finding.arn, "additive", None, "trusts others, who keep owning its trust policy")
    if reason := _not_keepable(others):
        return Settings(finding.arn, "additive", None, f"{reason}, so its trust policy stays with its owners")
    return Settings(finding.arn, "authoritative", others, "trusts others, whose statements are kept word for word")


def _not_keepable(document: Document) -> str | None:
    """Say why a document's statements cannot be kept beside Glue's own, None if they can."""
    if trust.trusts(document, GLUE):
        return "trusts Glue in a statement of others or under conditions"
    if any(statement.get("Sid") == GLUE_STATEMENT_SID for statement in trust.statements(document)):
        return f"has a statement of others under our Sid {GLUE_STATEMENT_SID}"
    if not trust.trusts(document, SAGEMAKER):
        return "does not trust SageMaker"
    return None
