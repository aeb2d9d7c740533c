"""Trust policies that a configuration keeps: parsed strictly, validated as IAM would, and checked beside Glue's own."""

from collections.abc import Iterator
from dataclasses import dataclass

from iam import policy_document, validation
from iam.documents.recipe import GLUE, GLUE_STATEMENT_SID, SAGEMAKER, trust_policy_keeping
from iam.policy_document import Document

TrustPolicyError = validation.PolicyError
"""A text is not an IAM trust policy; `errors` has one line for each reason, beginning with its place."""


def parse_trust_policy(text: str) -> Document:
    """Parse a trust policy; statements, their forms and the order of keys stay as they are.

    Raises:
        TrustPolicyError: the text is not strict JSON, or IAM would refuse the document.
    """
    return validation.parse(text, validation.Kind.TRUST)


@dataclass(frozen=True)
class TrustsGlue:
    """A statement of others lets Glue assume the role."""


@dataclass(frozen=True)
class UsesSidOfGlue:
    """A statement of others has the Sid of Glue's own."""


@dataclass(frozen=True)
class LacksSageMaker:
    """No statement lets SageMaker assume the role."""


@dataclass(frozen=True)
class DeniesGlue:
    """The statement at `place` denies Glue the role, whatever else allows it."""

    place: str


@dataclass(frozen=True)
class NamesDeletedPrincipal:
    """The principal at `place` is deleted: IAM refuses to write the document again."""

    place: str
    unique_id: str


@dataclass(frozen=True)
class TooLong:
    """With Glue's own statement, the document has more characters than IAM's quota."""

    characters: int
    quota: int


NotUsable = DeniesGlue | NamesDeletedPrincipal | TooLong
"""A reason why a trust policy cannot be kept, nor extended by Glue's own statement."""

NotKeepable = TrustsGlue | UsesSidOfGlue | LacksSageMaker | NotUsable
"""A reason why a trust policy cannot be kept beside Glue's own statement."""


def reasons_not_to_keep(document: Document, quota: int) -> Iterator[NotKeepable]:
    """Yield each reason why a trust policy cannot be kept beside Glue's own statement.

    Args:
        document: the trust policy, without Glue's own statement.
        quota: most characters of a trust policy.
    """
    if policy_document.trusts(document, GLUE):
        yield TrustsGlue()
    elif any(statement.get("Sid") == GLUE_STATEMENT_SID for statement in policy_document.statements(document)):
        yield UsesSidOfGlue()
    if not policy_document.trusts(document, SAGEMAKER):
        yield LacksSageMaker()
    for place in policy_document.denials(document, GLUE):
        yield DeniesGlue(place)
    for place, unique_id in policy_document.deleted_principals(document):
        yield NamesDeletedPrincipal(place, unique_id)
    characters = policy_document.size(trust_policy_keeping(document))
    if characters > quota:
        yield TooLong(characters, quota)
