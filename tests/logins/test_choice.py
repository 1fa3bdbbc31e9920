"""Which login is used, in Claude Code's own order, who is billed, and where it may be sent."""

import re

import pytest

from claude_openai_proxy.logins.layers import Layer
from claude_openai_proxy.logins.login import Login, UntrustedLoginError, choose_login
from claude_openai_proxy.trust import Trust, UpstreamName

EVERYTHING = {
    "CLAUDE_CODE_USE_BEDROCK": "1",
    "ANTHROPIC_AUTH_TOKEN": "token",
    "ANTHROPIC_API_KEY": "key",
    "CLAUDE_CODE_OAUTH_TOKEN": "oauth",
}


def environment(**variables: str) -> Layer:
    return Layer("the environment", Trust.ENVIRONMENT, variables)


def user_settings(*, helper: str = "", **variables: str) -> Layer:
    return Layer("settings.json", Trust.CLAUDE_SETTINGS, variables, api_key_helper=helper)


def dotenv(**variables: str) -> Layer:
    return Layer(".env", Trust.DOTENV, variables)


def without(*names: str) -> dict[str, str]:
    return {name: text for name, text in EVERYTHING.items() if name not in names}


PROVIDER, TOKEN, KEY, OAUTH = EVERYTHING
CHOICES: list[tuple[tuple[Layer, ...], str, tuple[str, str, str, str]]] = [
    (
        (environment(**EVERYTHING), user_settings(helper="print-key")),
        "Claude Max",
        ("cloud_provider", "claude-code", f"{PROVIDER} from the environment", "your Amazon Bedrock account"),
    ),
    (
        (environment(**without(PROVIDER)), user_settings(helper="print-key")),
        "Claude Max",
        ("auth_token", "api", f"{TOKEN} from the environment", "the Anthropic API account of this key, by tokens"),
    ),
    (
        (environment(**without(PROVIDER, TOKEN)), user_settings(helper="print-key")),
        "Claude Max",
        ("api_key", "api", f"{KEY} from the environment", "the Anthropic API account of this key, by tokens"),
    ),
    (
        (environment(**without(PROVIDER, TOKEN, KEY)), user_settings(helper="print-key")),
        "Claude Max",
        (
            "api_key_helper",
            "api",
            "apiKeyHelper from settings.json",
            "the Anthropic API account of this key, by tokens",
        ),
    ),
    (
        (environment(**without(PROVIDER, TOKEN, KEY)),),
        "Claude Max",
        ("oauth_token", "claude-code", f"{OAUTH} from the environment", "your Claude subscription"),
    ),
    (
        (environment(),),
        "Claude Max",
        ("subscription", "claude-code", "Claude Code's login (Claude Max)", "your Claude subscription"),
    ),
]


@pytest.mark.parametrize(
    ("layers", "subscription", "expected"), CHOICES, ids=lambda value: value[0] if len(value) == 4 else ""
)
def test_the_first_login_in_the_order_of_claude_code_is_used(
    layers: tuple[Layer, ...], subscription: str, expected: tuple[str, str, str, str]
) -> None:
    login = choose_login(layers, subscription=subscription)

    assert login is not None
    assert (login.kind, login.via, login.source, login.billed) == expected


def test_without_any_there_is_none() -> None:
    assert choose_login((environment(), user_settings(), dotenv())) is None


@pytest.mark.parametrize("off", ["", "0", "false", "no"])
def test_a_provider_that_is_switched_off_is_none(off: str) -> None:
    assert choose_login((environment(CLAUDE_CODE_USE_VERTEX=off),)) is None


def kind(upstream: UpstreamName, **variables: str) -> tuple[str, str] | None:
    login = choose_login((environment(**variables),), upstream=upstream)
    return (login.kind, login.via) if login else None


def test_the_api_upstream_looks_at_keys_only() -> None:
    assert kind("api", **EVERYTHING) == ("auth_token", "api")
    assert kind("api", **without(TOKEN, KEY)) is None


def test_the_claude_code_upstream_uses_a_key_only_when_there_is_nothing_else() -> None:
    assert kind("claude-code", **without(PROVIDER)) == ("oauth_token", "claude-code")
    assert kind("claude-code", **without(PROVIDER, OAUTH)) == ("auth_token", "claude-code")


def test_within_one_kind_the_more_trusted_source_wins() -> None:
    layers = (environment(), user_settings(ANTHROPIC_API_KEY="b"), dotenv(ANTHROPIC_API_KEY="c"))

    login = choose_login(layers)

    assert login is not None
    assert (login.secret, login.source) == ("b", "ANTHROPIC_API_KEY from settings.json")


def test_a_gateway_that_is_set_beside_its_token_is_used_and_told() -> None:
    login = choose_login((user_settings(ANTHROPIC_AUTH_TOKEN="t", ANTHROPIC_BASE_URL="https://gw.example/claude/"),))

    assert login is not None
    assert login.base_url == "https://gw.example/claude"
    assert login.billed == "whatever gw.example charges for this login"
    assert login.notes() == (
        "Requests go to https://gw.example/claude (ANTHROPIC_BASE_URL from settings.json), which is not Anthropic's.",
    )


def test_anthropics_own_url_needs_no_note() -> None:
    login = choose_login((environment(ANTHROPIC_API_KEY="k"),))

    assert login is not None
    assert (login.base_url, login.base_url_source) == ("https://api.anthropic.com", "built in")
    assert login.notes() == ()


SOURCES = {
    "environment": ("the environment", Trust.ENVIRONMENT),
    "settings": ("settings.json", Trust.CLAUDE_SETTINGS),
    ".env": (".env", Trust.DOTENV),
}


def in_order(**by_source: dict[str, str]) -> tuple[Layer, ...]:
    return tuple(Layer(*SOURCES[name], by_source.get(name, {})) for name in SOURCES)


@pytest.mark.parametrize("name", ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"])
@pytest.mark.parametrize(
    ("credential_in", "url_in", "allowed"),
    [
        ("environment", "environment", True),
        ("environment", "settings", False),
        ("environment", ".env", False),
        ("settings", "environment", True),
        ("settings", "settings", True),
        ("settings", ".env", False),
        (".env", "environment", True),
        (".env", "settings", True),
        (".env", ".env", True),
    ],
)
def test_a_credential_goes_only_where_an_equally_trusted_source_says(
    name: str, credential_in: str, url_in: str, allowed: bool
) -> None:
    variables: dict[str, dict[str, str]] = {source: {} for source in SOURCES}
    variables[credential_in][name] = "k"
    variables[url_in]["ANTHROPIC_BASE_URL"] = "https://other.example"
    layers = in_order(**variables)
    if allowed:
        assert choose(layers).base_url == "https://other.example"
        return
    told = f"{name} from {SOURCES[credential_in][0]} would be sent to other.example, which is ANTHROPIC_BASE_URL from "
    with pytest.raises(UntrustedLoginError, match=re.escape(told + SOURCES[url_in][0])):
        choose_login(layers)


def choose(layers: tuple[Layer, ...]) -> Login:
    login = choose_login(layers)
    assert login is not None
    return login


@pytest.mark.parametrize(
    "layers",
    [
        (user_settings(helper="print-key"), dotenv(ANTHROPIC_BASE_URL="https://other.example")),
        (environment(CLAUDE_CODE_OAUTH_TOKEN="t"), user_settings(ANTHROPIC_BASE_URL="https://other.example")),
    ],
)
def test_the_trust_rule_holds_for_helpers_and_oauth_tokens_too(layers: tuple[Layer, ...]) -> None:
    with pytest.raises(UntrustedLoginError, match=r"would be sent to other\.example"):
        choose_login(layers)


def test_a_subscription_is_not_sent_where_dotenv_says() -> None:
    with pytest.raises(UntrustedLoginError, match=r"would be sent to other\.example"):
        choose_login((dotenv(ANTHROPIC_BASE_URL="https://other.example"),), subscription="Claude Max")


def test_less_trusted_words_for_anthropics_own_url_are_fine() -> None:
    layers = (environment(ANTHROPIC_API_KEY="k"), dotenv(ANTHROPIC_BASE_URL="https://api.anthropic.com/"))

    assert choose(layers).base_url == "https://api.anthropic.com"


def test_a_cloud_provider_has_no_use_for_the_base_url() -> None:
    layers = (environment(CLAUDE_CODE_USE_VERTEX="true"), dotenv(ANTHROPIC_BASE_URL="https://other.example"))

    assert (choose(layers).base_url, choose(layers).notes()) == ("", ())


@pytest.mark.parametrize("url", ["gw.example", "ftp://gw.example", "https://u:p@gw.example", "https://gw.example?a=b"])
def test_a_base_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(UntrustedLoginError, match=r"^ANTHROPIC_BASE_URL from settings\.json is not used"):
        choose_login((user_settings(ANTHROPIC_API_KEY="k", ANTHROPIC_BASE_URL=url),))


@pytest.mark.parametrize("key", ["a b", "a\r\nx: y", "schlüssel"])
def test_a_key_that_cannot_stand_in_a_header_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(UntrustedLoginError, match=r"^ANTHROPIC_API_KEY from settings\.json is not used") as refused:
        choose_login((user_settings(ANTHROPIC_API_KEY=key),))

    assert key not in refused.value.message


def test_no_secret_is_printed() -> None:
    layers = (environment(ANTHROPIC_API_KEY="sk-a"), user_settings(helper="echo sk-b"))

    assert "sk-" not in f"{layers!r} {choose_login(layers)!r} {choose_login(layers[1:])!r}"
