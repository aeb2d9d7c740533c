"""What a review asks IAM Access Analyzer about a plan's documents, and what it does with the answers.

Whoever answers is passed in: `aws.access_analyzer.ask`, or a file that another job wrote. Only an answer that comes
from AWS directly decides what the engine left undecided; a file can only add findings, since whoever wrote it may have
forged it.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from iam.access_analyzer import (
    BUCKET_POLICY_TYPE,
    MOST_ISSUES,
    TRUST_POLICY_TYPE,
    Advice,
    Answers,
    Comparison,
    Issue,
    NewAccess,
    PolicyType,
    Question,
    Validation,
    as_finding,
    as_response,
    issue,
    new_access,
    shortened,
)
from iam.wording import counted
from plans.assembly import described
from plans.plan import Plan
from plans.roles import PolicyName, Role

FILE = "access-analyzer.json"
"""File name of the answers about a plan, next to its JSON."""

_MOST_BYTES = 8_000_000
"""Size of a file of answers beyond which it is not read; a document with the most issues has a few ten thousand."""

_MOST_ERRORS = 10
"""Most reasons in a file of answers that are shown."""

_BUCKET_TYPES = ("aws_s3_bucket", "aws_s3_bucket_policy")
_REPOSITORY_TYPE = "aws_ecr_repository_policy"
"""Its documents need no Resource, which ValidatePolicy's checks of any resource require."""

Ask = Callable[[Mapping[Question, str]], Answers]
"""Answers questions; each has the region to ask in, "" for the caller's own."""


class Analyzer(NamedTuple):
    """Who answers, and whether the answers may decide what the engine could not."""

    ask: Ask
    decides: bool


class Decision(NamedTuple):
    """A policy that the engine could not compare, and of which Access Analyzer says that it gains nothing."""

    plan: str
    role: Role
    policy: PolicyName


@dataclass(frozen=True, slots=True)
class Consultation:
    """What came of asking Access Analyzer in a review."""

    questions: int
    """How many documents and pairs of documents it was asked about."""
    decisions: tuple[Decision, ...] = ()
    errors: tuple[str, ...] = ()
    """Why it was not asked about everything, or did not answer; one line for each reason."""
    kept: bool = False
    """Whether another job has asked, so that none of the answers decides anything."""


def consult(
    analyzer: Analyzer, plans: Sequence[Plan], roles: Sequence[Sequence[Role]]
) -> tuple[list[list[Role]], Consultation]:
    """Return the roles of each plan with Access Analyzer's advice, and what came of asking.

    Args:
        analyzer: who answers.
        plans: the plans.
        roles: what the changes of each plan describe.
    """
    asked = questions(plans, roles)
    answers = analyzer.ask(asked) if asked else Answers()
    advised = [[_advised(role, answers, decides=analyzer.decides) for role in of_plan] for of_plan in roles]
    decisions = [
        Decision(plan.name, role, policy)
        for plan, of_plan in zip(plans, advised, strict=True)
        for role in of_plan
        for policy, advice in role.advice.items()
        if advice.gains_nothing
    ]
    return advised, Consultation(len(asked), tuple(decisions), answers.errors, kept=not analyzer.decides)


def questions(plans: Sequence[Plan], roles: Sequence[Sequence[Role]]) -> dict[Question, str]:
    """Return what to ask, each question once: about each document that a plan writes, and each pair that is undecided.

    The region is that of the first plan with the question if its provider configuration names one, and one only.
    """
    asked: dict[Question, str] = {}
    for plan, of_plan in zip(plans, roles, strict=True):
        region = plan.regions[0] if len(plan.regions) == 1 else ""
        for role in of_plan:
            for of_policy in _questions(role).values():
                for question in (of_policy.validation, of_policy.comparison):
                    if question:
                        asked.setdefault(question, region)
    return asked


class _Questions(NamedTuple):
    validation: Validation | None
    comparison: Comparison | None


def _questions(role: Role) -> dict[PolicyName, _Questions]:
    before = {role.trust_name: role.before.trust, **dict(role.before.policies())}
    found = {}
    undecided = _undecided(role)
    for name, held in ((role.trust_name, role.after.trust), *role.after.policies()):
        old = before.get(name)
        if not held.document or (old and old.document == held.document):
            continue
        is_resource = name.kind in ("trust", "resource")
        policy_type: PolicyType = "RESOURCE_POLICY" if is_resource else "IDENTITY_POLICY"
        pair = None
        if old and old.document and name in undecided:
            pair = Comparison(old.document, held.document, policy_type)
        writer = role.declared[held.address].type if held.address in role.declared else ""
        validation = Validation(held.document, policy_type, _resource_type(name, writer))
        found[name] = _Questions(None if writer == _REPOSITORY_TYPE else validation, pair)
    return found


def _resource_type(name: PolicyName, writer: str) -> str:
    if name.kind == "trust":
        return TRUST_POLICY_TYPE
    return BUCKET_POLICY_TYPE if writer in _BUCKET_TYPES else ""


def _undecided(role: Role) -> set[PolicyName]:
    """Return the policies that may allow something new, except those that certainly do: AWS need not be asked there."""
    certain: dict[PolicyName, bool] = {}
    changes = [(change, role.trust_name) for change in role.trust.changes]
    changes += [(change, role.source(change)[0]) for change in role.permissions.changes]
    for change, name in changes:
        if change.effect == "Allow" and change.broadens:
            certain[name] = certain.get(name, False) or change.decided
    return {name for name, is_certain in certain.items() if not is_certain}


def _advised(role: Role, answers: Answers, *, decides: bool) -> Role:
    """Return a role with the advice on its policies; compared again if that decides something."""
    advice: dict[PolicyName, Advice] = {}
    for name, (validation, comparison) in _questions(role).items():
        compared = answers.comparisons.get(comparison.key) if comparison else None
        issues = answers.issues.get(validation.key, ()) if validation else ()
        found = Advice(issues, compared, decides)
        if found.issues or found.new_access:
            advice[name] = found
    if any(each.gains_nothing for each in advice.values()):
        return replace(role, advice=advice)
    role.advice = advice
    return role


def write(answers: Answers, path: Path) -> None:
    """Write answers as JSON, by the keys of their questions, without the documents. Raises OSError."""
    content = {
        "validations": {key: list(map(as_finding, found)) for key, found in answers.issues.items()},
        "comparisons": {key: as_response(found) for key, found in answers.comparisons.items()},
        "errors": list(answers.errors),
    }
    path.write_text(f"{json.dumps(content, indent=1)}\n", encoding="utf-8")


def answers_to_keep(plans: Sequence[Plan], ask: Ask) -> list[Answers]:
    """Return the answers about each plan, for another job to review; each question is asked once.

    Args:
        plans: the plans.
        ask: answers the questions about all of them.
    """
    roles = [described(plan, plan.changes) for plan in plans]
    answers = ask(questions(plans, roles))
    kept = []
    for plan, of_plan in zip(plans, roles, strict=True):
        keys = {question.key for question in questions([plan], [of_plan])}
        kept.append(
            Answers(
                {key: found for key, found in answers.issues.items() if key in keys},
                {key: found for key, found in answers.comparisons.items() if key in keys},
                answers.errors if keys else (),
            )
        )
    return kept


def kept_answers(files: Mapping[str, Path]) -> Analyzer:
    """Return an analyzer that reads the answers that another job has kept; none of them decides anything.

    Args:
        files: the file of each plan, by name.
    """

    def ask(asked: Mapping[Question, str]) -> Answers:
        keys = {question.key for question in asked}
        issues: dict[str, tuple[Issue, ...]] = {}
        comparisons: dict[str, NewAccess] = {}
        errors: dict[str, None] = {}
        for name, file in files.items():
            try:
                found = _read(file, keys)
            except (OSError, ValueError, RecursionError) as error:
                reason = (error.strerror or str(error)).lower() if isinstance(error, OSError) else "is not valid"
                errors[f"Access Analyzer: the answers about {name} cannot be read: {reason}"] = None
                continue
            # plans have documents in common: no file takes away what another one has
            for key, of_document in found.issues.items():
                issues[key] = tuple(dict.fromkeys((*issues.get(key, ()), *of_document)))
            for key, of_pair in found.comparisons.items():
                if key not in comparisons or not of_pair.passed:
                    comparisons[key] = of_pair
            errors |= dict.fromkeys(found.errors)
        missing = len(keys - issues.keys() - comparisons.keys())
        if missing and not errors:
            errors[f"Access Analyzer: {counted(missing, 'question')} about these plans without an answer"] = None
        return Answers(issues, comparisons, tuple(errors)[:_MOST_ERRORS])

    return Analyzer(ask, decides=False)


def _read(path: Path, keys: Collection[str]) -> Answers:
    """Return the answers to some questions in a file. Raises OSError, and ValueError if it is something else."""
    with path.open("rb") as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise ValueError("too large")
    body = _object(json.loads(content))
    return Answers(
        {
            key: tuple(map(issue, _list(found)[:MOST_ISSUES]))
            for key, found in _object(body.get("validations")).items()
            if key in keys
        },
        {key: new_access(found) for key, found in _object(body.get("comparisons")).items() if key in keys},
        tuple(shortened(each) for each in _list(body.get("errors"))[:_MOST_ERRORS]),
    )


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("not a list")
    return value
