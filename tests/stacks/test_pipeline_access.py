"""The stack of the pipeline's access, and whom its roles trust according to an independent IAM evaluator."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from configuration import load
from configuration.pipeline_access import pipeline_settings
from sandbox.iam_evaluator import Evaluator, Question
from stacks.pipeline_access import PipelineAccessStack
from tests.repository import AS_SHIPPED, ROOT
from tests.stacks.conftest import run_app
from tests.template import Template, app_in_memory

PROVIDER = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"
# the evaluator knows condition keys by AWS's lists, which have the claims of few issuers
ISSUER, KNOWN_ISSUER = "token.actions.githubusercontent.com", "accounts.google.com"

Synthesize = Callable[..., Template]


@pytest.fixture
def synthesize(tmp_path: Path) -> Synthesize:
    def synthesize(**github: Any) -> Template:
        document = {
            "state": {"bucket": "states", "region": "eu-west-1"},
            "environments": {"dev": {"region": "eu-west-1", "roles": [{"role": "team"}]}},
            "pipeline": {"github": {"repository": "acme/data", **github}},
        }
        file = tmp_path / "glue-sessions.yaml"
        file.write_text(json.dumps(document))
        settings = pipeline_settings(load(file, {}))
        return Template.from_stack(PipelineAccessStack(app_in_memory(), settings=settings))

    return synthesize


@pytest.fixture(scope="module")
def evaluator() -> Iterator[Evaluator]:
    running = Evaluator()
    yield running
    running.close()


def trusted(evaluator: Evaluator, template: Template, role: str, **claims: str) -> bool:
    resource = template.has_resource("aws_iam_role", role, {})
    document = resource["assume_role_policy"].replace("${data.aws_caller_identity.current.account_id}", "111122223333")
    question = Question(
        PROVIDER,
        "sts:AssumeRoleWithWebIdentity",
        f"arn:aws:iam::111122223333:role/{resource['name']}",
        "111122223333",
        context={f"{KNOWN_ISSUER}:{claim}": value for claim, value in claims.items()},
        resource_policy=json.loads(document.replace(f'"{ISSUER}:', f'"{KNOWN_ISSUER}:')),
    )
    return evaluator.decide(question).is_allowed


SUBJECTS = {
    "repo:acme/data:pull_request": {"plan"},
    "repo:acme/data:ref:refs/heads/feature/x": {"plan"},
    "repo:acme/data:ref:refs/heads/main": {"plan", "apply"},
    "repo:acme/data:ref:refs/heads/main2": {"plan"},
    "repo:acme/data:ref:refs/tags/main": set(),
    "repo:acme/data:environment:production": set(),
    "repo:acme/data2:ref:refs/heads/main": set(),
    "repo:acme@1/data@2:ref:refs/heads/main": set(),
    "repo:evil/data:pull_request": set(),
}


def test_each_role_trusts_its_own_jobs(evaluator: Evaluator, synthesize: Synthesize) -> None:
    template = synthesize()
    trusting = {
        subject: {
            role
            for role in ("plan", "apply")
            if trusted(evaluator, template, role, sub=subject, aud="sts.amazonaws.com")
        }
        for subject in SUBJECTS
    }
    assert trusting == SUBJECTS
    main = "repo:acme/data:ref:refs/heads/main"
    for role in ("plan", "apply"):
        assert not trusted(evaluator, template, role, sub=main, aud="https://github.com/acme")
        assert not trusted(evaluator, template, role, aud="sts.amazonaws.com")
        assert not trusted(evaluator, template, role, sub=main)


@pytest.mark.parametrize(
    ("github", "applies"),
    [
        ({"branch": "release/1.x"}, "repo:acme/data:ref:refs/heads/release/1.x"),
        ({"environment": "production"}, "repo:acme/data:environment:production"),
        ({"repository": "acme@1/data@2"}, "repo:acme@1/data@2:ref:refs/heads/main"),
    ],
    ids=str,
)
def test_the_jobs_that_apply_are_configured(
    evaluator: Evaluator, synthesize: Synthesize, github: Mapping[str, str], applies: str
) -> None:
    template = synthesize(**github)
    assert trusted(evaluator, template, "apply", sub=applies, aud="sts.amazonaws.com")
    assert not trusted(evaluator, template, "apply", sub="repo:acme/data:ref:refs/heads/main", aud="sts.amazonaws.com")


def test_an_existing_oidc_provider_is_used_and_never_destroyed(synthesize: Synthesize) -> None:
    address = "aws_iam_openid_connect_provider.github"
    created, used = synthesize(), synthesize(oidc_provider_exists=True)
    created.has_resource("aws_iam_openid_connect_provider", "github", {"lifecycle": {"prevent_destroy": True}})
    created.has_no_block("removed")
    used.resource_count_is("aws_iam_openid_connect_provider", 0)
    used.has_block("removed", [{"from": address, "lifecycle": {"destroy": False}}])
    for template in (created, used):
        for role in ("plan", "apply"):
            assert (
                PROVIDER.replace("111122223333", "${data.aws_caller_identity.current.account_id}")
                in (template.has_resource("aws_iam_role", role, {})["assume_role_policy"])
            )


def test_without_the_setting_no_role_may_ask_access_analyzer(synthesize: Synthesize) -> None:
    # with it: the expected pipeline-access.json
    for role in ("plan", "apply"):
        policy = synthesize().has_resource("aws_iam_role_policy", role, {})["policy"]
        assert "access-analyzer" not in policy


def test_the_variables_of_the_workflows_are_outputs(synthesize: Synthesize) -> None:
    synthesize().has_block(
        "output",
        {
            "AWS_PLAN_ROLE_ARN": {"value": "${aws_iam_role.plan.arn}"},
            "AWS_APPLY_ROLE_ARN": {"value": "${aws_iam_role.apply.arn}"},
        },
    )


def test_the_app_writes_only_this_stack(tmp_path: Path) -> None:
    done = run_app(
        "pipeline_access.py", ROOT / "tests/expected/pipeline/glue-sessions.yaml", tmp_path, SAGEMAKER_ROLE_NAME="team"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert list(json.loads((tmp_path / "manifest.json").read_text())["stacks"]) == ["pipeline-access"]


def test_the_app_exits_with_2_and_names_a_missing_section(tmp_path: Path) -> None:
    variables = {"SAGEMAKER_ROLE_NAME": "team", "TF_STATE_BUCKET": "states", "AWS_REGION": "eu-west-1"}
    done = run_app("pipeline_access.py", AS_SHIPPED, tmp_path, **variables)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (f"{AS_SHIPPED}: pipeline: supply this section, the pipeline's access is built from it\n")
