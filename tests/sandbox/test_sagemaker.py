"""SageMaker's domains, user profiles and spaces, as discovery reads them."""

import pytest
from botocore.exceptions import ClientError

from sandbox.launcher import Sandbox
from tests.sandbox.conftest import Role

ROLE = "arn:aws:iam::123456789012:role/service-role/notebook"


def make_domain(sandbox: Sandbox, name: str) -> str:
    sagemaker = sandbox.client("sagemaker")
    arn = sagemaker.create_domain(
        DomainName=name,
        AuthMode="IAM",
        DefaultUserSettings={"ExecutionRole": ROLE},
        SubnetIds=["subnet-1"],
        VpcId="vpc-1",
    )["DomainArn"]
    return arn.rpartition("/")[2]


def test_describe_user_profile_returns_the_settings_of_the_request(sandbox: Sandbox) -> None:
    domain, sagemaker = make_domain(sandbox, "profiles"), sandbox.client("sagemaker")
    own = ROLE + "-ada"
    created = sagemaker.create_user_profile(
        DomainId=domain, UserProfileName="ada", UserSettings={"ExecutionRole": own}, Tags=[{"Key": "a", "Value": "b"}]
    )
    sagemaker.create_user_profile(DomainId=domain, UserProfileName="bob")
    ada = sagemaker.describe_user_profile(DomainId=domain, UserProfileName="ada")
    assert ada["UserProfileArn"] == created["UserProfileArn"]
    assert created["UserProfileArn"] == f"arn:aws:sagemaker:us-east-1:123456789012:user-profile/{domain}/ada"
    assert (ada["Status"], ada["UserSettings"]["ExecutionRole"]) == ("InService", own)
    assert "UserSettings" not in sagemaker.describe_user_profile(DomainId=domain, UserProfileName="bob")
    assert sagemaker.list_tags(ResourceArn=created["UserProfileArn"])["Tags"] == [{"Key": "a", "Value": "b"}]
    sagemaker.delete_user_profile(DomainId=domain, UserProfileName="bob")
    profiles = sagemaker.list_user_profiles(DomainIdEquals=domain)["UserProfiles"]
    assert [profile["UserProfileName"] for profile in profiles] == ["ada"]


def test_a_space_has_its_owner(sandbox: Sandbox) -> None:
    domain, sagemaker = make_domain(sandbox, "spaces"), sandbox.client("sagemaker")
    created = sagemaker.create_space(
        DomainId=domain,
        SpaceName="lab",
        OwnershipSettings={"OwnerUserProfileName": "ada"},
        SpaceSharingSettings={"SharingType": "Private"},
    )
    space = sagemaker.describe_space(DomainId=domain, SpaceName="lab")
    assert space["SpaceArn"] == created["SpaceArn"]
    assert space["OwnershipSettings"] == {"OwnerUserProfileName": "ada"}
    [listed] = sagemaker.list_spaces(DomainIdEquals=domain)["Spaces"]
    assert listed["OwnershipSettingsSummary"] == {"OwnerUserProfileName": "ada"}
    assert listed["SpaceSharingSettingsSummary"] == {"SharingType": "Private"}
    assert sagemaker.list_tags(ResourceArn=created["SpaceArn"])["Tags"] == []
    sagemaker.delete_space(DomainId=domain, SpaceName="lab")
    assert sagemaker.list_spaces(DomainIdEquals=domain)["Spaces"] == []


def test_missing_and_existing_resources_are_client_errors(sandbox: Sandbox) -> None:
    domain, sagemaker = make_domain(sandbox, "errors"), sandbox.client("sagemaker")
    with pytest.raises(ClientError, match="ResourceNotFound"):
        sagemaker.describe_user_profile(DomainId=domain, UserProfileName="nobody")
    with pytest.raises(ClientError, match="ResourceNotFound"):
        sagemaker.delete_space(DomainId=domain, SpaceName="nowhere")
    with pytest.raises(ClientError, match="ValidationException"):
        sagemaker.create_user_profile(DomainId="d-none", UserProfileName="ada")
    with pytest.raises(ClientError, match="Invalid pagination token"):
        sagemaker.list_spaces(NextToken="x")
    sagemaker.create_user_profile(DomainId=domain, UserProfileName="ada")
    with pytest.raises(ClientError, match="ResourceInUse"):
        sagemaker.create_user_profile(DomainId=domain, UserProfileName="ada")


def test_long_lists_are_paginated(sandbox: Sandbox) -> None:
    sagemaker = sandbox.client("sagemaker")
    domains = [make_domain(sandbox, f"many-{number}") for number in range(3)]
    for domain in domains:
        for number in range(25):
            sagemaker.create_user_profile(DomainId=domain, UserProfileName=f"user-{number}")
    assert len(sagemaker.list_user_profiles(DomainIdEquals=domains[1])["UserProfiles"]) == 10
    pages = list(
        sagemaker.get_paginator("list_user_profiles").paginate(
            DomainIdEquals=domains[1], PaginationConfig={"PageSize": 10}
        )
    )
    assert [len(page["UserProfiles"]) for page in pages] == [10, 10, 5]
    named = sagemaker.list_user_profiles(DomainIdEquals=domains[1], UserProfileNameContains="USER-24")["UserProfiles"]
    assert [profile["UserProfileName"] for profile in named] == ["user-24"]


def test_an_execution_role_needs_permissions_to_list(sandbox: Sandbox) -> None:
    domain = make_domain(sandbox, "seen")
    sandbox.client("sagemaker").create_space(DomainId=domain, SpaceName="lab")
    role = Role(sandbox, "looks", "sagemaker.amazonaws.com")
    prefix = "arn:aws:sagemaker:*:*"
    role.allow(
        {"Action": "sagemaker:DescribeSpace", "Resource": f"{prefix}:space/{domain}/lab"},
        {"Action": "sagemaker:DescribeDomain", "Resource": f"{prefix}:domain/{domain}"},
        {"Action": "sagemaker:ListDomains", "Resource": "*"},
    )
    sagemaker = role.client("sagemaker")
    assert sagemaker.describe_space(DomainId=domain, SpaceName="lab")["SpaceName"] == "lab"
    assert sagemaker.describe_domain(DomainId=domain)["DomainId"] == domain
    assert sagemaker.list_domains()["Domains"]
    with pytest.raises(ClientError, match=r"sagemaker:DescribeUserProfile on resource: .*:user-profile/"):
        sagemaker.describe_user_profile(DomainId=domain, UserProfileName="ada")
    with pytest.raises(ClientError, match="sagemaker:ListSpaces"):
        sagemaker.list_spaces()
