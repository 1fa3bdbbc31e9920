"""The same choice with the real CLI: made-up logins in a made-up home; whatever it would call is refused."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from claude_openai_proxy.app.upstreams import selected_upstream
from claude_openai_proxy.errors import NoLoginError
from claude_openai_proxy.protocols.anthropic import MessageParam, MessagesRequest, TextBlockParam
from claude_openai_proxy.settings import Flags, load_settings
from claude_openai_proxy.upstreams.claude_code.binary import find_cli
from claude_openai_proxy.upstreams.interface import AnswerFacts
from claude_openai_proxy.upstreams.selection import ASK_AGAIN_SECONDS, SelectedUpstream

REFUSED = "http://127.0.0.1:9"
REQUEST = MessagesRequest(
    model="claude-sonnet-5-5", max_tokens=16, messages=[MessageParam("user", [TextBlockParam("Hello")])]
)
SUBSCRIPTION = {
    "accessToken": "sk-ant-oat01-made-up",
    "refreshToken": "sk-ant-ort01-made-up",
    "expiresAt": 4102444800000,
    "scopes": ["user:inference"],
    "subscriptionType": "max",
}


class Person:
    """A config directory, and a choice of upstreams that follows it."""

    def __init__(self, home: Path, cli: Path) -> None:
        self.config = home / "config"
        self.config.mkdir()
        self.now = 1000.0
        self._environment = {
            "HOME": str(home),
            "PATH": "/usr/bin:/bin",
            "CLAUDE_CONFIG_DIR": str(self.config),
            "CLAUDE_CLI_PATH": str(cli),
            "HTTPS_PROXY": REFUSED,
            "HTTP_PROXY": REFUSED,
            "ANTHROPIC_BASE_URL": REFUSED,
        }
        self.upstreams = self.choice()

    def choice(self, *, upstream: str = "auto", **variables: str) -> SelectedUpstream:
        settings = load_settings(Flags({"CLAUDE_UPSTREAM": upstream}), self._environment | variables, self.config)
        self.upstreams = selected_upstream(settings, clock=lambda: self.now)
        return self.upstreams

    def logs_in(self) -> None:
        """As Claude Code keeps a login on Linux; on macOS it is in the keychain, or here."""
        (self.config / ".credentials.json").write_text(json.dumps({"claudeAiOauth": SUBSCRIPTION}))

    def logs_out(self) -> None:
        (self.config / ".credentials.json").unlink()


@pytest.fixture
async def person(tmp_path: Path) -> AsyncIterator[Person]:
    cli = find_cli("", {})
    if cli is None:
        pytest.skip("the Claude Code CLI is not installed")
    person = Person(tmp_path, cli)
    yield person
    await person.upstreams.aclose()


async def test_a_token_is_used(person: Person) -> None:
    status = await person.choice(CLAUDE_CODE_OAUTH_TOKEN="sk-ant-oat01-made-up").status()

    assert (status.kind, status.billed) == ("claude-code", "the plan the token was made for")
    assert status.login.startswith("CLAUDE_CODE_OAUTH_TOKEN (Claude Code ")


async def test_a_subscription_comes_and_goes(person: Person) -> None:
    upstreams = person.upstreams
    with pytest.raises(NoLoginError):
        await upstreams.current()

    person.logs_in()
    person.now += ASK_AGAIN_SECONDS
    assert (await upstreams.status()).login.startswith("Claude Max subscription (Claude Code ")

    person.logs_out()
    person.now += ASK_AGAIN_SECONDS
    with pytest.raises(NoLoginError):
        await upstreams.current()


async def test_a_key_before_a_subscription_is_told(person: Person) -> None:
    person.logs_in()
    upstreams = person.choice(ANTHROPIC_API_KEY="sk-ant-made-up")

    assert (await upstreams.current()).identity.kind == "api"
    assert await upstreams.shadowed_subscription() == "Claude Max subscription"


async def test_the_cli_gets_a_key_only_without_another_login(person: Person) -> None:
    with_key = await person.choice(upstream="claude-code", ANTHROPIC_API_KEY="sk-ant-made-up").status()
    person.logs_in()
    with_both = await person.choice(upstream="claude-code", ANTHROPIC_API_KEY="sk-ant-made-up").status()

    assert with_key.login.startswith("ANTHROPIC_API_KEY (Claude Code ")
    assert with_both.login.startswith("Claude Max subscription (Claude Code ")


async def test_a_subscription_is_not_shared(person: Person) -> None:
    person.logs_in()

    assert "CLAUDE_CODE_SINGLE_USER=yes" in await person.choice(PROXY_API_KEYS="a:1,b:2").start_refusal()


async def test_a_login_that_was_in_use_and_is_gone_is_noticed_by_the_next_request(person: Person) -> None:
    person.logs_in()
    upstreams = person.choice(CLAUDE_POOL_SIZE="0", XDG_STATE_HOME=str(person.config))
    await upstreams.claude_code.prepare()
    assert await upstreams.current() is upstreams.claude_code

    person.logs_out()
    with pytest.raises(NoLoginError):
        async with upstreams.claude_code.stream(REQUEST, AnswerFacts()):
            pass

    with pytest.raises(NoLoginError):
        await upstreams.current()
