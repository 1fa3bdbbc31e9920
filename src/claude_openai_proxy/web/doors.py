"""Who is let in: hosts, origins, client keys, and bodies that are JSON."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from claude_openai_proxy.errors import ClientRefusedError
from claude_openai_proxy.records import LOCAL, Principal
from claude_openai_proxy.service.client_keys import ClientKeys
from claude_openai_proxy.web.asgi import Header
from claude_openai_proxy.web.exchange import ANONYMOUS, Exchange
from claude_openai_proxy.web.response_headers import EXPOSED, header_value

Access = Literal["key", "operator", "page", "open"]
"""Needs a client key where there are any; the operator's; without one shows a person where to enter it; tells everybody
one word."""


@dataclass(frozen=True, slots=True)
class _Opening:
    """Who else is let in than a client with a key, where keys are set."""

    without_key: bool = False
    """As nobody in particular, who is told less."""
    any_host: bool = False
    """Under any name: what is told then is nothing that a page of a rebound name could use."""
    by_link: bool = False
    """By following a link of another site's page."""
    operator: bool = False
    """Only who may see what belongs to others and to the installation."""


_OPENINGS: Final[Mapping[Access, _Opening]] = {
    "key": _Opening(),
    "operator": _Opening(operator=True),
    "page": _Opening(without_key=True, by_link=True),
    "open": _Opening(without_key=True, by_link=True, any_host=True),
}

_LOOPBACK: Final = re.compile(r"(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?", re.IGNORECASE)
_PORT: Final = re.compile(r":\d{1,5}$")


class Doors:
    """`public` says that others than this machine can connect.

    What is told to whom is decided by "keys are set", not by the address that is listened on: behind a reverse proxy
    strangers come in by loopback too.
    """

    def __init__(
        self,
        *,
        keys: ClientKeys,
        allowed_hosts: Collection[str] = (),
        allowed_origins: Collection[str] = (),
        public: bool = False,
    ) -> None:
        self.keys = keys
        self._hosts = frozenset(host.lower() for host in allowed_hosts)
        self._origins = frozenset(origin.lower().rstrip("/") for origin in allowed_origins)
        self._public = public

    def enter(self, exchange: Exchange, access: Access) -> Principal:
        """Who asks. Raises `ClientRefusedError`: for a name or page that is not ours, or where a key is needed, and
        `StorageUnavailableError` where nobody can say whether one is needed or right.

        A client key shows more than a name does, so whoever has one may use any; and so may who is told one word only.
        """
        presented = _presented_keys(exchange) if self._public or self.keys.exist else []
        owner = self.keys.owner(presented)
        foreign = None if owner else self._foreign_host(exchange)
        if foreign is not None and not _OPENINGS[access].any_host:
            raise self._wrong_host(foreign)
        self._check_origin(exchange, access)
        if owner:
            return _checked(owner, access)
        if not (self._public or self.keys.required) and foreign is None:
            return LOCAL
        if _OPENINGS[access].without_key:
            return ANONYMOUS
        raise self.keys.trouble or ClientRefusedError(_no_key(presented), status=401, code="invalid_api_key")

    def enter_preflight(self, exchange: Exchange) -> None:
        """A browser asks what it may send; it shows no key yet. Raises `ClientRefusedError`."""
        if (foreign := self._foreign_host(exchange)) is not None:
            raise self._wrong_host(foreign)
        self._check_origin(exchange, "key")

    def _foreign_host(self, exchange: Exchange) -> str | None:
        """The name that is not this machine's own: a page of a rebound DNS name sends its own as `Host`."""
        for host in exchange.visitor.named:
            if not (_LOOPBACK.fullmatch(host) or self._allows_host(host.lower())):
                return host
        return None

    def _wrong_host(self, host: str) -> ClientRefusedError:
        name = _shown(_PORT.sub("", host)) or "the name in use"
        or_key = ", or send one of this proxy's keys" if self.keys.required else ""
        return ClientRefusedError(
            f"Requests to the host {name!r} are not answered. If it is yours, set ALLOWED_HOSTS={name}{or_key}.",
            status=403,
            code="host_not_allowed",
        )

    def _check_origin(self, exchange: Exchange, access: Access) -> None:
        """Browsers name the page's origin; an allowed one may read the answer (`exchange.cors` is set)."""
        origin = exchange.header(b"origin")
        if not origin:
            return self._check_site(exchange, access)
        if _same_origin(origin, exchange.visitor.named):
            return None
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
        return None

    def _check_site(self, exchange: Exchange, access: Access) -> None:
        """An image or a link of another site's page names no origin, cannot read, and must not set anything off."""
        site = exchange.header(b"sec-fetch-site").lower()
        if site not in ("cross-site", "same-site") or "*" in self._origins:
            return
        if exchange.header(b"sec-fetch-mode").lower() == "navigate" and _OPENINGS[access].by_link:
            return
        raise ClientRefusedError(
            "Requests that pages of other sites set off are not answered. Type the address into the browser instead.",
            status=403,
            code="origin_not_allowed",
        )

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


def _presented_keys(exchange: Exchange) -> list[str]:
    """Each that came: some clients send a dummy beside the real one, some leave the word `Bearer` out."""
    headers, keys = exchange.headers, []
    if b"authorization" in headers:
        scheme, blank, key = exchange.header(b"authorization").strip().partition(" ")
        if not blank or scheme.lower() == "bearer":
            keys.append(key.strip() if blank else scheme)
    if b"x-api-key" in headers:
        keys.append(exchange.header(b"x-api-key").strip())
    if b"api-key" in headers:
        keys.append(exchange.header(b"api-key").strip())
    return keys


def _checked(owner: Principal, access: Access) -> Principal:
    if _OPENINGS[access].operator and not owner.operator:
        raise ClientRefusedError(
            "Only an operator sees this: who has a key made with `claude-openai-proxy keys add NAME --operator`, or "
            "runs the commands on the proxy's own machine.",
            status=403,
            code="operator_only",
        )
    return owner


def _no_key(presented: Iterable[str]) -> str:
    if any(presented):
        return "The API key is not one of this proxy's: neither of PROXY_API_KEYS nor one that `keys list` shows."
    return (
        "No API key came with the request. Send one of this proxy's keys (PROXY_API_KEYS, or `keys add NAME`) "
        "as `Authorization: Bearer <key>`."
    )


def _same_origin(origin: str, hosts: Iterable[str]) -> bool:
    scheme, _, rest = origin.lower().partition("://")
    return scheme in ("http", "https") and rest in {host.lower() for host in hosts}


def _shown(text: str) -> str:
    return header_value(text[:200]).decode()
