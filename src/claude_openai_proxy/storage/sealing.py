"""What quotes a prompt or an answer is sealed before it is stored: AES-256-GCM, one key for an installation.

A sealed value is one version byte, a nonce of 12 random bytes, and the ciphertext with its tag
(NIST SP 800-38D; https://cryptography.io/en/latest/hazmat/primitives/aead/). `about` binds it to its place, the row's
table and id for instance, so that a value moved elsewhere does not open.
"""

import hashlib
import hmac
import os
import secrets
import stat
from pathlib import Path
from typing import Final

from claude_openai_proxy.storage.interface import StorageRefusedError

KEY_BYTES: Final = 32
SHORTEST_KEY: Final = 16
"""Characters of a key that a person has chosen."""
KEY_FILE: Final = "storage.key"
OPERATOR_FILE: Final = "operator.key"
"""What the commands show a running server."""

_VERSION: Final = b"\x01"
_NONCE_BYTES: Final = 12


class Seal:
    """Seals and opens with one key of `KEY_BYTES` bytes."""

    def __init__(self, key: bytes) -> None:
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - only who stores something pays for the import
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

        self._cipher = AESGCM(key)
        self._does_not_open = InvalidTag
        self.fingerprint = hmac.new(key, b"fingerprint", hashlib.sha256).hexdigest()[:16]
        """Tells two keys apart and gives neither away."""

    def seal(self, plain: bytes, about: bytes) -> bytes:
        """`plain` sealed."""
        nonce = os.urandom(_NONCE_BYTES)
        return _VERSION + nonce + self._cipher.encrypt(nonce, plain, about)

    def open(self, sealed: bytes, about: bytes) -> bytes | None:
        """What was sealed; None where it was sealed with another key, for another place, or is damaged."""
        if sealed[:1] != _VERSION:
            return None
        nonce, rest = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, rest, about)
        except (self._does_not_open, ValueError):
            return None


def key_of(text: str) -> bytes:
    """The key for a `STORAGE_KEY`: 64 hexadecimal digits as they are, any other text by its digest.

    Raises ValueError for a text that is too short to be one.
    """
    if len(text) < SHORTEST_KEY:
        raise ValueError(f"has {len(text)} characters, at least {SHORTEST_KEY} are needed")
    if len(text) == 2 * KEY_BYTES:
        try:
            return bytes.fromhex(text)
        except ValueError:
            pass  # a passphrase of just that length
    return hashlib.sha256(b"claude-openai-proxy storage\0" + text.encode()).digest()


def generated_key(directory: Path, name: str = KEY_FILE) -> bytes:
    """The key kept in `directory` under this name, made at first use; two processes that come at once get the same.

    Raises `StorageRefusedError` where the file is not a key or others may read it, OSError as the system does.
    """
    path = directory / name
    if not path.exists():
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        mine = directory / f"{name}.{secrets.token_hex(8)}"
        descriptor = os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(descriptor, secrets.token_hex(KEY_BYTES).encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        try:
            os.link(mine, path)
        except FileExistsError:
            pass  # the other process was quicker
        finally:
            mine.unlink()
    return _read_key(path)


def _read_key(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or (os.name == "posix" and status.st_uid != os.geteuid()):
            raise StorageRefusedError(f"{path} is not a file of your own.")
        if os.name == "posix" and stat.S_IMODE(status.st_mode) & 0o077:
            raise StorageRefusedError(f"{path} can be read by others. Run: chmod 600 {path}")
        text = os.read(descriptor, 4 * KEY_BYTES).decode("ascii", "replace").strip()
    finally:
        os.close(descriptor)
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise StorageRefusedError(f"{path} does not hold a key of {KEY_BYTES} bytes.")
    return key
