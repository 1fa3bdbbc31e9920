"""A certificate authority that nobody knows, made for the test with the `openssl` command."""

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Certificates:
    """`ca_file` is what a client must trust; `server` is a context whose certificate the authority signed."""

    ca_file: Path
    certificate: Path
    key: Path

    def server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


def make_certificates(directory: Path, *names: str) -> Certificates:
    """For these names, such as `DNS:api.test` or `IP:127.0.0.1`."""
    ca, ca_key = directory / "ca.pem", directory / "ca.key"
    certificate, key, request = directory / "server.pem", directory / "server.key", directory / "server.csr"
    extensions = directory / "extensions"
    extensions.write_text(f"subjectAltName={','.join(names)}\nbasicConstraints=CA:FALSE\n")
    _openssl(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=Test-CA",
        "-out",
        ca,
        "-keyout",
        ca_key,
    )
    _openssl("req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=server", "-out", request, "-keyout", key)
    _openssl(
        "x509 -req -days 2", "-in", request, "-CA", ca, "-CAkey", ca_key, "-extfile", extensions, "-out", certificate
    )
    return Certificates(ca, certificate, key)


def _openssl(command: str, *arguments: str | Path) -> None:
    subprocess.run(["openssl", *command.split(), *arguments], check=True, capture_output=True)
