"""SageMaker Studio in an account: domains, user profiles and spaces, and the execution role that applies to each."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from aws.account import Account, each
from aws.errors import AWS_ERRORS, Faults, is_not_found
from terraform_cli.progress import Progress


@dataclass(frozen=True)
class UserProfile:
    """A user profile; `own_role` is its own execution role, None where the domain's default applies."""

    name: str
    own_role: str | None


@dataclass(frozen=True)
class Space:
    """A space: `shared` by all of the domain, or private to `owner`."""

    name: str
    shared: bool
    owner: str | None


@dataclass(frozen=True)
class Domain:
    """A domain with its user profiles and spaces; roles are ARNs, None where there is none.

    Attributes:
        default_role: of user profiles that have none of their own.
        space_role: of shared spaces.
        unified_studio: whether SageMaker Unified Studio made the domain.
    """

    region: str
    id: str
    name: str
    status: str
    auth_mode: str
    default_role: str | None
    space_role: str | None
    unified_studio: bool
    user_profiles: Sequence[UserProfile]
    spaces: Sequence[Space]

    def role_of_profile(self, profile: UserProfile) -> str | None:
        """Give the role of a user profile's private spaces and apps.

        botocore, sagemaker `UserSettings.ExecutionRole`: it applies to private spaces, not to shared ones.
        """
        return profile.own_role or self.default_role

    def role_of_space(self, space: Space) -> str | None:
        """Give the role of a space: the domain's for shared spaces, the owner's for private ones."""
        if space.shared:
            return self.space_role
        owner = next((profile for profile in self.user_profiles if profile.name == space.owner), None)
        return self.role_of_profile(owner) if owner else None

    def roles(self) -> Iterator[str]:
        """Yield every role that applies in the domain, also where nobody uses it yet; some more than once."""
        found = [self.default_role, self.space_role, *map(self.role_of_profile, self.user_profiles)]
        yield from filter(None, found)


def enabled_regions(account: Account, faults: Faults) -> list[str]:
    """Name the regions that are on for the account and have SageMaker.

    Where that may not be asked, all that have SageMaker; those that are off then answer so.
    """
    known = account.session.get_available_regions("sagemaker", partition_name=account.partition)
    try:
        found = account.client("ec2").describe_regions()["Regions"]
    except AWS_ERRORS as error:
        faults.add(account.region, "ec2:DescribeRegions", error)
        faults.say(f"{account.region}: trying all {len(known)} regions that have SageMaker, or name some with --region")
        return sorted(known)
    return sorted({region["RegionName"] for region in found} & set(known))


def read_domains(
    account: Account, regions: Iterable[str], *, pool: ThreadPoolExecutor, faults: Faults, progress: Progress
) -> list[Domain]:
    """Read all domains of the regions, in their order.

    Args:
        account: whose domains.
        regions: where to look; all are to be in one partition.
        pool: bounds the calls at a time.
        faults: takes what could not be read.
        progress: shows how far it is.
    """
    reader = _Reader(account, faults)
    regions = list(regions)
    by_region = list(each(pool, reader.domain_ids, regions, progress("regions", len(regions))))
    found = [(region, one) for region, ids in zip(regions, by_region, strict=True) for one in ids]
    used = [region for region, ids in zip(regions, by_region, strict=True) if ids]
    # one list of a region's profiles and spaces takes fewer calls than one for each domain
    profile_names = [key for keys in each(pool, reader.profile_names, used) for key in keys]
    spaces = dict(zip(used, each(pool, reader.spaces, used), strict=True))
    described = list(each(pool, reader.domain, found, progress("domains", len(found))))
    profiles: dict[_Key, list[UserProfile]] = {}
    done = progress("user profiles", len(profile_names))
    for (region, domain_id, _), profile in zip(
        profile_names, each(pool, reader.profile, profile_names, done), strict=True
    ):
        if profile:
            profiles.setdefault((region, domain_id), []).append(profile)
    return [
        _domain(key, domain, profiles.get(key, []), spaces[key[0]].get(key[1], []))
        for key, domain in zip(found, described, strict=True)
        if domain
    ]


_Key = tuple[str, str]
"""Region and id of a domain."""
_ProfileKey = tuple[str, str, str]
"""Region and id of a domain, and the user profile's name."""


class _Reader:
    def __init__(self, account: Account, faults: Faults) -> None:
        self._account = account
        self._faults = faults

    def domain_ids(self, region: str) -> list[str]:
        return [domain["DomainId"] for domain in self._listed(region, "list_domains", "Domains")]

    def profile_names(self, region: str) -> list[_ProfileKey]:
        found = self._listed(region, "list_user_profiles", "UserProfiles")
        return [(region, profile["DomainId"], profile["UserProfileName"]) for profile in found]

    def spaces(self, region: str) -> dict[str, list[Space]]:
        by_domain: dict[str, list[Space]] = {}
        for space in self._listed(region, "list_spaces", "Spaces"):
            # a space of Studio Classic says nothing of sharing; all of those are shared
            sharing = space.get("SpaceSharingSettingsSummary", {}).get("SharingType", "Shared")
            owner = space.get("OwnershipSettingsSummary", {}).get("OwnerUserProfileName")
            by_domain.setdefault(space["DomainId"], []).append(
                Space(space["SpaceName"], shared=sharing == "Shared", owner=owner)
            )
        return by_domain

    def domain(self, key: _Key) -> dict[str, Any] | None:
        region, domain_id = key
        try:
            return dict(self._account.client("sagemaker", region).describe_domain(DomainId=domain_id))
        except AWS_ERRORS as error:
            if not is_not_found(error):  # deleted since it was listed
                self._faults.add(region, "sagemaker:DescribeDomain", error, domain_id)
            return None

    def profile(self, key: _ProfileKey) -> UserProfile | None:
        region, domain_id, name = key
        client = self._account.client("sagemaker", region)
        try:
            found = client.describe_user_profile(DomainId=domain_id, UserProfileName=name)
        except AWS_ERRORS as error:
            if not is_not_found(error):
                self._faults.add(region, "sagemaker:DescribeUserProfile", error, f"{domain_id}/{name}")
            return None  # it may have any role
        return UserProfile(name, found.get("UserSettings", {}).get("ExecutionRole"))

    def _listed(self, region: str, operation: str, key: str) -> list[Any]:
        try:
            client: Any = self._account.client("sagemaker", region)
            pages = client.get_paginator(operation).paginate(PaginationConfig={"PageSize": 100})
            return [item for page in pages for item in page[key]]
        except AWS_ERRORS as error:
            name = operation.title().replace("_", "")
            self._faults.add(region, f"sagemaker:{name}", error)
            return []


def _domain(key: _Key, found: dict[str, Any], profiles: Sequence[UserProfile], spaces: Sequence[Space]) -> Domain:
    region, domain_id = key
    settings = found.get("DomainSettings", {}).get("UnifiedStudioSettings", {})
    return Domain(
        region=region,
        id=domain_id,
        name=found.get("DomainName", domain_id),
        status=found.get("Status", "unknown"),
        auth_mode=found.get("AuthMode", "unknown"),
        default_role=found.get("DefaultUserSettings", {}).get("ExecutionRole"),
        space_role=found.get("DefaultSpaceSettings", {}).get("ExecutionRole"),
        unified_studio=bool(settings.get("DomainId")) or settings.get("StudioWebPortalAccess") == "ENABLED",
        user_profiles=profiles,
        spaces=spaces,
    )
