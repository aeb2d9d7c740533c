"""SageMaker Studio in an account: domains, user profiles and spaces, and the execution role of each."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from aws.account import Account, Progress, each
from aws.errors import AWS_ERRORS, Errors, is_not_found

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker.type_defs import (
        DescribeDomainResponseTypeDef,
        DomainDetailsTypeDef,
        PaginatorConfigTypeDef,
        SpaceDetailsTypeDef,
        UserProfileDetailsTypeDef,
    )


@dataclass(frozen=True)
class UserProfile:
    """A user profile; `own_role` is its execution role, None if the domain's default applies."""

    name: str
    own_role: str | None


@dataclass(frozen=True)
class Space:
    """A space: `shared` in the domain, or private to `owner`."""

    name: str
    shared: bool
    owner: str | None


@dataclass(frozen=True)
class Domain:
    """A domain with its user profiles and spaces; roles are ARNs, None if there is none.

    Attributes:
        default_role: role of the user profiles without an own role.
        space_role: role of shared spaces.
        vpc_only: whether its apps reach AWS through the domain's VPC alone.
        unified_studio: whether SageMaker Unified Studio created the domain.
    """

    region: str
    id: str
    name: str
    status: str
    auth_mode: str
    default_role: str | None
    space_role: str | None
    vpc_only: bool
    unified_studio: bool
    user_profiles: Sequence[UserProfile]
    spaces: Sequence[Space]

    def role_of_profile(self, profile: UserProfile) -> str | None:
        """Return the role of a user profile's private spaces and apps.

        Source: botocore, sagemaker `UserSettings.ExecutionRole`, which applies to private spaces, not to shared ones.
        """
        return profile.own_role or self.default_role

    def role_of_space(self, space: Space) -> str | None:
        """Return the role of a space: the domain's for shared spaces, the owner's for private ones."""
        if space.shared:
            return self.space_role
        owner = next((profile for profile in self.user_profiles if profile.name == space.owner), None)
        return self.role_of_profile(owner) if owner else None

    def roles(self) -> Iterator[str]:
        """Yield every role of the domain, including unused defaults; some more than once."""
        yield from filter(None, [self.default_role, self.space_role, *map(self.role_of_profile, self.user_profiles)])


def enabled_regions(account: Account, errors: Errors) -> list[str]:
    """Return the enabled regions of the account that have SageMaker.

    If the caller may not list them, return all regions that have SageMaker; disabled ones then return errors.
    """
    known = account.session.get_available_regions("sagemaker", partition_name=account.partition)
    try:
        enabled = account.client("ec2").describe_regions()["Regions"]
    except AWS_ERRORS as error:
        errors.add(account.region, "ec2:DescribeRegions", error)
        errors.add_line(
            f"{account.region}: trying all {len(known)} regions that have SageMaker; select some with --region"
        )
        return sorted(known)
    return sorted({region["RegionName"] for region in enabled} & set(known))


def read_domains(
    account: Account, regions: Iterable[str], *, pool: ThreadPoolExecutor, errors: Errors, progress: Progress
) -> list[Domain]:
    """Return all domains of the regions, in the order of the regions.

    Args:
        account: the account of the domains.
        regions: the regions, all in one partition.
        pool: bounds the calls in parallel.
        errors: receives the calls that fail.
        progress: shows the progress.
    """
    reader = _Reader(account, errors)
    regions = list(regions)
    by_region = list(each(pool, reader.domain_ids, regions, progress("regions", len(regions))))
    keys = [(region, one) for region, ids in zip(regions, by_region, strict=True) for one in ids]
    with_domains = [region for region, ids in zip(regions, by_region, strict=True) if ids]
    # listing per region takes fewer calls than listing per domain
    profile_names = [key for names in each(pool, reader.profile_names, with_domains) for key in names]
    spaces = dict(zip(with_domains, each(pool, reader.spaces, with_domains), strict=True))
    described = list(each(pool, reader.domain, keys, progress("domains", len(keys))))
    profiles: dict[_Key, list[UserProfile]] = {}
    done = progress("user profiles", len(profile_names))
    for (region, domain_id, _), profile in zip(
        profile_names, each(pool, reader.profile, profile_names, done), strict=True
    ):
        if profile:
            profiles.setdefault((region, domain_id), []).append(profile)
    return [
        _domain(key, domain, profiles.get(key, []), spaces[key[0]].get(key[1], []))
        for key, domain in zip(keys, described, strict=True)
        if domain
    ]


_PAGES: "PaginatorConfigTypeDef" = {"PageSize": 100}
_Item = TypeVar("_Item")

_Key = tuple[str, str]
"""Region and id of a domain."""
_ProfileKey = tuple[str, str, str]
"""Region and id of a domain, and the user profile's name."""


class _Reader:
    def __init__(self, account: Account, errors: Errors) -> None:
        self._account = account
        self._errors = errors

    def domain_ids(self, region: str) -> list[str]:
        def domains(client: "SageMakerClient") -> "Iterator[DomainDetailsTypeDef]":
            for page in client.get_paginator("list_domains").paginate(PaginationConfig=_PAGES):
                yield from page["Domains"]

        return [domain["DomainId"] for domain in self._listed(region, "ListDomains", domains)]

    def profile_names(self, region: str) -> list[_ProfileKey]:
        def profiles(client: "SageMakerClient") -> "Iterator[UserProfileDetailsTypeDef]":
            for page in client.get_paginator("list_user_profiles").paginate(PaginationConfig=_PAGES):
                yield from page["UserProfiles"]

        listed = self._listed(region, "ListUserProfiles", profiles)
        return [(region, profile["DomainId"], profile["UserProfileName"]) for profile in listed]

    def spaces(self, region: str) -> dict[str, list[Space]]:
        def spaces(client: "SageMakerClient") -> "Iterator[SpaceDetailsTypeDef]":
            for page in client.get_paginator("list_spaces").paginate(PaginationConfig=_PAGES):
                yield from page["Spaces"]

        by_domain: dict[str, list[Space]] = {}
        for space in self._listed(region, "ListSpaces", spaces):
            # spaces of Studio Classic have no sharing type; all of them are shared
            sharing = space.get("SpaceSharingSettingsSummary", {}).get("SharingType", "Shared")
            owner = space.get("OwnershipSettingsSummary", {}).get("OwnerUserProfileName")
            by_domain.setdefault(space["DomainId"], []).append(
                Space(space["SpaceName"], shared=sharing == "Shared", owner=owner)
            )
        return by_domain

    def domain(self, key: _Key) -> "DescribeDomainResponseTypeDef | None":
        region, domain_id = key
        try:
            return self._account.client("sagemaker", region).describe_domain(DomainId=domain_id)
        except AWS_ERRORS as error:
            if not is_not_found(error):  # deleted after it was listed
                self._errors.add(region, "sagemaker:DescribeDomain", error, domain_id)
            return None

    def profile(self, key: _ProfileKey) -> UserProfile | None:
        region, domain_id, name = key
        client = self._account.client("sagemaker", region)
        try:
            response = client.describe_user_profile(DomainId=domain_id, UserProfileName=name)
        except AWS_ERRORS as error:
            if not is_not_found(error):
                self._errors.add(region, "sagemaker:DescribeUserProfile", error, f"{domain_id}/{name}")
            return None  # its role is unknown
        return UserProfile(name, response.get("UserSettings", {}).get("ExecutionRole"))

    def _listed(
        self, region: str, operation: str, items: "Callable[[SageMakerClient], Iterable[_Item]]"
    ) -> list[_Item]:
        try:
            return list(items(self._account.client("sagemaker", region)))
        except AWS_ERRORS as error:
            self._errors.add(region, f"sagemaker:{operation}", error)
            return []


def _domain(
    key: _Key,
    response: "DescribeDomainResponseTypeDef",
    profiles: Sequence[UserProfile],
    spaces: Sequence[Space],
) -> Domain:
    region, domain_id = key
    settings = response.get("DomainSettings", {}).get("UnifiedStudioSettings", {})
    return Domain(
        region=region,
        id=domain_id,
        name=response.get("DomainName", domain_id),
        status=response.get("Status", "unknown"),
        auth_mode=response.get("AuthMode", "unknown"),
        default_role=response.get("DefaultUserSettings", {}).get("ExecutionRole"),
        space_role=response.get("DefaultSpaceSettings", {}).get("ExecutionRole"),
        vpc_only=response.get("AppNetworkAccessType") == "VpcOnly",
        unified_studio=bool(settings.get("DomainId")) or settings.get("StudioWebPortalAccess") == "ENABLED",
        user_profiles=profiles,
        spaces=spaces,
    )
