"""Whose certificates are believed."""

import ssl
from pathlib import Path

import certifi


def tls_context(ca_file: str = "", ca_dir: str = "") -> ssl.SSLContext:
    """A verifying client context. `ca_file` and `ca_dir` (SSL_CERT_FILE, SSL_CERT_DIR) replace the platform's store.

    Where the platform has no store, certifi's is used. Raises `OSError` for a file that is no set of certificates.
    """
    if ca_file or ca_dir:
        context = ssl.create_default_context(cafile=ca_file or None, capath=ca_dir or None)
    else:
        context = ssl.create_default_context()
        if not _platform_store(context):
            context.load_verify_locations(cafile=certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    return context


def _platform_store(context: ssl.SSLContext) -> bool:
    # Certificates of a directory are loaded when they are needed, so they do not count as loaded.
    if context.cert_store_stats()["x509_ca"]:
        return True
    directory = ssl.get_default_verify_paths().capath or ""
    return bool(directory) and any(Path(directory).iterdir())
