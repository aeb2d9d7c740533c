"""The parts of SageMaker Studio that moto lacks: user profiles and spaces, and their tags."""

import json
from dataclasses import dataclass, field
from typing import Any, ClassVar

import moto.sagemaker.urls
from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import utcnow
from moto.sagemaker.exceptions import ResourceInUseException, ResourceNotFound, ValidationError
from moto.sagemaker.responses import SageMakerResponse

from sandbox import roles

LARGEST_PAGE = 100
DEFAULT_PAGE = 10


@dataclass
class Member:
    """A user profile or a space of a domain."""

    domain_id: str
    name: str
    request: dict[str, Any]
    """The parameters of the request that created it."""
    created: Any = field(default_factory=utcnow)

    @property
    def times_and_state(self) -> dict[str, Any]:
        """The members of a description that both kinds have."""
        return {"CreationTime": self.created, "LastModifiedTime": self.created, "Status": "InService"}


Members = dict[tuple[str, str], Member]


class SageMakerCalls(SageMakerResponse):
    """moto's SageMaker with user profiles and spaces, which all regions share."""

    user_profiles: ClassVar[Members] = {}
    spaces: ClassVar[Members] = {}

    def create_user_profile(self) -> ActionResult:
        """CreateUserProfile."""
        return ActionResult({"UserProfileArn": self._create("user-profile", "UserProfileName", self.user_profiles)})

    def describe_user_profile(self) -> ActionResult:
        """DescribeUserProfile."""
        return self._describe("user-profile", "UserProfileName", "UserProfileArn", self.user_profiles)

    def list_user_profiles(self) -> ActionResult:
        """ListUserProfiles."""
        page, token = self._page(self.user_profiles, name_contains="UserProfileNameContains")
        return ActionResult(
            {
                "UserProfiles": [
                    {"DomainId": member.domain_id, "UserProfileName": member.name, **member.times_and_state}
                    for member in page
                ],
                "NextToken": token,
            }
        )

    def delete_user_profile(self) -> ActionResult:
        """DeleteUserProfile."""
        return self._delete("user-profile", "UserProfileName", self.user_profiles)

    def create_space(self) -> ActionResult:
        """CreateSpace."""
        return ActionResult({"SpaceArn": self._create("space", "SpaceName", self.spaces)})

    def describe_space(self) -> ActionResult:
        """DescribeSpace."""
        return self._describe("space", "SpaceName", "SpaceArn", self.spaces)

    def list_spaces(self) -> ActionResult:
        """ListSpaces."""
        page, token = self._page(self.spaces, name_contains="SpaceNameContains")
        summaries = []
        for member in page:
            summary = {"DomainId": member.domain_id, "SpaceName": member.name, **member.times_and_state}
            for settings in ("OwnershipSettings", "SpaceSharingSettings"):
                if settings in member.request:
                    summary[f"{settings}Summary"] = member.request[settings]
            summaries.append(summary)
        return ActionResult({"Spaces": summaries, "NextToken": token})

    def delete_space(self) -> ActionResult:
        """DeleteSpace."""
        return self._delete("space", "SpaceName", self.spaces)

    def list_tags(self) -> ActionResult:
        """ListTags; also of user profiles and spaces."""
        if member := self._member_of_arn(self._get_param("ResourceArn")):
            return ActionResult({"Tags": member.request.get("Tags", [])})
        return super().list_tags()

    def _create(self, kind: str, name_parameter: str, members: Members) -> str:
        domain_id, name = self._get_param("DomainId"), self._get_param(name_parameter)
        self.sagemaker_backend.describe_domain(domain_id)
        if (domain_id, name) in members:
            raise ResourceInUseException(f"{kind} {name} already exists in domain {domain_id}")
        members[domain_id, name] = Member(domain_id, name, json.loads(self.body))
        return self._arn(kind, domain_id, name)

    def _describe(self, kind: str, name_parameter: str, arn_member: str, members: Members) -> ActionResult:
        member = self._find(kind, name_parameter, members)
        arn = self._arn(kind, member.domain_id, member.name)
        return ActionResult({**member.request, arn_member: arn, **member.times_and_state})

    def _delete(self, kind: str, name_parameter: str, members: Members) -> ActionResult:
        member = self._find(kind, name_parameter, members)
        del members[member.domain_id, member.name]
        return EmptyResult()

    def _find(self, kind: str, name_parameter: str, members: Members) -> Member:
        domain_id, name = self._get_param("DomainId"), self._get_param(name_parameter)
        try:
            return members[domain_id, name]
        except KeyError:
            raise ResourceNotFound(f"{kind} {name} does not exist in domain {domain_id}") from None

    def _member_of_arn(self, arn: str) -> Member | None:
        kind, _, rest = arn.rpartition(":")[2].partition("/")
        domain_id, _, name = rest.partition("/")
        members = {"user-profile": self.user_profiles, "space": self.spaces}.get(kind, {})
        return members.get((domain_id, name))

    def _arn(self, kind: str, domain_id: str, name: str) -> str:
        return f"arn:{roles.PARTITION}:sagemaker:{self.region}:{roles.ACCOUNT}:{kind}/{domain_id}/{name}"

    def _page(self, members: Members, *, name_contains: str) -> tuple[list[Member], str | None]:
        domain_id, text = self._get_param("DomainIdEquals"), self._get_param(name_contains) or ""
        matching = [
            member
            for member in members.values()
            if domain_id in (None, member.domain_id) and text.lower() in member.name.lower()
        ]
        token, size = self._get_param("NextToken") or "0", self._get_param("MaxResults") or DEFAULT_PAGE
        if not token.isdigit():
            raise ValidationError("Invalid pagination token")
        start, end = int(token), int(token) + min(int(size), LARGEST_PAGE)
        return matching[start:end], str(end) if end < len(matching) else None


def install() -> None:
    """Replace moto's SageMaker operations; call it before the first request."""
    moto.sagemaker.urls.url_paths["{0}/$"] = SageMakerCalls.dispatch
