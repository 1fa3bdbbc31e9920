"""Which login the CLI uses. The CLI tells; its credentials are never opened, read or kept here."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from claude_openai_proxy.errors import NoLoginError, UpstreamProtocolError
from claude_openai_proxy.protocols.claude_code import Account, AuthStatus
from claude_openai_proxy.translate.claude_code.errors import LOG_IN
from claude_openai_proxy.trust import ANTHROPIC_URL
from claude_openai_proxy.upstreams.claude_code.binary import ask, shown_command, update_command
from claude_openai_proxy.upstreams.interface import Payer

LoginKind = Literal["subscription", "token", "api key", "provider", "gateway", "none"]

_KEYS: Final = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")
_PEPPER: Final = b"claude-openai-proxy account"
_FIRST_PARTY: Final = frozenset({"", "firstParty"})
_PROVIDERS: Final = {
    "bedrock": "Amazon Bedrock",
    "mantle": "Amazon Bedrock",
    "vertex": "Google Vertex AI",
    "foundry": "Microsoft Foundry",
    "anthropicAws": "Claude on AWS",
    "anthropicGoogleCloud": "Claude on Google Cloud",
}
_KINDS: Final[dict[str, LoginKind]] = {
    "claude.ai": "subscription",
    "oauth_token": "token",
    "api_key": "api key",
    "api_key_helper": "api key",
    "third_party": "provider",
    "gateway": "gateway",
}


@dataclass(frozen=True, slots=True)
class CliLogin:
    """The CLI's login. `words` and `billed` are for a person; `account` is a digest; `personal`: one person's plan."""

    kind: LoginKind
    words: str
    billed: str
    account: str
    payer: Payer = ""

    @property
    def personal(self) -> bool:
        """Whether a personal plan pays: a subscription, or a token that was made for one."""
        return self.kind == "subscription" or self.words == "CLAUDE_CODE_OAUTH_TOKEN"


async def auth_status(cli: Path, environment: Mapping[str, str]) -> CliLogin:
    """Ask `claude auth status`; costs nothing. Raises `UpstreamConnectionError`, `UpstreamProtocolError`."""
    said = await ask(cli, environment, "auth", "status", "--json")
    try:
        told = msgspec.json.decode(said, type=AuthStatus)
    except (msgspec.DecodeError, RecursionError) as error:
        asked = shown_command(cli, "auth", "status", "--json")
        message = f"The Claude Code CLI does not tell its login (`{asked}`). Run: {update_command(cli)}"
        raise UpstreamProtocolError(message) from error
    return described(told, environment)


def described(told: AuthStatus, environment: Mapping[str, str]) -> CliLogin:
    """The login in words."""
    login = _described(told, environment)
    return replace(login, payer=_payer(login, environment))


def _payer(login: CliLogin, environment: Mapping[str, str]) -> Payer:
    if login.personal:
        return "plan"
    elsewhere = environment.get("ANTHROPIC_BASE_URL", ANTHROPIC_URL) != ANTHROPIC_URL
    by_kind: Mapping[LoginKind, Payer] = {"provider": "cloud", "api key": "gateway" if elsewhere else "api", "none": ""}
    return by_kind.get(login.kind, "gateway")


def _described(told: AuthStatus, environment: Mapping[str, str]) -> CliLogin:
    kind = _kind(told)
    account = _digest(told.auth_method, told.subscription_type, told.email, told.org_id, told.api_provider)
    if kind == "none":
        return CliLogin(kind, "", "", "")
    if kind == "subscription":
        plan = (told.subscription_type or "").capitalize()
        return CliLogin(kind, f"Claude {plan} subscription".replace("  ", " "), f"your Claude {plan} plan", account)
    if kind == "provider":
        provider = _PROVIDERS.get(told.api_provider, told.api_provider)
        return CliLogin(kind, provider, f"your {provider} account", account)
    if kind == "gateway":
        return CliLogin(kind, "Claude Code's login to a gateway", "whatever the gateway charges", account)
    if kind == "token":
        gateway = bool(environment.get("ANTHROPIC_AUTH_TOKEN"))
        words = "ANTHROPIC_AUTH_TOKEN" if gateway else "CLAUDE_CODE_OAUTH_TOKEN"
        return CliLogin(kind, words, "the token's issuer" if gateway else "the plan the token was made for", account)
    return CliLogin(kind, told.api_key_source or "API key", "the API key's organization", account)


def _kind(told: AuthStatus) -> LoginKind:
    """Where requests go says more than how the login was made: a cloud or a gateway bills, whatever the method."""
    if not told.logged_in:
        return "none"
    return _elsewhere(told.api_provider) or _KINDS.get(told.auth_method, "api key")


def _elsewhere(api_provider: str) -> LoginKind | None:
    """None for Anthropic's own API."""
    if api_provider in _FIRST_PARTY:
        return None
    return "gateway" if api_provider == "gateway" else "provider"


def without_keys(environment: Mapping[str, str]) -> dict[str, str]:
    """`environment` without the keys that would shadow the CLI's own login."""
    return {name: value for name, value in environment.items() if name not in _KEYS}


async def preferred_login(
    cli: Path, environment: Mapping[str, str], keys: Mapping[str, str] = MappingProxyType({})
) -> tuple[CliLogin, Mapping[str, str]]:
    """The CLI's own login and an environment without API keys; with them only where they are the only login.

    `keys`: more keys, and the base URL that they alone may be sent to.
    """
    withheld, everything = without_keys(environment), {**environment, **keys}
    login = await auth_status(cli, withheld)
    if login.kind != "none" or withheld == everything:
        return login, withheld
    return await auth_status(cli, everything), everything


def kind_of(account: Account) -> LoginKind:
    """The kind of login that a running process says it uses."""
    if elsewhere := _elsewhere(account.api_provider):
        return elsewhere
    if account.subscription_type:
        return "subscription"
    if account.token_source not in {"", "none"}:
        return "token"
    return "api key" if account.api_key_source not in {"", "none"} else "none"


def check_account(account: Account, login: CliLogin) -> None:
    """Raise unless a process uses the login that was told: nobody pays by surprise."""
    kind = kind_of(account)
    if kind == login.kind:
        return
    if kind == "none":
        raise NoLoginError(f"Claude Code is not logged in. {LOG_IN}")
    raise UpstreamProtocolError(
        f"The Claude Code CLI says that its login is of the kind {login.kind!r}, but a process of it uses {kind!r}. "
        "Nothing was sent. See: claude-openai-proxy doctor"
    )


def single_user_refusal(*, personal: bool, public: bool, client_keys: int, single_user: bool) -> str:
    """Why the proxy must not start, or "": one person's subscription stays one person's.

    `public`: reachable from other machines. `single_user`: CLAUDE_CODE_SINGLE_USER=yes.
    """
    if not personal or single_user or not (public or client_keys > 1):
        return ""
    how = "on a public address" if public else f"with {client_keys} client keys"
    return (
        f"A Claude subscription is for one person's own use, and the proxy would serve it {how}. "
        "If only you use it, set CLAUDE_CODE_SINGLE_USER=yes; otherwise use an API key: "
        "claude-openai-proxy --upstream api"
    )


def _digest(*parts: str | None) -> str:
    text = "\0".join(part or "" for part in parts)
    return hashlib.blake2b(text.encode(), key=_PEPPER, digest_size=6).hexdigest()
