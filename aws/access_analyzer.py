"""IAM Access Analyzer, asked about policy documents through boto3.

ValidatePolicy is free of charge. AWS bills each CheckNoNewAccess, so each pair of documents is asked about once.
https://aws.amazon.com/iam/access-analyzer/pricing/
"""

import os
import re
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import NoRegionError
from botocore.parsers import ResponseParserError

from aws.account import each
from aws.errors import (
    AWS_ERRORS,
    Errors,
    in_words,
    is_about_credentials,
    is_denied,
    is_fault_of_aws,
    is_throttled,
    is_unreachable,
)
from iam.access_analyzer import (
    MOST_ISSUES,
    Answers,
    Comparison,
    Issue,
    NewAccess,
    Question,
    Validation,
    issue,
    new_access,
)
from iam.arn import REGION
from iam.wording import counted

_WORKERS = 4
"""Calls in parallel: AWS does not document a quota of these operations."""

_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 3},
    connect_timeout=3,
    read_timeout=10,
    max_pool_connections=_WORKERS,
)

MOST_COMPARISONS = 100
"""Most pairs of documents that are asked about in one run: AWS bills each, and a plan may have any number."""

MOST_VALIDATIONS = 500
"""Most documents that are asked about in one run, which takes a minute if AWS takes half a second for each."""

_Answer = TypeVar("_Answer")


def ask(questions: Mapping[Question, str]) -> Answers:
    """Return Access Analyzer's answers; whatever fails is one line in `errors`, and the rest is asked nonetheless.

    No more is asked of an operation that is denied, throttled or out of order, and nothing without credentials or
    network.

    Args:
        questions: the region of each; "" is that of AWS_REGION or of the profile.
    """
    return _Run(questions).answers() if questions else Answers()


class _Run:
    """The questions of one review."""

    def __init__(self, questions: Mapping[Question, str]) -> None:
        self._questions = questions
        self._session: boto3.Session | None = None
        self._clients: dict[str, Any] = {}
        self._issues: dict[str, tuple[Issue, ...]] = {}
        self._comparisons: dict[str, NewAccess] = {}
        self._errors = Errors()
        self._lock = threading.Lock()
        self._stopped: set[type[Question]] = set()

    def answers(self) -> Answers:
        documents: list[Question] = [each for each in self._questions if isinstance(each, Validation)]
        pairs: list[Question] = [each for each in self._questions if isinstance(each, Comparison)]
        with ThreadPoolExecutor(_WORKERS) as pool:
            for found, most, noun in (
                (documents, MOST_VALIDATIONS, "document"),
                (pairs, MOST_COMPARISONS, "comparison"),
            ):
                # the first one alone: what stops the others is one line then, and one call
                for some in (found[:1], found[1:most]):
                    for _ in each(pool, self._ask, some):
                        pass
                if (number := len(found) - most) > 0:
                    left_out = counted(number, noun)
                    self._errors.add_line(f"Access Analyzer: {left_out} left out, more than {most} in one run")
        return Answers(self._issues, self._comparisons, tuple(self._errors.lines))

    def _ask(self, question: Question) -> None:
        if type(question) in self._stopped:
            return
        region = self._questions[question]
        if isinstance(question, Validation):
            found = self._call(region, "ValidatePolicy", question, lambda client: _issues(client, question))
            if found is not None:
                self._issues[question.key], is_complete = found
                if not is_complete:
                    self._errors.add_line(f"Access Analyzer has more than {MOST_ISSUES} findings on a document")
        else:
            result = self._call(region, "CheckNoNewAccess", question, lambda client: _new_access(client, question))
            if result is not None:
                self._comparisons[question.key] = result

    def _call(self, region: str, operation: str, question: Question, call: Callable[[Any], _Answer]) -> _Answer | None:
        place = f"Access Analyzer in {region}" if region else "Access Analyzer"
        if region and not re.fullmatch(REGION, region):  # boto3's errors may quote the header that it is part of
            self._errors.add_line(f"{place} was not asked: the plan names a region that is none")
            return None
        try:
            return call(self._client(region))
        except NoRegionError:
            self._stopped |= {Validation, Comparison}
            self._errors.add_line(f"{place} was not asked: the plan names no region, set AWS_REGION")
        except AWS_ERRORS as error:
            if is_about_credentials(error) or is_unreachable(error):
                self._stopped |= {Validation, Comparison}
                self._errors.add_line(f"{place} was not asked: {in_words(error)}")
            elif is_denied(error) or is_throttled(error) or is_fault_of_aws(error):
                self._stopped.add(type(question))
                self._errors.add_line(f"{place}: {operation}: {in_words(error)}")
            else:
                self._errors.add(place, operation, error)
        except (ValueError, ResponseParserError):
            self._errors.add_line(f"{place}: {operation}: the response is not one of Access Analyzer")
        return None

    def _client(self, region: str) -> Any:
        with self._lock:  # creating clients is not thread-safe in boto3
            if region not in self._clients:
                self._session = self._session or boto3.Session()
                name = region or os.environ.get("AWS_REGION")
                self._clients[region] = self._session.client("accessanalyzer", region_name=name, config=_CONFIG)
            return self._clients[region]


def _issues(client: Any, question: Validation) -> tuple[tuple[Issue, ...], bool]:
    """Return the findings on a document, and whether these are all."""
    request = {"policyDocument": question.document, "policyType": question.policy_type, "locale": "EN"}
    if question.resource_type:
        request["validatePolicyResourceType"] = question.resource_type
    pages = client.get_paginator("validate_policy").paginate(
        **request, PaginationConfig={"MaxItems": MOST_ISSUES, "PageSize": MOST_ISSUES}
    )
    found: list[Issue] = []
    for page in pages:
        if "findings" not in page:
            raise ValueError("the response has no findings")
        found += map(issue, page["findings"])
    return tuple(found), pages.resume_token is None


def _new_access(client: Any, question: Comparison) -> NewAccess:
    return new_access(
        client.check_no_new_access(
            existingPolicyDocument=question.before,
            newPolicyDocument=question.after,
            policyType=question.policy_type,
        )
    )
