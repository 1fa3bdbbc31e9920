"""From the text of a setting to its value. Each reader raises ValueError for what is not allowed, and says nothing."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from types import MappingProxyType
from typing import Literal, TypeVar, cast
from urllib.parse import urlsplit

from claude_openai_proxy.settings.secret import Secret
from claude_openai_proxy.trust import header_text
from claude_openai_proxy.urls import split_url

LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["auto", "console", "json"]
Unsupported = Literal["report", "reject"]
StateKind = Literal["sqlite", "memory"]
FallbackKind = Literal["none", "api", "claude-code"]
PlanMeterKind = Literal["events", "off"]
KeptKind = Literal["sqlite", "memory", "off"]
BatchesKind = Literal["auto", "native", "emulated", "off"]

LOCALHOST = "localhost"
"""Stands for both loopback addresses."""

MOST_DOLLARS = 100_000

SHORTEST_STORAGE_KEY = 16
"""Characters."""

_Choice = TypeVar("_Choice", bound=str)
_HOST_NAME = re.compile(
    r"(?=.{1,253}\Z)[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*"
)
_MODEL_NAME = re.compile(r"[^\s,=]{1,256}")
_KEY_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True, slots=True)
class ClientKey:
    """A key that clients may present, and the name it has in the records."""

    name: str
    secret: Secret = field(repr=False)
    named: bool = True
    """False where the name is but its place in the list."""


def one_of(*choices: _Choice) -> Callable[[str], _Choice]:
    """One of these words, in any case."""

    def read(text: str) -> _Choice:
        if text.lower() not in choices:
            raise ValueError
        return cast("_Choice", text.lower())

    return read


def whole_number(lowest: int, highest: int) -> Callable[[str], int]:
    """A number without a fraction, both ends included."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not lowest <= int(text) <= highest:
            raise ValueError
        return int(text)

    return read


def whole_number_or_auto(lowest: int, highest: int) -> Callable[[str], int | None]:
    """As `whole_number`; `auto` leaves it to the proxy."""
    number = whole_number(lowest, highest)
    return lambda text: None if text.lower() == "auto" else number(text)


def seconds(text: str) -> float:
    """More than nothing and at most a day."""
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", text) or not 0 < float(text) <= 86_400:
        raise ValueError
    return float(text)


def seconds_or_none(text: str) -> float | None:
    """`none` stands for no limit."""
    return None if text.lower() == "none" else seconds(text)


def span(text: str) -> float:
    """Seconds of `90m`, `24h` or `7d`; at most a year."""
    found = re.fullmatch(r"([0-9]{1,6})([mhd])", text.lower())
    length = int(found[1]) * {"m": 60, "h": 3_600, "d": 86_400}[found[2]] if found else 0
    if not 0 < length <= 366 * 86_400:
        raise ValueError
    return float(length)


def yes_or_no(text: str) -> bool:
    """The usual words for it."""
    if text.lower() in {"yes", "true", "1", "on"}:
        return True
    if text.lower() in {"no", "false", "0", "off"}:
        return False
    raise ValueError


def plain_text(text: str) -> str:
    """Anything that can be printed."""
    if not text.isprintable():
        raise ValueError
    return text


def header_secret(text: str) -> Secret:
    """What can stand in a header: visible ASCII without blanks."""
    return Secret(header_text(text))


def storage_key(text: str) -> Secret:
    """A header secret that is long enough to be a key."""
    if len(text) < SHORTEST_STORAGE_KEY:
        raise ValueError
    return header_secret(text)


def database_url(text: str) -> Secret | None:
    """`none` stands for the file in STATE_DIR."""
    if text.lower() == "none":
        return None
    parts = urlsplit(text)
    if parts.scheme not in {"postgresql", "postgres"} or not text.isprintable() or " " in text or parts.fragment:
        raise ValueError
    return Secret(text)


def bind_host(text: str) -> str:
    """`localhost`, an address or a host name; brackets around an IPv6 address are taken off."""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if is_address(bare) or _HOST_NAME.fullmatch(bare):
        return bare.lower()
    raise ValueError


def is_address(host: str) -> bool:
    """True for an IPv4 or IPv6 address."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """True where only programs of the same machine get in. A host name is not looked up: it counts as public."""
    return host == LOCALHOST or (is_address(host) and ip_address(host).is_loopback)


def model_name(text: str) -> str:
    """A name without blanks, commas and equals signs."""
    if not _MODEL_NAME.fullmatch(text) or not text.isprintable():
        raise ValueError
    return text


def model_aliases(text: str) -> Mapping[str, str]:
    """`name=target,...`."""
    aliases: dict[str, str] = {}
    for item in _items(text):
        name, equals, target = (part.strip() for part in item.partition("="))
        if not equals or name in aliases:
            raise ValueError
        aliases[model_name(name)] = model_name(target)
    return MappingProxyType(aliases)


def model_fallbacks(text: str) -> Mapping[str, str]:
    """`name>name,...`; no chain leads back to its beginning."""
    fallbacks: dict[str, str] = {}
    for item in _items(text):
        name, arrow, target = (part.strip() for part in item.partition(">"))
        if not arrow or name in fallbacks:
            raise ValueError
        fallbacks[model_name(name)] = model_name(target)
    for name in fallbacks:
        seen = {name}
        while (name := fallbacks.get(name, "")) and name not in seen:
            seen.add(name)
        if name:
            raise ValueError
    return MappingProxyType(fallbacks)


def dollars(text: str) -> float:
    """Nothing, or up to a hundred thousand."""
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,4})?", text) or float(text) > MOST_DOLLARS:
        raise ValueError
    return float(text)


def client_keys(text: str) -> tuple[ClientKey, ...]:
    """`key` or `name:key`, comma-separated. A key without a name is called `key-1`, `key-2` ... by its place."""
    keys = tuple(_client_key(item, place) for place, item in enumerate(_items(text), start=1))
    if len({key.name for key in keys}) != len(keys) or len({key.secret for key in keys}) != len(keys):
        raise ValueError
    return keys


def _client_key(item: str, place: int) -> ClientKey:
    name, colon, key = (part.strip() for part in item.partition(":"))
    if not colon:
        return ClientKey(f"key-{place}", header_secret(name), named=False)
    if not _KEY_NAME.fullmatch(name):
        raise ValueError
    return ClientKey(name, header_secret(key))


def host_names(text: str) -> tuple[str, ...]:
    """Names or addresses as they stand in a Host header, without port, in lower case; `*` is any."""
    return tuple(_host_name(item) for item in _items(text))


def _host_name(text: str) -> str:
    host = "*" if text == "*" else bind_host(text)
    return f"[{host}]" if ":" in host else host


def networks(text: str) -> tuple[str, ...]:
    """Addresses and networks (`10.0.0.0/8`)."""
    return tuple(str(ip_network(item, strict=False)) for item in _items(text))


def origins(text: str) -> tuple[str, ...]:
    """Origins as browsers send them: scheme, host and perhaps a port; `null` is a page without one, `*` is any."""
    return tuple(_origin(item) for item in _items(text))


def _origin(text: str) -> str:
    if text in {"*", "null"}:
        return text
    parts = split_url(text)
    if not parts.scheme or parts.path not in {"", "/"} or parts.username is not None or parts.query or parts.fragment:
        raise ValueError
    return f"{parts.scheme}://{parts.netloc}".lower()


def _items(text: str) -> list[str]:
    """The parts between commas or line ends; one comma at the end is forgiven, an empty part elsewhere is not."""
    items = [item.strip() for item in re.split(r",\s*\n|,|\n", text)]
    if len(items) > 1 and not items[-1]:
        items.pop()
    if not all(items):
        raise ValueError
    return items
