"""Who may look at the usage page in a browser where client keys are set: whoever may read STATE_DIR, by a link.

| state of a link | a POST with its code |
|---|---|
| made by the operator's credential, less than `LINK_SECONDS` ago | gives a session, and the code is used up |
| used, too old, or never made | gives nothing |

| state of a session | a look at the page |
|---|---|
| sealed with the credential of this moment, less than `SESSION_SECONDS` old | allowed |
| too old, altered, or sealed with a credential that is there no more | refused |

Invariants: a code has 128 random bits, and only its digest is kept, where every worker of a server finds it; a session
is kept by the browser alone, so that it outlives a restart and dies with the credential; neither opens anything else.
"""

import hashlib
import hmac
from collections.abc import Callable
from typing import Final

from claude_openai_proxy.errors import ClientRefusedError
from claude_openai_proxy.storage.usage_links import UsageLinkStore

LINK_SECONDS: Final = 60
SESSION_SECONDS: Final = 12 * 3_600
_PURPOSE: Final = b"usage page"


class UsageSessions:
    """`credential`: the operator's, "" for none; `new_code` gives 128 random bits as text, `wall_clock` seconds."""

    def __init__(
        self,
        links: UsageLinkStore,
        *,
        credential: Callable[[], str],
        new_code: Callable[[], str],
        wall_clock: Callable[[], float],
    ) -> None:
        self._links = links
        self._credential = credential
        self._new_code = new_code
        self._now = wall_clock

    async def link(self) -> str:
        """A new code. Raises `ClientRefusedError` where nothing could seal a session, `StorageUnavailableError`."""
        if not self._credential():
            raise ClientRefusedError(
                "There is no link to the usage page: with STATE=memory, or a STATE_DIR of no use, there is "
                "no operator's credential. Send a key made with `keys add NAME --operator`.",
                status=409,
                code="no_operator_credential",
            )
        code, now = self._new_code(), self._now()
        await self._links.add(_digest(code), until=now + LINK_SECONDS, now=now)
        return code

    async def session(self, code: str) -> str:
        """What the browser is to keep; "" where the code is none, or no more. Raises `StorageUnavailableError`."""
        if not await self._links.take(_digest(code), self._now()):
            return ""
        expires = str(int(self._now()) + SESSION_SECONDS)
        nonce = self._new_code()
        return f"{expires}.{nonce}.{self._seal(expires, nonce)}"

    def admits(self, session: str) -> bool:
        """Whether `session` is one of these and still good."""
        expires, _, rest = session.partition(".")
        nonce, _, seal = rest.partition(".")
        if not (expires.isascii() and expires.isdecimal() and len(expires) <= 15 and self._now() < int(expires)):
            return False
        return bool(self._credential()) and hmac.compare_digest(seal.encode(), self._seal(expires, nonce).encode())

    def _seal(self, expires: str, nonce: str) -> str:
        key = hmac.new(self._credential().encode(), _PURPOSE, hashlib.sha256).digest()
        return hmac.new(key, f"{expires}.{nonce}".encode(), hashlib.sha256).hexdigest()


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode("utf-8", "surrogateescape")).hexdigest()
