"""Glue sessions that run statements, each in its own PySpark process."""

import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12Certificate, serialize_java_truststore

from sandbox import installation, session_arguments

INTERPRETER = Path(__file__).with_name("interpreter.py")
JAVA_OPTIONS = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""The fastest compiler and the simplest garbage collector halve the work of programs that run for seconds."""
SPARK_SETTINGS = {
    "spark.app.name": "glue-session",
    "spark.master": "local[2]",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.extraJavaOptions": JAVA_OPTIONS,
    "spark.driver.memory": "1g",
    "spark.sql.shuffle.partitions": "2",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
TRUST_STORE_PASSWORD = "sandbox"
ENDED = {"FAILED", "STOPPED", "TIMEOUT"}


class IllegalStateError(Exception):
    """The state of the session or statement does not allow the operation."""


class Session:
    """One session: its process, its state, and its statements.

    Args:
        folder: the working folder of the process; created here, and removed when the session stops.
        environment: further environment variables, such as the role's credentials.
        spark_settings: further Spark settings.
        arguments: the request's `DefaultArguments`.

    States are Glue's: PROVISIONING, READY, STOPPING, STOPPED, FAILED.
    """

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        spark_settings: Mapping[str, str],
        arguments: Mapping[str, str],
    ) -> None:
        self.created = time.time()
        self.state = "PROVISIONING"
        self.failure = ""
        self.statements: list[dict[str, Any]] = []
        self._folder = folder
        self._lock = threading.RLock()
        self._process, answers = _start(folder, environment, spark_settings, arguments)
        threading.Thread(target=self._read_answers, args=[answers], daemon=True).start()

    @property
    def has_ended(self) -> bool:
        """Whether the session's process has ended."""
        return self.state in ENDED

    def run(self, code: str) -> int:
        """Queue a statement; return its id.

        Raises:
            IllegalStateError: the session is not READY.
        """
        with self._lock:
            self._require_ready()
            number = len(self.statements)
            self.statements.append({"Id": number, "Code": code, "State": "WAITING", "Progress": 0.0})
            self._send_next()
            return number

    def cancel(self, number: int) -> None:
        """Cancel a waiting or running statement; a finished one does not change.

        Raises:
            IllegalStateError: the session is not READY.
            IndexError: the statement does not exist.
        """
        with self._lock:
            self._require_ready()
            statement = self.statements[number]
            if statement["State"] == "WAITING":
                statement["State"] = "CANCELLED"
            elif statement["State"] == "RUNNING":
                statement["State"] = "CANCELLING"
                self._process.send_signal(signal.SIGINT)

    def stop(self) -> None:
        """Begin to stop the session; it is STOPPED a moment later.

        Raises:
            IllegalStateError: the session is not READY.
        """
        with self._lock:
            self._require_ready()
            self.state = "STOPPING"
        threading.Thread(target=self.kill, daemon=True).start()

    def kill(self) -> None:
        """Kill the process and its children, and remove its folder."""
        with self._lock:
            if self._process.stdin and not self._process.stdin.closed:
                self._process.stdin.close()
                self._kill_group()
            if self.state != "FAILED":
                self.state = "STOPPED"
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _require_ready(self) -> None:
        if self.state != "READY":
            raise IllegalStateError(f"Session is in {self.state} status")

    def _kill_group(self) -> None:
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return

    def _send_next(self) -> None:
        """Send the first waiting statement, unless another is running."""
        if any(statement["State"] in ("RUNNING", "CANCELLING") for statement in self.statements):
            return
        for statement in self.statements:
            if statement["State"] == "WAITING":
                statement.update(State="RUNNING", StartedOn=_milliseconds())
                assert self._process.stdin is not None
                self._process.stdin.write(json.dumps({"id": statement["Id"], "code": statement["Code"]}) + "\n")
                self._process.stdin.flush()
                return

    def _read_answers(self, answers: int) -> None:
        with os.fdopen(answers) as lines:
            for line in lines:
                self._record(json.loads(line))
        self._process.wait()
        with self._lock:
            if self.state in ("PROVISIONING", "READY"):
                self.state = "FAILED"
                log = (self._folder / "log").read_text(errors="replace").strip()
                self.failure = f"the session's process ended with status {self._process.returncode}: {log[-1000:]}"
                self._kill_group()

    def _record(self, answer: dict[str, Any]) -> None:
        with self._lock:
            if self.state == "PROVISIONING":
                self.state = "READY"
                return
            statement = self.statements[answer["id"]]
            cancelled = statement["State"] == "CANCELLING"
            statement.update(
                State="CANCELLED" if cancelled else "AVAILABLE",
                Progress=1.0,
                CompletedOn=_milliseconds(),
                Output={**answer["output"], "ExecutionCount": answer["id"]},
            )
            if self.state == "READY":
                self._send_next()


def _start(
    folder: Path, environment: Mapping[str, str], spark_settings: Mapping[str, str], arguments: Mapping[str, str]
) -> tuple[subprocess.Popen[str], int]:
    """Start a session's process; return it, and the file descriptor of its answers."""
    python, java_home = installation.python(), installation.java_home()
    jars = installation.jars(session_arguments.table_formats(arguments))
    folder.mkdir(parents=True)
    settings = {
        **SPARK_SETTINGS,
        "spark.jars": ",".join(str(jar) for jar in jars),
        "spark.local.dir": str(folder),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        **spark_settings,
    }
    # Java does not read TMPDIR; quotes, since the path may have spaces
    settings["spark.driver.extraJavaOptions"] += f' "-Djava.io.tmpdir={folder}"'
    read, write = os.pipe()
    try:
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [python, INTERPRETER, str(write)],
                cwd=folder,
                env={
                    "PATH": os.environ.get("PATH", os.defpath),
                    "HOME": str(folder),
                    "TMPDIR": str(folder),
                    "LANG": "C.UTF-8",
                    "JAVA_HOME": str(java_home),
                    "MPLBACKEND": "Agg",
                    "PYSPARK_PYTHON": str(python),
                    "SESSION_ARGUMENTS": json.dumps(dict(arguments)),
                    "SESSION_NOTICE": session_arguments.notice(arguments),
                    "SPARK_LOCAL_IP": "127.0.0.1",
                    "SPARK_SETTINGS": json.dumps(settings),
                    **environment,
                },
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=[write],
                start_new_session=True,
                text=True,
            )
    except OSError:
        os.close(read)
        raise
    finally:
        os.close(write)
    return process, read


def s3_settings(*, endpoint: str, trust_store: Path) -> dict[str, str]:
    """Return Spark's settings for `s3://` addresses at `endpoint`; credentials come from the environment.

    Hadoop's S3 client reads them. Glue has a different client; S3 and the role's permissions are the same.
    """
    client = {
        "endpoint": endpoint,
        "path.style.access": "true",
        "aws.credentials.provider": "com.amazonaws.auth.EnvironmentVariableCredentialsProvider",
        "attempts.maximum": "1",
        "retry.limit": "1",
    }
    return {
        "spark.hadoop.fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
        **{f"spark.hadoop.fs.s3a.{name}": value for name, value in client.items()},
        "spark.driver.extraJavaOptions": f"{JAVA_OPTIONS} -Djavax.net.ssl.trustStore={trust_store} "
        f"-Djavax.net.ssl.trustStorePassword={TRUST_STORE_PASSWORD}",
    }


def write_trust_store(authority_file: Path, trust_store: Path) -> None:
    """Write a certificate authority (PEM) as a Java trust store."""
    certificate = x509.load_pem_x509_certificate(authority_file.read_bytes())
    trust_store.write_bytes(
        serialize_java_truststore(
            [PKCS12Certificate(certificate, b"sandbox")],
            serialization.BestAvailableEncryption(TRUST_STORE_PASSWORD.encode()),
        )
    )


def _milliseconds() -> int:
    return int(time.time() * 1000)
