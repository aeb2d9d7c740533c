"""SageMaker Studio's domains, user profiles and spaces, answered in place of the sandbox."""

from typing import Any

from tests.discover.aws_proxy import Answer, AwsProxy


class Studio:
    """What SageMaker answers, region by region."""

    def __init__(self) -> None:
        self._domains: dict[str, dict[str, Any]] = {}
        self._profiles: dict[tuple[str, str], dict[str, Any]] = {}
        self._spaces: list[dict[str, Any]] = []

    def domain(self, domain_id: str, *, role: str | None = None, space_role: str | None = None, **more: Any) -> None:
        self._domains[domain_id] = {
            "DomainId": domain_id,
            "DomainName": f"name-of-{domain_id}",
            "Status": "InService",
            "AuthMode": "IAM",
            "DefaultUserSettings": {"ExecutionRole": role} if role else {},
            "DefaultSpaceSettings": {"ExecutionRole": space_role} if space_role else {},
            **more,
        }

    def profile(self, domain_id: str, name: str, *, role: str | None = None) -> None:
        settings = {"UserSettings": {"ExecutionRole": role}} if role else {}
        self._profiles[domain_id, name] = {"DomainId": domain_id, "UserProfileName": name, **settings}

    def space(self, domain_id: str, name: str, *, sharing: str | None = None, owner: str | None = None) -> None:
        self._spaces.append(
            {
                "DomainId": domain_id,
                "SpaceName": name,
                **({"SpaceSharingSettingsSummary": {"SharingType": sharing}} if sharing else {}),
                **({"OwnershipSettingsSummary": {"OwnerUserProfileName": owner}} if owner else {}),
            }
        )

    def answer_through(self, proxy: AwsProxy, *, region: str = "us-east-1") -> None:
        """Answer SageMaker's calls in one region; other regions have no domains."""

        def listed(key: str, items: list[dict[str, Any]], parameters: dict[str, Any], asked: str) -> Answer:
            if asked != region:
                return {key: []}
            begin, size = int(parameters.get("NextToken", 0)), parameters["MaxResults"]
            more = {"NextToken": str(begin + size)} if begin + size < len(items) else {}
            return {key: items[begin : begin + size], **more}

        proxy.answers |= {
            "ListDomains": lambda p, r: listed("Domains", [{"DomainId": each} for each in self._domains], p, r),
            "ListUserProfiles": lambda p, r: listed("UserProfiles", list(self._profiles.values()), p, r),
            "ListSpaces": lambda p, r: listed("Spaces", self._spaces, p, r),
            "DescribeDomain": lambda p, _: self._domains[p["DomainId"]],
            "DescribeUserProfile": lambda p, _: self._profiles[p["DomainId"], p["UserProfileName"]],
        }
