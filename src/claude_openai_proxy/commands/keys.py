"""`keys`: client keys with a name, made, listed, changed and taken back; a running server knows within two seconds."""

import argparse
import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Final

from claude_openai_proxy.app.stores import Stores, stores
from claude_openai_proxy.commands.invocation import OK, WRONG_SETTING, Invocation, add_settings_flags
from claude_openai_proxy.commands.tables import aligned
from claude_openai_proxy.errors import ProxyError
from claude_openai_proxy.records import KeyLimits
from claude_openai_proxy.service.estimates import OUTPUT_TOKENS
from claude_openai_proxy.serving.streams import complain, say
from claude_openai_proxy.settings import Settings, SettingsError
from claude_openai_proxy.storage.client_keys import ClientKeyError, StoredKey, new_id, new_secret

HELP = "make, list and take back keys for clients"

_SECONDS: Final = {"m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_MODEL: Final = re.compile(r"[^\s,=]{1,256}")


def add_flags(parser: argparse.ArgumentParser) -> None:
    """A verb each."""
    add_settings_flags(parser)
    verbs = parser.add_subparsers(
        dest="verb", required=True, metavar="add | limit | list | show | rotate | revoke | off"
    )
    add = verbs.add_parser("add", help="make a key; it is shown once, on standard output")
    add.add_argument("name", type=_name)
    add.add_argument(
        "--models", type=_models, default=(), help="may ask these only: aliases, lines or ids, comma-separated"
    )
    add.add_argument("--expires", type=span, help="opens the door for so long: 90d, 12h, 4w")
    add.add_argument("--operator", action="store_true", help="may also see what belongs to others: usage, logs, health")
    _add_limits(add)
    limit = verbs.add_parser("limit", help="other limits for a key, in place of those it has; without any: none")
    limit.add_argument("name")
    _add_limits(limit)
    verbs.add_parser("list", help="every key that opens the door")
    verbs.add_parser("show", help="what is known of one").add_argument("name")
    rotate = verbs.add_parser("rotate", help="another key under the same name")
    rotate.add_argument("name")
    rotate.add_argument(
        "--overlap", type=span, default=span("24h"), help="both work for so long (24h); 0m: only the new"
    )
    verbs.add_parser("revoke", help="let a name in no more").add_argument("name")
    verbs.add_parser("off", help="keys are not required any more; valid ones still say who asks")


def run(invocation: Invocation) -> int:
    """Writes to the database, whether a server runs or not. Raises `SettingsError` where nothing is kept."""
    settings = invocation.settings()
    if settings.storage.kind == "memory":
        raise SettingsError(
            "Keys are kept in the database, and STATE=memory keeps nothing. Use PROXY_API_KEYS instead."
        )
    return asyncio.run(
        _with_stores(settings, partial(_VERBS[invocation.arguments.verb], invocation.arguments, settings))
    )


async def _with_stores(settings: Settings, verb: Callable[[Stores], Awaitable[None]]) -> int:
    kept = stores(settings, told=lambda _: None)
    try:
        if refusal := await kept.open():
            raise SettingsError(refusal)
        await verb(kept)
    except ProxyError as error:
        complain([error.message])
        return WRONG_SETTING
    finally:
        await kept.aclose()
    return OK


async def _add(arguments: argparse.Namespace, settings: Settings, kept: Stores) -> None:
    if any(key.name == arguments.name for key in settings.client_keys):
        raise ClientKeyError(f"PROXY_API_KEYS has a key named {arguments.name} already. Take another name.")
    now, secret = time.time(), new_secret()
    expires = None if arguments.expires is None else now + arguments.expires
    limits = _limits(arguments)
    key = StoredKey(new_id(), arguments.name, arguments.models, arguments.operator, now, expires, limits=limits)
    first = not (await kept.client_keys.ring()).required
    await kept.client_keys.add(key, secret)
    _show_once(secret, kept)
    _warn(limits, settings)
    if first and not settings.client_keys:
        complain(["From now on every client needs a key, until you say: claude-openai-proxy keys off"])


async def _list(_: argparse.Namespace, settings: Settings, kept: Stores) -> None:
    ring = await kept.client_keys.ring()
    rows = [_row(key) for key in ring.valid(time.time())]
    rows += [(key.name, "PROXY_API_KEYS", "all", "never", "none", "") for key in settings.client_keys]
    if rows:
        say(aligned(("NAME", "ID", "MODELS", "EXPIRES", "LIMITS", ""), rows))
    required = ring.required or settings.client_keys
    complain(["Clients need a key." if required else "No key is required.", f"Kept in {kept.state.where}"])


async def _show(arguments: argparse.Namespace, _: Settings, kept: Stores) -> None:
    ring = await kept.client_keys.ring()
    found = [key for key in ring.keys if key.name == arguments.name]
    if not found:
        raise ClientKeyError(f"No key is named {arguments.name}.")
    for key in found:
        state = "revoked " + _day(key.revoked) if key.revoked else "" if key.is_valid(time.time()) else "expired"
        secrets = sum(secret.key_id == key.id and not _past(secret.expires) for secret in ring.secrets.values())
        say(
            [
                f"name      {key.name}",
                f"id        {key.id}",
                f"models    {', '.join(key.models) or 'all'}",
                f"operator  {'yes' if key.operator else 'no'}",
                f"made      {_day(key.created)}",
                f"expires   {_day(key.expires)}",
                f"limits    {_in_words(key.limits)}",
                f"state     {state or 'valid'}, secrets that work: {0 if state else secrets}",
            ]
        )
    complain([f"Kept in {kept.state.where}"])


async def _limit(arguments: argparse.Namespace, settings: Settings, kept: Stores) -> None:
    limits = _limits(arguments)
    await kept.client_keys.limit(arguments.name, limits, now=time.time())
    complain([f"{arguments.name} has these limits now: {_in_words(limits)}. Written to {kept.state.where}"])
    _warn(limits, settings)


async def _rotate(arguments: argparse.Namespace, _: Settings, kept: Stores) -> None:
    now, secret = time.time(), new_secret()
    await kept.client_keys.rotate(arguments.name, secret, now=now, old_until=now + arguments.overlap)
    _show_once(secret, kept)
    until = f"until {_moment(now + arguments.overlap)}" if arguments.overlap else "no more"
    complain([f"The one before works {until}."])


async def _revoke(arguments: argparse.Namespace, _: Settings, kept: Stores) -> None:
    await kept.client_keys.revoke(arguments.name, now=time.time())
    complain([f"{arguments.name} is let in no more. Written to {kept.state.where}"])
    if not (await kept.client_keys.ring()).valid(time.time()):
        complain(["No stored key is left: nobody is let in by one, until you make another or say `keys off`."])


async def _off(_: argparse.Namespace, settings: Settings, kept: Stores) -> None:
    await kept.client_keys.require(required=False)
    complain([f"Keys are not required any more. Written to {kept.state.where}"])
    if settings.client_keys:
        complain(["PROXY_API_KEYS is set, though: as long as it is, clients need a key."])


_VERBS: Final = {
    "add": _add, "limit": _limit, "list": _list, "show": _show, "rotate": _rotate, "revoke": _revoke, "off": _off,
}  # fmt: skip


def _show_once(secret: str, kept: Stores) -> None:
    """On standard output alone, so that a script can take it; what is said of it goes to the other."""
    complain([f"The key, shown this once. Its digest is written to {kept.state.where}"])
    say([secret])


def _row(key: StoredKey) -> tuple[str, ...]:
    models, operator = ", ".join(key.models) or "all", "operator" if key.operator else ""
    return key.name, key.id, models, _day(key.expires), _in_words(key.limits), operator


def _limits(arguments: argparse.Namespace) -> KeyLimits | None:
    limits = KeyLimits(arguments.rpm, arguments.tpm, arguments.budget)
    return limits if limits.any else None


def _in_words(limits: KeyLimits | None) -> str:
    if limits is None:
        return "none"
    named = (
        (limits.requests_a_minute, "{} requests/min"),
        (limits.tokens_a_minute, "{} tokens/min"),
        (limits.dollars_a_day, "{:g} USD/day"),
    )
    return ", ".join(words.format(limit) for limit, words in named if limit is not None)


def _warn(limits: KeyLimits | None, settings: Settings) -> None:
    """What a person would find out later."""
    if limits is None:
        return
    if limits.tokens_a_minute is not None and limits.tokens_a_minute <= OUTPUT_TOKENS:
        complain([f"Requests without max_tokens reserve {OUTPUT_TOKENS:,} tokens of output: this limit refuses them."])
    if limits.dollars_a_day is not None and not settings.storage.ledger_days:
        complain(["LEDGER_DAYS is 0: with a restart of the server a budget begins anew."])


def _past(moment: float | None) -> bool:
    return moment is not None and moment <= time.time()


def _day(moment: float | None) -> str:
    return "never" if moment is None else datetime.fromtimestamp(moment, UTC).date().isoformat()


def _moment(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _add_limits(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rpm", type=_whole, metavar="N", help="answers that may be asked for in a minute")
    parser.add_argument("--tpm", type=_whole, metavar="N", help="tokens in a minute, input and output")
    parser.add_argument(
        "--budget", type=dollars_a_day, metavar="USD/day", help="US dollars on a day (UTC), by list price: 2.50/day"
    )


# ---- arguments ------------------------------------------------------------------------------------------------------


def span(text: str) -> float:
    """Seconds of `90d`, `12h`, `30m` or `4w`."""
    found = re.fullmatch(r"(\d{1,5})([mhdw])", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is not a span of time such as 90d, 12h or 30m")
    return float(int(found[1]) * _SECONDS[found[2]])


def dollars_a_day(text: str) -> float:
    """Of `5/day`, or `0.50`."""
    found = re.fullmatch(r"\$?(\d{1,6}(?:\.\d{1,6})?)(?:/day)?", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is not an amount of US dollars a day such as 5/day or 0.50/day")
    return float(found[1])


def _whole(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,8}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 999999999")
    return int(text)


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a name: letters, digits, dots, dashes and underscores, up to 64"
        )
    return text


def _models(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names or not all(_MODEL.fullmatch(name) and name.isprintable() for name in names):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of model names")
    return names
