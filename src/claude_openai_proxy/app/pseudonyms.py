"""Names that stand for others, keyed with a secret of this installation: of end users, of the owners of client keys."""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable
from functools import cached_property

from claude_openai_proxy.settings import ClientKey
from claude_openai_proxy.storage.interface import StorageRefusedError
from claude_openai_proxy.storage.sealing import KEY_BYTES


class Pseudonyms:
    """Calling it gives the pseudonym of an id. A bare digest of an e-mail address could be found by trying addresses.

    `purpose` keeps pseudonyms of one kind from being those of another.

    `secret` is asked for when the first id comes. Where it cannot be had, one lasts as long as the process.
    """

    def __init__(self, secret: Callable[[], bytes], purpose: str = "end user") -> None:
        self._secret = secret
        self._purpose = purpose

    def __call__(self, known: str) -> str:
        """64 hexadecimal digits."""
        return hmac.new(self._key, known.encode(), hashlib.sha256).hexdigest()

    @cached_property
    def _key(self) -> bytes:
        try:
            secret = self._secret()
        except (OSError, StorageRefusedError):
            secret = secrets.token_bytes(KEY_BYTES)
        return hmac.new(secret, self._purpose.encode(), hashlib.sha256).digest()


def principal_ids(keys: Iterable[ClientKey], secret: Callable[[], bytes]) -> Callable[[str], str]:
    """From the name of one of PROXY_API_KEYS to its principal's id.

    A name survives another key. A key without a name is known by nothing but itself: its place may go to another.
    """
    pseudonym = Pseudonyms(secret, "client key")
    known_by = {key.name: f"name {key.name}" if key.named else f"key {key.secret.reveal()}" for key in keys}
    return lambda name: pseudonym(known_by[name])
