"""The examples in `deploy/`, with ports and a certificate of the test's own instead of the printed ones."""

import asyncio
import datetime as dt
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DEPLOY = Path(__file__).parents[2] / "deploy"
NAME = "claude.example.org"
PRINTED = "127.0.0.1:3000"


def program(name: str) -> str:
    """Where the reverse proxy is, of Debian's package of that name."""
    found = shutil.which(name, path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@dataclass(frozen=True, slots=True)
class Certificate:
    certificate: Path
    key: Path

    def trusting(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.certificate))


def certificate(folder: Path) -> Certificate:
    """For NAME, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    found = Certificate(folder / "certificate.pem", folder / "key.pem")
    found.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    found.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return found


@asynccontextmanager
async def nginx(folder: Path, configuration: Path) -> AsyncIterator[None]:
    """Runs in `folder` while the block runs; entered when it listens."""
    process = await asyncio.create_subprocess_exec(
        program("nginx"), "-e", "stderr", "-p", folder, "-c", configuration, stderr=asyncio.subprocess.PIPE
    )
    try:
        assert process.stderr is not None
        said = b""
        while b"start worker process " not in said:
            line = await process.stderr.readline()
            assert line, said.decode()
            said += line
        yield
    finally:
        process.terminate()
        await process.communicate()


def nginx_configuration(folder: Path, port: int, upstream: str, certificate: Certificate) -> Path:
    """The whole file around `deploy/nginx.conf`, with nothing outside `folder`."""
    site = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    for printed, here in {
        PRINTED: upstream,
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        f"/etc/ssl/{NAME}.pem": str(certificate.certificate),
        f"/etc/ssl/private/{NAME}.key": str(certificate.key),
    }.items():
        assert site.count(printed) == 1, printed
        site = site.replace(printed, here)
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole = folder / "nginx.conf"
    whole.write_text(
        f"daemon off;\nerror_log stderr notice;\npid {folder}/nginx.pid;\nworker_processes 1;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{temporary}{site}\n}}\n",
        encoding="utf-8",
    )
    return whole


def says(*command: str) -> str:
    """What a command that must succeed says."""
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout + run.stderr
