"""Put the sandbox together and start it. Importing this imports moto."""

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
    s3a,
    sagemaker,
    studio_host,
    tls,
)
from sandbox.authorization import Authority
from sandbox.iam_evaluator import Evaluator
from sandbox.iam_quotas import Quotas
from sandbox.server import ADDRESS, Server

CREDENTIALS_LAST = 3600
"""Seconds."""


@dataclass(frozen=True)
class Running:
    """A sandbox that serves."""

    variables: dict[str, str]
    """Environment variables for its clients."""
    sessions: glue.Sessions
    sessions_folder: Path

    def end(self) -> None:
        """End what it has started."""
        self.sessions.end()
        shutil.rmtree(self.sessions_folder, ignore_errors=True)


def start(directory: Path, *, port: int, quotas: Quotas, sessions_quota: int, log_requests: bool) -> Running:
    """Start all servers; put the certificates, and what sessions need, into `directory`.

    Raises:
        OSError: the port cannot be had.

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
    server = Server(app, port=port, context=tls.make_context(authority_file))
    server.start()
    host = studio_host.StudioHost(lambda role_arn: _credentials(app, evaluator, role_arn), server.port)
    host.start()

    trust_store = directory / "certificate-authority.p12"
    s3a.write_trust_store(authority_file, trust_store)
    endpoint = f"https://{ADDRESS}:{server.port}"
    folder = directory / "sessions"
    starter = glue.session_starter(
        folder,
        {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_CA_BUNDLE": str(authority_file),
            "AWS_REGION": environment.REGION,
            "AWS_DEFAULT_REGION": environment.REGION,
        },
        lambda: s3a.spark_settings(endpoint=endpoint, trust_store=trust_store),
    )
    all_sessions = glue.Sessions(evaluator, starter, sessions_quota)
    glue.install(all_sessions)
    variables = environment.client_environment(
        port=server.port, authority_file=authority_file, studio_address=host.address
    )
    return Running(variables, all_sessions, folder)


def _credentials(app: application.Application, evaluator: Evaluator, role_arn: str) -> studio_host.Credentials:
    """Return an execution role's credentials, as SageMaker has them once it has assumed the role."""
    with app.turn:
        role = roles.find_role(role_arn)
        if role is None or not roles.trusts(evaluator, role, "sagemaker.amazonaws.com"):
            raise studio_host.CredentialsRefusedError(f"{role_arn} does not let sagemaker.amazonaws.com assume it")
        session = roles.assume(role, "SageMaker")
    return {
        "AccessKeyId": session.access_key_id,
        "SecretAccessKey": session.secret_access_key,
        "Token": session.session_token,
        "RoleArn": role.arn,
        "Expiration": studio_host.expiry(CREDENTIALS_LAST),
    }
