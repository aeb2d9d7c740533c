"""Start the sandbox from a program, for demos and tests."""

import json
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Literal, Self, overload

import boto3
from botocore.config import Config

from sandbox import environment

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sts import STSClient

PACKAGE_PARENT = Path(__file__).resolve().parent.parent


class SandboxError(Exception):
    """The sandbox did not start; the message has its last lines."""


@dataclass(frozen=True)
class Decision:
    """A permission that a role session requested, and the decision."""

    principal: str
    action: str
    resource: str
    result: Literal["Allowed", "ImplicitlyDenied", "ExplicitlyDenied"]


class Sandbox:
    """A local AWS in a separate process: ready in the `with` block, gone after it.

        with Sandbox() as aws:
            aws.client("iam").create_role(...)
            subprocess.run(["terraform", "apply"], env={**os.environ, **aws.environment})

    It ends with this process in any case, even if this process is killed.

    Args:
        arguments: further arguments of the sandbox's command line, such as `["--trust-policy-quota", "4096"]`.
        time_limit: most seconds to wait until it is ready.
    """

    def __init__(self, arguments: list[str] | None = None, *, time_limit: float = 60) -> None:
        self._arguments = arguments or []
        self._time_limit = time_limit
        self._process: subprocess.Popen[bytes] | None = None
        self.environment: dict[str, str] = {}
        """Variables to add to the environment of an AWS client."""

    def start(self) -> Self:
        """Start the process and wait until it is ready.

        Raises:
            SandboxError: the process ended, or was not ready in time.
        """
        self._directory = Path(tempfile.mkdtemp(prefix="sandbox-"))
        with self.log_file.open("wb") as log:
            self._process = self._spawn(log)
        ready = self._directory / environment.FILE_NAME
        deadline = time.monotonic() + self._time_limit
        while not ready.exists():
            if (status := self._process.poll()) is not None:
                self._fail(f"the sandbox ended with status {status}")
            if time.monotonic() > deadline:
                self._fail(f"the sandbox was not ready in {self._time_limit:g} s")
            time.sleep(0.02)
        self.environment = environment.read(ready)
        return self

    def stop(self) -> None:
        """End the process and remove its files; do nothing if it has been stopped."""
        if self._process is None:
            return
        process, self._process = self._process, None
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(self._directory)

    @property
    def endpoint(self) -> str:
        """The address of all services, `https://127.0.0.1:PORT`."""
        return self.environment["AWS_ENDPOINT_URL"]

    @property
    def certificate_authority(self) -> Path:
        """The certificate that clients must trust (PEM)."""
        return Path(self.environment["AWS_CA_BUNDLE"])

    @property
    def process_id(self) -> int:
        """The process ID."""
        if self._process is None:
            raise SandboxError("the sandbox is not running")
        return self._process.pid

    @property
    def log_file(self) -> Path:
        """The output of the process."""
        return self._directory / "log"

    def decisions(self) -> list[Decision]:
        """Return the permissions that role sessions requested and the decisions, oldest first."""
        context = ssl.create_default_context(cafile=str(self.certificate_authority))
        with urllib.request.urlopen(self.endpoint + "/_sandbox/decisions", context=context) as response:
            return [Decision(**decision) for decision in json.load(response)]

    @overload
    def client(self, service: Literal["iam"], **options: Any) -> "IAMClient": ...
    @overload
    def client(self, service: Literal["sts"], **options: Any) -> "STSClient": ...
    @overload
    def client(self, service: Literal["s3"], **options: Any) -> "S3Client": ...
    @overload
    def client(self, service: Literal["sagemaker"], **options: Any) -> "SageMakerClient": ...
    @overload
    def client(self, service: Literal["glue"], **options: Any) -> "GlueClient": ...

    def client(self, service: Any, **options: Any) -> Any:
        """Return a boto3 client of the account's operator; `options` override the arguments of `boto3.client`."""
        settings: dict[str, Any] = {
            "region_name": self.environment["AWS_REGION"],
            "endpoint_url": self.endpoint,
            "verify": str(self.certificate_authority),
            "aws_access_key_id": self.environment["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": self.environment["AWS_SECRET_ACCESS_KEY"],
            "config": Config(proxies={}),
        }
        return boto3.client(service, **(settings | options))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _spawn(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "sandbox", "--until-stdin-closes"]
        return subprocess.Popen(
            [*command, "--directory", str(self._directory), *self._arguments],
            cwd=PACKAGE_PARENT,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in a terminal reaches only the parent, which ends the sandbox
        )

    def _fail(self, reason: str) -> None:
        lines = self.log_file.read_text(errors="replace").splitlines()[-15:]
        self.stop()
        raise SandboxError("\n".join([f"{reason}; its last lines:", *lines]) if lines else reason)
