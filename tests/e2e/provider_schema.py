"""The schema of the AWS provider as bindings have it."""

import importlib.util
from pathlib import Path

from benchmarks import environments
from plans.refresh_schema import DATA_SOURCE, PROVIDER, RESOURCE, Attribute, Bindings

NEWEST, INSTALLED = "cdktn_provider_aws", "cdktf_cdktf_provider_aws"
"""The bindings of CDK Terrain, which the first test that needs them installs, and those of CDKTF."""


class Schema:
    """The schema that bindings were generated from.

    Args:
        package: `NEWEST` or `INSTALLED`.
    """

    def __init__(self, package: str) -> None:
        self.bindings = Bindings.installed(_folder(package))
        (provider,) = self.bindings.of_kind(PROVIDER).values()
        self._types = {
            "provider": provider,
            **self.bindings.of_kind(RESOURCE),
            **{f"data.{name}": each for name, each in self.bindings.of_kind(DATA_SOURCE).items()},
        }

    def attribute(self, type_: str, path: str) -> Attribute | None:
        """Return an attribute of a type, named with the blocks around it; None if there is none."""
        if type_ not in self._types:
            return None
        found = None
        attributes = self._types[type_].attributes
        for name in path.split("."):
            found = attributes.get(name)
            attributes = found.attributes if found else {}
        return found


def _folder(package: str) -> Path:
    if package == NEWEST:
        (found,) = environments.cdk_terrain().parent.parent.glob(f"lib/python3*/site-packages/{NEWEST}")
        return found
    spec = importlib.util.find_spec(package)
    assert spec
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])
