"""End users' ids as Claude gets to see them: keyed with a secret of this installation."""

import hashlib
import hmac
import secrets
from functools import cached_property
from pathlib import Path

from claude_openai_proxy.storage.interface import StorageRefusedError
from claude_openai_proxy.storage.sealing import KEY_BYTES, generated_key


class Pseudonyms:
    """Calling it gives the pseudonym of an id. A bare digest of an e-mail address could be found by trying addresses.

    The secret is looked up, and made, when the first id comes. Where it cannot be kept in `directory`, one lasts as
    long as the process.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def __call__(self, user: str) -> str:
        """64 hexadecimal digits."""
        return hmac.new(self._key, user.encode(), hashlib.sha256).hexdigest()

    @cached_property
    def _key(self) -> bytes:
        try:
            secret = generated_key(self._directory)
        except (OSError, StorageRefusedError):
            secret = secrets.token_bytes(KEY_BYTES)
        return hmac.new(secret, b"end user", hashlib.sha256).digest()
