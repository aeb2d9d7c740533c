"""Spark's settings for `s3://` addresses: Hadoop's S3 client with the sandbox, as the session's role.

Glue has a different client for `s3://`; S3 and the role's permissions are the same.
"""

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12Certificate, serialize_java_truststore

from sandbox.sessions import JAVA_OPTIONS, folder_of

JARS = ("hadoop-aws-3.3.1.jar", "aws-java-sdk-bundle-1.11.901.jar")
"""The only files used from the package `sagemaker_pyspark`."""
TRUST_STORE_PASSWORD = "sandbox"


def spark_settings(*, endpoint: str, trust_store: Path) -> dict[str, str]:
    """Return Spark's settings for S3 at `endpoint`; credentials come from the environment."""
    jars = folder_of("sagemaker_pyspark") / "jars"
    client = {
        "endpoint": endpoint,
        "path.style.access": "true",
        "aws.credentials.provider": "com.amazonaws.auth.EnvironmentVariableCredentialsProvider",
        "attempts.maximum": "1",
        "retry.limit": "1",
    }
    return {
        "spark.jars": ",".join(str(jars / name) for name in JARS),
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
