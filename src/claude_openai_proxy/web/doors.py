"""Who is let in: hosts, origins, client keys, and bodies that are JSON."""

import hashlib
import hmac
import re
from collections.abc import Collection, Mapping
from typing import Final, Literal

from claude_openai_proxy.errors import ClientRefusedError
from claude_openai_proxy.records import Principal
from claude_openai_proxy.web.asgi import Header
from claude_openai_proxy.web.exchange import ANONYMOUS, Exchange
from claude_openai_proxy.web.response_headers import EXPOSED, header_value

Access = Literal["key", "page", "health"]
"""Needs a client key where there are any; does so on a public bind only; there a bare look needs none."""

LOCAL: Final = Principal()

_LOOPBACK: Final = re.compile(r"(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?", re.IGNORECASE)
_PORT: Final = re.compile(r":\d{1,5}$")


class Doors:
    """`keys` maps each client key to its name; `public` says that others than this machine can connect."""

    def __init__(
        self,
        *,
        keys: Mapping[str, str],
        allowed_hosts: Collection[str] = (),
        allowed_origins: Collection[str] = (),
        public: bool = False,
    ) -> None:
        self._principals = [(_digest(key), Principal(name)) for key, name in keys.items()]
        self._hosts = frozenset(host.lower() for host in allowed_hosts)
        self._origins = frozenset(origin.lower().rstrip("/") for origin in allowed_origins)
        self._public = public
        self._asks_for_keys = public or bool(keys)

    def check_host(self, exchange: Exchange) -> None:
        """Only this machine's own names: a page of a rebound DNS name sends its own as `Host`."""
        host = exchange.header(b"host")
        if _LOOPBACK.fullmatch(host) or self._allows_host(host.lower()):
            return
        name = _shown(_PORT.sub("", host)) or "the name in use"
        raise ClientRefusedError(
            f"Requests to the host {name!r} are not answered. If it is yours, set ALLOWED_HOSTS={name}.",
            status=403,
            code="host_not_allowed",
        )

    def check_origin(self, exchange: Exchange) -> None:
        """Browsers name the page's origin; an allowed one may read the answer (`exchange.cors` is set)."""
        origin = exchange.header(b"origin")
        if not origin or _same_origin(origin, exchange.header(b"host")):
            return
        if not self._allows_origin(origin):
            shown = _shown(origin)
            raise ClientRefusedError(
                f"Requests from pages of {shown} are not answered. If you trust them, set ALLOWED_ORIGINS={shown}.",
                status=403,
                code="origin_not_allowed",
            )
        exchange.cors = (
            (b"access-control-allow-origin", header_value(origin)),
            (b"access-control-expose-headers", EXPOSED.encode()),
            (b"vary", b"origin"),
        )

    def principal(self, exchange: Exchange, access: Access) -> Principal:
        """Who asks. Raises where a key is needed and none, or none of ours, came."""
        if not self._asks_for_keys:
            return LOCAL
        presented = _presented_key(exchange)
        if presented and (principal := self._owner(presented)):
            return principal
        if access == "key" or (self._public and not (access == "health" and not exchange.query)):
            raise ClientRefusedError(_no_key(presented), status=401, code="invalid_api_key")
        return ANONYMOUS if self._public else LOCAL

    def _owner(self, key: str) -> Principal | None:
        """Every key is compared, each in constant time: nothing can be learnt from how long it takes."""
        digest, owner = _digest(key), None
        for known, principal in self._principals:
            if hmac.compare_digest(known, digest):
                owner = principal
        return owner

    def _allows_host(self, host: str) -> bool:
        return bool(host) and ("*" in self._hosts or host in self._hosts or _PORT.sub("", host) in self._hosts)

    def _allows_origin(self, origin: str) -> bool:
        return "*" in self._origins or origin.lower() in self._origins


def preflight_headers(exchange: Exchange, methods: str) -> list[Header]:
    """Answer to a browser that asks before it sends; the origin has been let in."""
    headers = [
        (b"access-control-allow-methods", methods.encode()),
        (b"access-control-allow-headers", header_value(exchange.header(b"access-control-request-headers"))),
        (b"access-control-max-age", b"600"),
    ]
    if exchange.header(b"access-control-request-private-network") == "true":
        headers.append((b"access-control-allow-private-network", b"true"))
    return headers


def check_json(exchange: Exchange) -> None:
    """A page may send other types anywhere without asking first; JSON it may not."""
    type_ = exchange.headers.get(b"content-type", b"")
    if type_ == b"application/json":
        return
    media_type = type_.partition(b";")[0].strip().lower()
    if media_type != b"application/json" and not (
        media_type.startswith(b"application/") and media_type.endswith(b"+json")
    ):
        shown = _shown(type_.decode("latin-1")) or "none"
        raise ClientRefusedError(
            f"The request's content type must be application/json; it is {shown}.",
            status=415,
            code="unsupported_media_type",
        )


def _presented_key(exchange: Exchange) -> str:
    scheme, _, key = exchange.header(b"authorization").partition(" ")
    if scheme.lower() == "bearer" and key.strip():
        return key.strip()
    return exchange.header(b"x-api-key") or exchange.header(b"api-key")


def _no_key(presented: str) -> str:
    if presented:
        return "The API key is not one of this proxy's. Use one of those in its setting PROXY_API_KEYS."
    return "No API key came with the request. Send one of PROXY_API_KEYS as `Authorization: Bearer <key>`."


def _same_origin(origin: str, host: str) -> bool:
    scheme, _, rest = origin.lower().partition("://")
    return scheme in ("http", "https") and rest == host.lower()


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


def _shown(text: str) -> str:
    return header_value(text[:200]).decode()
