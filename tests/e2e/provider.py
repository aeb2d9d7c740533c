"""The AWS provider: installed once, and kept running for many runs of Terraform.

Most of a short run is the provider: Terraform hashes its 700 MB, starts it several times and waits each time until it
has built its schema. Terraform can use a running provider instead
(https://developer.hashicorp.com/terraform/plugin/debugging#running-terraform-with-a-provider-in-debug-mode): the same
program, over the same protocol. Each Terraform still reads the whole schema and configures the provider afresh.
"""

import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_REATTACH = "TF_REATTACH_PROVIDERS"
# ends with this process, even if that is killed: then its standard input closes
_UNTIL_STDIN_CLOSES = '"$0" -debug & cat > /dev/null; kill -9 $!; wait'


@dataclass(frozen=True)
class Provider:
    """The provider as `terraform init` has installed it, and a process of it.

    Attributes:
        folder: the folder that Terraform has initialized.
        environment: the environment of the process.
        address: how Terraform finds the process.
    """

    folder: Path
    environment: Mapping[str, str]
    address: str

    def variables(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return the variables that make Terraform use the process; none if its own provider would see another AWS."""
        names = {name for name in {*environment, *self.environment} if name.startswith("AWS_")}
        same = all(environment.get(name) == self.environment.get(name) for name in names)
        return self.for_init if same else {}

    @property
    def for_init(self) -> dict[str, str]:
        """Variables that keep `terraform init` from installing a provider."""
        return {_REATTACH: self.address}

    def install(self, folder: Path) -> None:
        """Install the provider in an initialized folder, for a Terraform that starts its own.

        The lock file pins the version and has no checksum, which Terraform would compute in each run.
        """
        lock = (self.folder / ".terraform.lock.hcl").read_text()
        (folder / ".terraform.lock.hcl").write_text(re.sub(r"  hashes = \[.*?\]\n", "", lock, flags=re.DOTALL))
        installed = folder / ".terraform/providers"
        installed.parent.mkdir(exist_ok=True)  # Terraform makes none for a stack without a backend
        if not installed.exists():
            installed.symlink_to(self.folder / ".terraform/providers")


@contextmanager
def running_provider(folder: Path, environment: Mapping[str, str]) -> Iterator[Provider]:
    """Run the provider that is installed in a folder while the block runs.

    Args:
        folder: a folder that Terraform has initialized.
        environment: the environment of Terraform.
    """
    (binary,) = (folder / ".terraform/providers").glob("*/hashicorp/aws/*/*/terraform-provider-aws*")
    own = {**environment, "GOMEMLIMIT": "700MiB"}
    # configured a second time with AWS_CA_BUNDLE, the provider fails: the AWS SDK would add the certificates again
    certificates = own.pop("AWS_CA_BUNDLE", None)
    process = subprocess.Popen(
        ["sh", "-c", _UNTIL_STDIN_CLOSES, str(binary)],
        env={**own, "SSL_CERT_FILE": certificates} if certificates else own,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert process.stdin
    assert process.stdout
    try:
        found = next(filter(None, (re.search(f"{_REATTACH}='(.*)'", line) for line in process.stdout)), None)
        assert found, "the provider did not start"
        yield Provider(folder, environment, found[1])
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait()
