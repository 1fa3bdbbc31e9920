"""Which login there is, who is billed for it, and where it may be sent.

The order is Claude Code's own (https://code.claude.com/docs/en/authentication). The file or keychain entry in which
Claude Code keeps a subscription login is never opened: the CLI alone uses it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from claude_openai_proxy.errors import NoLoginError
from claude_openai_proxy.logins.layers import Found, Layer, find_helper, find_switch, find_variable
from claude_openai_proxy.trust import ANTHROPIC_URL, Trust, UpstreamName, header_text
from claude_openai_proxy.urls import api_base_url

NO_LOGIN = "No Claude login found. Run: claude-openai-proxy login (or set ANTHROPIC_API_KEY), or try --demo"

LoginKind = Literal["cloud_provider", "auth_token", "api_key", "api_key_helper", "oauth_token", "subscription"]

CLOUD_PROVIDERS: Mapping[str, str] = {
    "CLAUDE_CODE_USE_BEDROCK": "Amazon Bedrock",
    "CLAUDE_CODE_USE_VERTEX": "Google Vertex AI",
    "CLAUDE_CODE_USE_FOUNDRY": "Microsoft Foundry",
    "CLAUDE_CODE_USE_MANTLE": "Amazon Bedrock",
    "CLAUDE_CODE_USE_ANTHROPIC_AWS": "Claude on AWS",
    "CLAUDE_CODE_USE_ANTHROPIC_GOOGLE_CLOUD": "Claude on Google Cloud",
}
_KEYS: tuple[LoginKind, ...] = ("auth_token", "api_key", "api_key_helper")
_THROUGH_THE_CLI: tuple[LoginKind, ...] = ("oauth_token", "subscription")
_ORDER: Mapping[UpstreamName, tuple[LoginKind, ...]] = {
    "auto": ("cloud_provider", *_KEYS, *_THROUGH_THE_CLI),
    "api": _KEYS,
    "claude-code": ("cloud_provider", *_THROUGH_THE_CLI, *_KEYS),
}


class UntrustedLoginError(NoLoginError):
    """A credential will not be used as it is set: it would go where a less trusted source says, or is no credential."""


@dataclass(frozen=True, slots=True)
class Login:
    """The login in use. `source` and `billed` are words for a person; `base_url` is "" for a cloud provider."""

    kind: LoginKind
    via: Literal["api", "claude-code"]
    source: str
    billed: str
    base_url: str
    base_url_source: str
    trust: Trust
    """Of the place where it stands."""
    secret: str = field(default="", repr=False)

    def notes(self) -> tuple[str, ...]:
        """What a person should know at the start: requests that go elsewhere than to Anthropic, or unencrypted."""
        if self.base_url in {"", ANTHROPIC_URL}:
            return ()
        return (f"Requests go to {self.base_url} ({self.base_url_source}), which is not Anthropic's.",)


def choose_login(layers: tuple[Layer, ...], *, upstream: UpstreamName = "auto", subscription: str = "") -> Login | None:
    """The first login in Claude Code's order that `upstream` can use. `layers` are sorted, most trusted first.

    `subscription` is what the CLI says of its own login. Raises `UntrustedLoginError`.
    """
    for kind, among in _in_order(upstream, layers):
        if found := _find(kind, among, subscription):
            return _login(kind, found, layers, upstream)
    return None


def _in_order(upstream: UpstreamName, layers: tuple[Layer, ...]) -> Iterator[tuple[LoginKind, tuple[Layer, ...]]]:
    """Each kind of login and where it may stand. A key in a `.env` of the working directory comes after every key of
    the user's own, of whatever kind: else such a file could send what is asked to somebody else.
    """
    own = tuple(layer for layer in layers if layer.trust > Trust.DOTENV)
    for kind in _ORDER[upstream]:
        yield kind, own
        if kind == _KEYS[-1]:
            yield from ((key, layers) for key in _KEYS)


def _find(kind: LoginKind, layers: tuple[Layer, ...], subscription: str) -> Found | None:
    match kind:
        case "cloud_provider":
            return find_switch(CLOUD_PROVIDERS, layers)
        case "auth_token":
            return find_variable("ANTHROPIC_AUTH_TOKEN", layers)
        case "api_key":
            return find_variable("ANTHROPIC_API_KEY", layers)
        case "api_key_helper":
            return find_helper(layers)
        case "oauth_token":
            return find_variable("CLAUDE_CODE_OAUTH_TOKEN", layers)
        case "subscription":
            return Found("login", "", subscription, Trust.CLAUDE_SETTINGS) if subscription else None


def _login(kind: LoginKind, found: Found, layers: tuple[Layer, ...], upstream: UpstreamName) -> Login:
    if kind == "cloud_provider":
        return Login(
            kind, "claude-code", str(found), f"your {CLOUD_PROVIDERS[found.name]} account", "", "", found.trust
        )
    base = _base_url(layers)
    _refuse_untrusted(found, base)
    return Login(
        kind,
        via="api" if kind in _KEYS and upstream != "claude-code" else "claude-code",
        source=f"Claude Code's login ({found.source})" if kind == "subscription" else str(found),
        billed=_billed(kind, base.text),
        base_url=base.text,
        base_url_source=str(base) if base.trust is not Trust.BUILT_IN else "built in",
        trust=found.trust,
        secret=found.text if kind == "api_key_helper" else _checked_secret(found),
    )


def _checked_secret(found: Found) -> str:
    try:
        return header_text(found.text) if found.text else ""
    except ValueError:
        raise UntrustedLoginError(f"{found} is not used: it has blanks or characters that a key never has.") from None


def _base_url(layers: tuple[Layer, ...]) -> Found:
    found = find_variable("ANTHROPIC_BASE_URL", layers)
    if found is None:
        return Found("ANTHROPIC_BASE_URL", ANTHROPIC_URL, "built in", Trust.BUILT_IN)
    try:
        return Found(found.name, api_base_url(found.text), found.source, found.trust)
    except ValueError:
        raise UntrustedLoginError(
            f"{found} is not used: it is not an http or https URL without user, query and fragment."
        ) from None


def _refuse_untrusted(credential: Found, base: Found) -> None:
    if base.trust < credential.trust and base.text != ANTHROPIC_URL:
        raise UntrustedLoginError(
            f"{credential} would be sent to {urlsplit(base.text).netloc}, which is {base}. A credential goes only to a "
            "base URL from the same or a more trusted source (environment, then Claude Code's settings, then .env): "
            f"set ANTHROPIC_BASE_URL where {credential.name} is set, or take one of the two away."
        )


def _billed(kind: LoginKind, base_url: str) -> str:
    if base_url != ANTHROPIC_URL:
        return f"whatever {urlsplit(base_url).netloc} charges for this login"
    if kind in _THROUGH_THE_CLI:
        return "your Claude subscription"
    return "the Anthropic API account of this key, by tokens"
