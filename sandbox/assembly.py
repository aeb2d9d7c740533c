"""Assemble the sandbox and start it. Importing this imports moto."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from sandbox import (
    application,
    environment,
    glue,
    iam,
    iam_simulation,
    roles,
    s3,
    sagemaker,
    studio_host,
)
from sandbox.authorization import Authority
from sandbox.iam_evaluator import Evaluator
from sandbox.iam_rules import Quotas
from sandbox.server import ADDRESS, Server, make_context
from sandbox.sessions import s3_settings, write_trust_store

CREDENTIALS_LIFETIME = 3600
"""Seconds."""


@dataclass(frozen=True)
class Running:
    """A running sandbox."""

    variables: dict[str, str]
    """Environment variables for its clients."""
    sessions: glue.Sessions
    sessions_folder: Path
    certificates: tuple[Path, ...]

    def stop(self) -> None:
        """End the Glue sessions; remove their folders and the certificates, which belong to this run alone."""
        self.sessions.end()
        shutil.rmtree(self.sessions_folder, ignore_errors=True)
        for file in self.certificates:
            file.unlink(missing_ok=True)


def start(directory: Path, *, port: int, quotas: Quotas, sessions_quota: int, log_requests: bool) -> Running:
    """Start all servers; write the certificates and the files of sessions to `directory`.

    Raises:
        OSError: the port is not available.
    """
    application.log_to_stderr(requests=log_requests)
    evaluator = Evaluator()
    authority = Authority(evaluator)
    authority.install()
    iam.install(quotas)
    iam_simulation.install(evaluator)
    s3.install()
    sagemaker.install()

    authority_file = directory / "certificate-authority.pem"
    app = application.Application(authority)
    server = Server(app, port=port, context=make_context(authority_file))
    server.start()
    host = studio_host.StudioHost(lambda role_arn: _credentials(app, evaluator, role_arn), server.port)
    host.start()

    trust_store = directory / "certificate-authority.p12"
    write_trust_store(authority_file, trust_store)
    endpoint = f"https://{ADDRESS}:{server.port}"
    folder = directory / "sessions"
    starter = glue.session_starter(
        folder,
        {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_CA_BUNDLE": str(authority_file),
            "SSL_CERT_FILE": str(authority_file),  # for PyArrow's S3 client, which pandas uses
            "AWS_REGION": environment.REGION,
            "AWS_DEFAULT_REGION": environment.REGION,
        },
        lambda: s3_settings(endpoint=endpoint, trust_store=trust_store),
    )
    sessions = glue.Sessions(evaluator, starter, sessions_quota)
    glue.install(sessions)
    variables = environment.client_environment(
        port=server.port, authority_file=authority_file, studio_address=host.address
    )
    return Running(variables, sessions, folder, (authority_file, trust_store))


def _credentials(app: application.Application, evaluator: Evaluator, role_arn: str) -> studio_host.Credentials:
    """Return the credentials of an execution role that SageMaker has assumed."""
    with app.turn:
        role = roles.find_role(role_arn)
        if role is None:
            raise studio_host.CredentialsRefusedError(f"there is no role {role_arn}")
        if not roles.trusts(evaluator, role, "sagemaker.amazonaws.com"):
            raise studio_host.CredentialsRefusedError(f"{role_arn} does not let sagemaker.amazonaws.com assume it")
        session = roles.assume(role, "SageMaker")
    return {
        "AccessKeyId": session.access_key_id,
        "SecretAccessKey": session.secret_access_key,
        "Token": session.session_token,
        "RoleArn": role.arn,
        "Expiration": studio_host.expiry(CREDENTIALS_LIFETIME),
    }
