"""The AWS provider: installed once, and kept running for many runs of Terraform.

Most of a short run is the provider: Terraform hashes its 700 MB, starts it several times and waits each time until it
has built its schema. Terraform can use a running provider instead
(https://developer.hashicorp.com/terraform/plugin/debugging#running-terraform-with-a-provider-in-debug-mode): the same
program, over the same protocol. Each Terraform still reads the whole schema and configures the provider afresh.
"""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_REATTACH = "TF_REATTACH_PROVIDERS"
# ends with this process, even if that is killed: then its standard input closes
_UNTIL_STDIN_CLOSES = '"$0" -debug & cat > /dev/null; kill -9 $!; wait'
_MOST = 2
"""How many processes are kept, each with half a gigabyte of memory."""


class Provider:
    """The provider as `terraform init` has installed it, with running processes of it.

    Args:
        folder: the folder that Terraform has initialized.
    """

    def __init__(self, folder: Path) -> None:
        self._lock = (folder / ".terraform.lock.hcl").read_text()
        self._installed = folder / ".terraform/providers"
        (self._binary,) = self._installed.glob("*/hashicorp/aws/*/*/terraform-provider-aws*")
        self._running: dict[frozenset[tuple[str, str]], _Process] = {}

    def running(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return the variables that make Terraform use a running provider, which is started if necessary.

        Args:
            environment: the environment of Terraform; a provider is used again where the variables of AWS are the same.
        """
        aws = frozenset((name, value) for name, value in environment.items() if name.startswith("AWS_"))
        process = self._running.pop(aws, None)
        if not process:
            while len(self._running) >= _MOST:
                self._running.pop(next(iter(self._running))).stop()
            process = _Process(self._binary, environment)
        self._running[aws] = process  # the last one used is the last one stopped
        # the provider names itself as in Terraform's registry; OpenTofu, which is untried, has another
        registry, *_ = self._binary.relative_to(self._installed).parts
        return {_REATTACH: process.address.replace('"registry.terraform.io/', f'"{registry}/')}

    def stop(self) -> None:
        """Stop all processes."""
        while self._running:
            self._running.popitem()[1].stop()

    def install(self, folder: Path) -> None:
        """Install the provider in an initialized folder, for a Terraform that starts its own.

        The lock file pins the version and has no checksum, which Terraform would compute in each run.
        """
        (folder / ".terraform.lock.hcl").write_text(re.sub(r"  hashes = \[.*?\]\n", "", self._lock, flags=re.DOTALL))
        providers = folder / ".terraform/providers"
        providers.parent.mkdir(exist_ok=True)  # Terraform makes none for a stack without a backend
        if not providers.exists():
            providers.symlink_to(self._installed)


class _Process:
    def __init__(self, binary: Path, environment: Mapping[str, str]) -> None:
        own = {**environment, "GOMEMLIMIT": "500MiB"}
        # configured a second time with AWS_CA_BUNDLE, the provider fails: the AWS SDK would add the certificates again
        if certificates := own.pop("AWS_CA_BUNDLE", None):
            own["SSL_CERT_FILE"] = certificates
        self._process = subprocess.Popen(
            ["sh", "-c", _UNTIL_STDIN_CLOSES, str(binary)],
            env=own,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        assert self._process.stdout
        found = next(filter(None, (re.search(f"{_REATTACH}='(.*)'", line) for line in self._process.stdout)), None)
        assert found, "the provider did not start"
        self.address = found[1]

    def stop(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()
        (socket,) = (each["Addr"]["String"] for each in json.loads(self.address).values())
        Path(socket).unlink(missing_ok=True)  # left by a process that is killed


@contextmanager
def installed_provider(folder: Path) -> Iterator[Provider]:
    """Yield the provider of an initialized folder, and stop it at the end."""
    provider = Provider(folder)
    try:
        yield provider
    finally:
        provider.stop()
