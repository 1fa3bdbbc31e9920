"""Which login the CLI uses, who pays, and whose it is."""

import dataclasses
from datetime import UTC, datetime
from pathlib import Path

import pytest

from claude_openai_proxy.errors import NoLoginError, UpstreamProtocolError, UpstreamStatusError
from claude_openai_proxy.protocols.claude_code import Account, AuthStatus
from claude_openai_proxy.simulator import Script, Simulator
from claude_openai_proxy.upstreams.claude_code.login import (
    auth_status,
    check_account,
    described,
    kind_of,
    preferred_login,
    single_user_refusal,
)
from upstreams.claude_code.conftest import MakeUpstream, Trap, write_login
from upstreams.claude_code.fake_cli import install_fake_cli
from upstreams.claude_code.requests_of_the_tests import API_KEY, OAUTH, answer, asking

KEYS = API_KEY | {"ANTHROPIC_AUTH_TOKEN": "made-up"}


@pytest.mark.parametrize(
    ("login", "kind", "words", "billed"),
    [
        (OAUTH, "token", "CLAUDE_CODE_OAUTH_TOKEN", "the plan the token was made for"),
        (API_KEY, "api key", "ANTHROPIC_API_KEY", "the API key's organization"),
        ({"ANTHROPIC_AUTH_TOKEN": "made-up"}, "token", "ANTHROPIC_AUTH_TOKEN", "the token's issuer"),
        ({"CLAUDE_CODE_USE_BEDROCK": "1"}, "provider", "Amazon Bedrock", "your Amazon Bedrock account"),
        ({}, "none", "", ""),
    ],
    ids=["oauth token", "key", "auth token", "bedrock", "none"],
)
async def test_the_real_cli_tells_its_login(
    cli: str, environment: dict[str, str], login: dict[str, str], kind: str, words: str, billed: str
) -> None:
    told = await auth_status(Path(cli), environment | login)

    assert (told.kind, told.words, told.billed) == (kind, words, billed)


async def test_a_login_file_is_a_subscription(
    cli: str, environment: dict[str, str], login_file: dict[str, str]
) -> None:
    told = await auth_status(Path(cli), environment | login_file)

    assert (told.kind, told.words, told.personal) == ("subscription", "Claude Max subscription", True)
    assert "made-up" not in repr(dataclasses.asdict(told))


async def test_keys_are_withheld_where_there_is_another_login(cli: str, environment: dict[str, str]) -> None:
    login, chosen = await preferred_login(Path(cli), environment | KEYS | OAUTH)

    assert login.words == "CLAUDE_CODE_OAUTH_TOKEN"
    assert not KEYS.keys() & chosen.keys()


async def test_a_key_is_used_where_it_is_the_only_login(cli: str, environment: dict[str, str]) -> None:
    login, chosen = await preferred_login(Path(cli), environment | API_KEY)

    assert login.kind == "api key"
    assert chosen["ANTHROPIC_API_KEY"] == "made-up-api-key"


async def test_a_withheld_key_does_not_reach_the_api(make_upstream: MakeUpstream, simulator: Simulator) -> None:
    simulator.play(Script.text("Hi"))

    await answer(make_upstream(login=OAUTH | API_KEY, look_again=True), asking())

    assert "x-api-key" not in simulator.requests[0].headers
    assert simulator.requests[0].headers["authorization"] == "Bearer made-up-oauth-token"


async def test_a_process_with_another_login_than_told_is_not_used(
    make_upstream: MakeUpstream, simulator: Simulator
) -> None:
    upstream = make_upstream(login=API_KEY, look_again=True)
    await upstream.prepare()
    ready = await upstream._setup.ready()
    upstream._use(dataclasses.replace(ready, login=dataclasses.replace(ready.login, kind="subscription")))

    with pytest.raises(UpstreamProtocolError, match=r"kind 'subscription', but a process of it uses 'api key'"):
        await answer(upstream, asking())
    assert len(simulator.requests) == 0


async def test_only_the_cli_itself_asks_for_a_profile_and_only_with_that_scope(
    make_upstream: MakeUpstream, simulator: Simulator, home: Path, trap: Trap
) -> None:
    write_login(home, expires=datetime(2100, 1, 1, tzinfo=UTC), scopes=["user:inference", "user:profile"])
    simulator.play(Script.text("Hi"))

    await answer(make_upstream(login={}, look_again=True), asking())

    assert set(trap.hosts) <= {"api.anthropic.com:443"}


async def test_an_expired_login_is_renewed_by_the_cli_or_told_to_the_client(
    make_upstream: MakeUpstream, simulator: Simulator, home: Path, trap: Trap
) -> None:
    write_login(home, expires=datetime(2020, 1, 1, tzinfo=UTC), scopes=["user:inference"])
    simulator.play(*[Script.error(401, "OAuth token has expired")] * 4)

    with pytest.raises((UpstreamStatusError, NoLoginError), match="claude-openai-proxy login"):
        await answer(make_upstream(login={}, look_again=True), asking())
    assert set(trap.hosts) <= {"platform.claude.com:443"}


@pytest.mark.parametrize(
    ("account", "kind"),
    [
        (Account(token_source="none", api_key_source="ANTHROPIC_API_KEY", api_provider="firstParty"), "api key"),
        (Account(token_source="CLAUDE_CODE_OAUTH_TOKEN", api_provider="firstParty"), "token"),
        (Account(subscription_type="Claude Max", api_provider="firstParty"), "subscription"),
        (Account(api_provider="bedrock"), "provider"),
        (Account(token_source="none", api_provider="firstParty"), "none"),
    ],
)
def test_a_process_tells_its_kind_of_login(account: Account, kind: str) -> None:
    assert kind_of(account) == kind


@pytest.mark.parametrize(
    ("told", "words", "billed"),
    [
        (AuthStatus(logged_in=True, auth_method="gateway", api_provider="gateway"),
         "Claude Code's login to a gateway", "whatever the gateway charges"),
        (AuthStatus(logged_in=True, auth_method="oauth_token", api_provider="gateway"),
         "Claude Code's login to a gateway", "whatever the gateway charges"),
        (AuthStatus(logged_in=True, auth_method="third_party", api_provider="mantle"),
         "Amazon Bedrock", "your Amazon Bedrock account"),
        (AuthStatus(logged_in=True, auth_method="third_party", api_provider="anthropicAws"),
         "Claude on AWS", "your Claude on AWS account"),
        (AuthStatus(logged_in=True, auth_method="api_key", api_provider="anthropicGoogleCloud"),
         "Claude on Google Cloud", "your Claude on Google Cloud account"),
    ],
)  # fmt: skip
def test_gateways_and_clouds_are_named_as_what_they_are(told: AuthStatus, words: str, billed: str) -> None:
    login = described(told, {})

    assert (login.words, login.billed, login.personal) == (words, billed, False)
    assert kind_of(Account(token_source="x", api_provider=told.api_provider)) == login.kind


def test_a_process_that_lost_its_login_is_no_login() -> None:
    login = described(AuthStatus(logged_in=True, auth_method="claude.ai", subscription_type="pro"), {})

    with pytest.raises(NoLoginError):
        check_account(Account(token_source="none"), login)


def test_accounts_are_told_apart_and_not_revealed() -> None:
    def account(email: str) -> str:
        told = AuthStatus(logged_in=True, auth_method="claude.ai", subscription_type="max", email=email)
        return described(told, {}).account

    assert account("a@example.com") != account("b@example.com")
    assert "example" not in account("a@example.com")


async def test_a_cli_that_does_not_tell_its_login_is_one_clear_line(tmp_path: Path) -> None:
    cli = install_fake_cli(tmp_path, auth={"state": "?"})

    with pytest.raises(UpstreamProtocolError, match="does not tell its login"):
        await auth_status(cli, {"PATH": "/usr/bin:/bin"})


@pytest.mark.parametrize(
    ("personal", "public", "client_keys", "single_user", "refused"),
    [
        (True, False, 0, False, False),
        (True, False, 1, False, False),
        (True, True, 1, False, True),
        (True, False, 2, False, True),
        (True, True, 5, True, False),
        (False, True, 5, False, False),
    ],
)
def test_one_persons_subscription_stays_one_persons(
    personal: bool, public: bool, client_keys: int, single_user: bool, refused: bool
) -> None:
    line = single_user_refusal(personal=personal, public=public, client_keys=client_keys, single_user=single_user)

    assert bool(line) is refused
    assert ("CLAUDE_CODE_SINGLE_USER=yes" in line) is refused


@pytest.mark.parametrize(
    ("told", "environment", "personal"),
    [
        (AuthStatus(logged_in=True, auth_method="claude.ai", subscription_type="max"), {}, True),
        (AuthStatus(logged_in=True, auth_method="oauth_token"), {}, True),
        (AuthStatus(logged_in=True, auth_method="oauth_token"), {"ANTHROPIC_AUTH_TOKEN": "x"}, False),
        (AuthStatus(logged_in=True, auth_method="api_key"), {}, False),
        (AuthStatus(logged_in=True, auth_method="third_party", api_provider="vertex"), {}, False),
    ],
)
def test_what_is_personal(told: AuthStatus, environment: dict[str, str], personal: bool) -> None:
    assert described(told, environment).personal is personal
