"""A role's trust policy beside the one that this project grants."""

from iam.documents.grants import TrustGrant
from iam.documents.recipe import GLUE, SAGEMAKER, glue_statement, trust_policy
from iam.engine import sentences
from iam.engine.difference import difference
from iam.engine.statements import merged
from iam.engine.statements import trust_policy as meaning
from iam.policy_document import Document, statements


def trust_in_words(document: Document) -> list[str]:
    """Return a sentence for each statement of a trust policy."""
    policy = meaning(document)
    return [sentences.statement(each, policy.spelling, trust=True) for each in merged(policy.statements)]


def other_trusted_principals(document: Document) -> list[str]:
    """Return, sorted, whom a trust policy allows to assume the role besides SageMaker and Glue."""
    expected = {f"Service:{SAGEMAKER}", f"Service:{GLUE}"}
    others = {
        each.principal
        for each in meaning(document).effect("Allow")
        if each.principal.excluded or not expected.issuperset(each.principal.patterns)
    }
    return sorted(", ".join(sentences.who_list(each)) for each in others)


def exceeds_recipe(document: Document) -> bool:
    """Return whether the recipe's trust policy would take something away: a principal, an action, a Deny."""
    return not set(meaning(document).statements) <= set(meaning(trust_policy()).statements)


def has_own_trust(document: Document, grant: TrustGrant) -> bool:
    """Return whether a trust policy has this project's own statement, or means what the recipe's does."""
    ours = any(each.get("Sid") == grant.sid for each in statements(document))
    return ours or not difference([meaning(trust_policy())], [meaning(document)]).changes


def without_glue_statement(document: Document) -> Document:
    """Return a trust policy without the statements that mean what Glue's own does; others keep their wording."""
    glue = set(meaning({"Statement": glue_statement()}).statements)
    kept = [each for each in statements(document) if set(meaning({"Statement": each}).statements) != glue]
    return {**document, "Statement": kept}
