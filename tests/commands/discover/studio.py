"""SageMaker Studio for a test: domains, user profiles and spaces in the sandbox, deleted at the end."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sandbox.launcher import Sandbox


class Studio:
    """Creates domains, user profiles and spaces; `ids` maps a domain's name to its id."""

    def __init__(self, sandbox: Sandbox, *, region: str = "us-east-1") -> None:
        self._sagemaker = sandbox.client("sagemaker", region_name=region)
        self.ids: dict[str, str] = {}
        self._profiles: list[tuple[str, str]] = []
        self._spaces: list[tuple[str, str]] = []

    def domain(self, name: str, *, role: str | None = None, space_role: str | None = None, **more: Any) -> None:
        arn = self._sagemaker.create_domain(
            DomainName=name,
            AuthMode="IAM",
            DefaultUserSettings={"ExecutionRole": role} if role else {},
            DefaultSpaceSettings={"ExecutionRole": space_role} if space_role else {},
            SubnetIds=["subnet-1"],
            VpcId="vpc-1",
            **more,
        )["DomainArn"]
        self.ids[name] = arn.rpartition("/")[2]

    def profile(self, domain: str, name: str, *, role: str | None = None) -> None:
        settings: dict[str, Any] = {"UserSettings": {"ExecutionRole": role}} if role else {}
        self._sagemaker.create_user_profile(DomainId=self.ids[domain], UserProfileName=name, **settings)
        self._profiles.append((domain, name))

    def space(self, domain: str, name: str, *, sharing: Any = None, owner: str | None = None) -> None:
        settings: dict[str, Any] = {
            **({"SpaceSharingSettings": {"SharingType": sharing}} if sharing else {}),
            **({"OwnershipSettings": {"OwnerUserProfileName": owner}} if owner else {}),
        }
        self._sagemaker.create_space(DomainId=self.ids[domain], SpaceName=name, **settings)
        self._spaces.append((domain, name))

    def profiles(self, roles: dict[tuple[str, str], str | None]) -> None:
        """Create user profiles in parallel; the roles are by domain and name."""
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda item: self.profile(*item[0], role=item[1]), roles.items()))

    def remove(self) -> None:
        def remove_profile(profile: tuple[str, str]) -> None:
            domain, name = profile
            self._sagemaker.delete_user_profile(DomainId=self.ids[domain], UserProfileName=name)

        for domain, name in self._spaces:
            self._sagemaker.delete_space(DomainId=self.ids[domain], SpaceName=name)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(remove_profile, self._profiles))
        for domain_id in self.ids.values():
            self._sagemaker.delete_domain(DomainId=domain_id)
