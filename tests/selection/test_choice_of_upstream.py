"""Which way a request takes for each login there can be, and what a person is told of it."""

import asyncio

import pytest

from claude_openai_proxy.errors import NoLoginError, PersonalPlanError, ProxyError
from claude_openai_proxy.trust import UpstreamName
from claude_openai_proxy.upstreams.claude_code.login import CliLogin
from claude_openai_proxy.upstreams.selection import ASK_AGAIN_SECONDS, SelectedUpstream
from selection.conftest import Machine

NO_LOGIN = "No Claude login found. Run: claude-openai-proxy login (or set ANTHROPIC_API_KEY), or try --demo"
VERSION = "(Claude Code 2.1.330)"
ACCOUNT = "the Anthropic API account of this key, by tokens"


async def chosen(upstreams: SelectedUpstream) -> tuple[str, str, str]:
    """Kind, login and who is billed."""
    upstream = await upstreams.current()
    status = await upstreams.status()
    assert status.logged_in
    assert upstream.identity.kind == status.kind
    return status.kind, status.login, status.billed


async def refusal(upstreams: SelectedUpstream) -> str:
    with pytest.raises(ProxyError) as refused:
        await upstreams.current()
    status = await upstreams.status()
    assert (status.kind, status.logged_in, status.detail) == ("none", False, refused.value.message)
    return refused.value.message


LOGINS = [
    (
        {"CLAUDE_CODE_USE_BEDROCK": "1", "ANTHROPIC_AUTH_TOKEN": "t", "ANTHROPIC_API_KEY": "k"},
        ("claude-code", f"Amazon Bedrock {VERSION}", "your Amazon Bedrock account"),
    ),
    (
        {"ANTHROPIC_AUTH_TOKEN": "t", "ANTHROPIC_API_KEY": "k", "CLAUDE_CODE_OAUTH_TOKEN": "o"},
        ("api", "ANTHROPIC_AUTH_TOKEN from the environment", ACCOUNT),
    ),
    (
        {"ANTHROPIC_API_KEY": "k", "CLAUDE_CODE_OAUTH_TOKEN": "o"},
        ("api", "ANTHROPIC_API_KEY from the environment", ACCOUNT),
    ),
    (
        {"CLAUDE_CODE_OAUTH_TOKEN": "o"},
        ("claude-code", f"CLAUDE_CODE_OAUTH_TOKEN {VERSION}", "the plan the token was made for"),
    ),
    ({}, ("claude-code", f"Claude Max subscription {VERSION}", "your Claude Max plan")),
]


@pytest.mark.parametrize(("variables", "expected"), LOGINS, ids=lambda value: "+".join(value) or "subscription")
async def test_auto_takes_the_first_login_in_the_order_of_claude_code(
    machine: Machine, variables: dict[str, str], expected: tuple[str, str, str]
) -> None:
    machine.claude.is_logged_in()

    assert await chosen(machine.upstreams(**variables)) == expected


@pytest.mark.parametrize(
    ("variables", "payer"),
    [
        ({}, "plan"),
        ({"CLAUDE_CODE_OAUTH_TOKEN": "o"}, "plan"),
        ({"CLAUDE_CODE_USE_BEDROCK": "1"}, "cloud"),
    ],
    ids=lambda value: "+".join(value) or "subscription",
)
async def test_who_pays_is_known_before_the_first_request(
    machine: Machine, variables: dict[str, str], payer: str
) -> None:
    machine.claude.is_logged_in()

    identity = (await machine.upstreams(**variables).current()).identity

    assert (identity.payer, bool(identity.account)) == (payer, True)


async def test_a_helper_comes_before_the_logins_of_the_cli(machine: Machine) -> None:
    machine.claude.is_logged_in()
    machine.write_settings(apiKeyHelper="echo k")

    kind, login, billed = await chosen(machine.upstreams(CLAUDE_CODE_OAUTH_TOKEN="o"))

    assert (kind, billed) == ("api", ACCOUNT)
    assert login == f"apiKeyHelper from {machine.home / '.claude' / 'settings.json'}"


@pytest.mark.parametrize(
    ("name", "kind"),
    [("CLAUDE_CODE_USE_BEDROCK", "claude-code"), ("ANTHROPIC_API_KEY", "api"), ("ANTHROPIC_AUTH_TOKEN", "api"),
     ("CLAUDE_CODE_OAUTH_TOKEN", "claude-code")],
)  # fmt: skip
async def test_the_settings_of_claude_code_are_as_good_as_the_environment(
    machine: Machine, name: str, kind: str
) -> None:
    machine.write_settings(env={name: "1"})

    assert (await chosen(machine.upstreams()))[0] == kind


async def test_api_never_starts_the_cli(machine: Machine) -> None:
    machine.claude.is_logged_in()

    assert await refusal(machine.upstreams(upstream="api", CLAUDE_CODE_OAUTH_TOKEN="o")) == NO_LOGIN
    assert await chosen(machine.upstreams(upstream="api", ANTHROPIC_API_KEY="k")) == (
        "api", "ANTHROPIC_API_KEY from the environment", ACCOUNT,
    )  # fmt: skip
    assert machine.claude.asked == []


async def test_a_key_is_answered_with_without_asking_the_cli(machine: Machine) -> None:
    await machine.upstreams(ANTHROPIC_API_KEY="k").current()

    assert machine.claude.asked == []


async def test_claude_code_withholds_a_key_from_the_cli(machine: Machine) -> None:
    machine.claude.is_logged_in()

    upstreams = machine.upstreams(upstream="claude-code", ANTHROPIC_API_KEY="k")

    assert await chosen(upstreams) == ("claude-code", f"Claude Max subscription {VERSION}", "your Claude Max plan")


async def test_claude_code_uses_a_key_that_is_the_only_login(machine: Machine) -> None:
    kind, login, _ = await chosen(machine.upstreams(upstream="claude-code", ANTHROPIC_API_KEY="k"))

    assert (kind, login) == ("claude-code", f"ANTHROPIC_API_KEY {VERSION}")


# ---- logins come and go ---------------------------------------------------------------------------------------------


async def test_a_login_made_while_the_server_runs_is_used(machine: Machine) -> None:
    upstreams = machine.upstreams()
    assert await refusal(upstreams) == NO_LOGIN

    machine.claude.is_logged_in()
    machine.now += ASK_AGAIN_SECONDS

    assert (await chosen(upstreams))[1] == f"Claude Max subscription {VERSION}"


async def test_a_login_that_is_gone_is_not_used(machine: Machine) -> None:
    machine.claude.is_logged_in()
    upstreams = machine.upstreams()
    await chosen(upstreams)

    machine.claude.is_logged_out()
    machine.now += ASK_AGAIN_SECONDS

    assert await refusal(upstreams) == NO_LOGIN


async def test_health_sees_at_once_that_a_login_is_gone(machine: Machine) -> None:
    machine.claude.is_logged_in()
    upstreams = machine.upstreams()
    await chosen(upstreams)

    machine.claude.is_logged_out()
    status = await upstreams.status()

    assert (status.logged_in, status.login, status.detail, status.kind) == (False, "", NO_LOGIN, "none")


async def test_a_key_that_is_set_while_the_server_runs_is_used(machine: Machine) -> None:
    upstreams = machine.upstreams()
    assert await refusal(upstreams) == NO_LOGIN

    machine.write_settings(env={"ANTHROPIC_API_KEY": "k"})
    machine.now += 1

    assert (await chosen(upstreams))[0] == "api"


async def test_a_token_that_is_set_while_the_server_runs_reaches_the_cli(machine: Machine) -> None:
    upstreams = machine.upstreams()
    assert await refusal(upstreams) == NO_LOGIN

    machine.write_settings(env={"CLAUDE_CODE_OAUTH_TOKEN": "o"})
    machine.now += 1

    assert (await chosen(upstreams))[1] == f"CLAUDE_CODE_OAUTH_TOKEN {VERSION}"


async def test_a_key_that_is_taken_away_makes_room_for_the_subscription(machine: Machine) -> None:
    machine.claude.is_logged_in()
    machine.write_settings(env={"ANTHROPIC_API_KEY": "k"})
    upstreams = machine.upstreams()
    assert (await chosen(upstreams))[0] == "api"

    machine.write_settings(env={})
    machine.now += 1

    assert (await chosen(upstreams))[0] == "claude-code"


async def test_requests_that_come_together_ask_the_cli_once(machine: Machine) -> None:
    machine.claude.is_logged_in()
    upstreams = machine.upstreams()

    await asyncio.gather(*(upstreams.current() for _ in range(5)))

    assert machine.claude.asked == ["--version", "auth status --json"]


async def test_a_login_that_changes_while_the_cli_is_asked_is_not_overwritten_by_the_old_one(machine: Machine) -> None:
    machine.claude.is_logged_in()
    machine.claude.answers(waits=True)
    upstreams = machine.upstreams()
    async with asyncio.TaskGroup() as at_once:
        first = at_once.create_task(upstreams.current())
        await asyncio.to_thread(machine.claude.until_asked)
        machine.write_settings(env={"CLAUDE_CODE_OAUTH_TOKEN": "o"})
        machine.now += 1
        second = at_once.create_task(upstreams.current())
        await asyncio.sleep(0)
        machine.claude.goes_on()

    assert first.result() is second.result() is upstreams.claude_code
    assert (await chosen(upstreams))[1] == f"CLAUDE_CODE_OAUTH_TOKEN {VERSION}"
    assert upstreams._asked is not None
    assert isinstance(upstreams._asked[1], CliLogin)
    assert upstreams._asked[1].words == "CLAUDE_CODE_OAUTH_TOKEN"


# ---- a CLI that is not fit for use ----------------------------------------------------------------------------------


async def test_without_a_cli_the_way_to_a_login_is_told(machine: Machine) -> None:
    machine.claude.program.unlink()

    assert await refusal(machine.upstreams()) == NO_LOGIN


async def test_a_cli_that_was_asked_for_and_is_missing_is_named(machine: Machine) -> None:
    machine.claude.program.unlink()

    for upstreams in (machine.upstreams(upstream="claude-code"), machine.upstreams(CLAUDE_CODE_OAUTH_TOKEN="o")):
        message = await refusal(upstreams)

        assert message.startswith(f"There is no Claude Code CLI at {machine.claude.program}. Install it (https://")


async def test_a_cli_that_is_too_old_is_told_with_the_remedy(machine: Machine) -> None:
    machine.claude.is_logged_in()
    machine.claude.answers(version="2.0.14 (Claude Code)")

    assert await refusal(machine.upstreams()) == (
        f"The Claude Code CLI at {machine.claude.program} is version 2.0.14; 2.1.0 is needed. "
        f"Run: {machine.claude.program} update"
    )


async def test_another_program_of_that_name_is_told(machine: Machine) -> None:
    machine.claude.answers(version="Hello, I am Claude")

    assert (await refusal(machine.upstreams())).startswith(f"{machine.claude.program} is not the Claude Code CLI")


async def test_a_cli_that_cannot_be_started_is_told(machine: Machine) -> None:
    machine.claude.program.chmod(0o644)

    assert (await refusal(machine.upstreams())).endswith("could not be started: Permission denied")


async def test_a_broken_cli_does_not_matter_where_a_key_is_used(machine: Machine) -> None:
    machine.claude.answers(version="broken")
    upstreams = machine.upstreams(ANTHROPIC_API_KEY="k")

    assert (await chosen(upstreams))[0] == "api"
    assert await upstreams.shadowed_subscription() == ""


# ---- a key before a subscription ------------------------------------------------------------------------------------


async def test_a_subscription_that_a_key_shadows_is_named(machine: Machine) -> None:
    machine.claude.is_logged_in()

    assert await machine.upstreams(ANTHROPIC_API_KEY="k").shadowed_subscription() == "Claude Max subscription"


@pytest.mark.parametrize(
    ("upstream", "variables"),
    [("auto", {}), ("api", {"ANTHROPIC_API_KEY": "k"}), ("claude-code", {"ANTHROPIC_API_KEY": "k"})],
)
async def test_nothing_is_shadowed_where_the_user_chose_or_no_key_is_set(
    machine: Machine, upstream: str, variables: dict[str, str]
) -> None:
    machine.claude.is_logged_in()

    assert await machine.upstreams(upstream=upstream, **variables).shadowed_subscription() == ""


async def test_a_key_alone_shadows_nothing(machine: Machine) -> None:
    assert await machine.upstreams(ANTHROPIC_API_KEY="k").shadowed_subscription() == ""


async def test_a_missing_login_is_the_error_that_clients_see_as_401(machine: Machine) -> None:
    with pytest.raises(NoLoginError):
        await machine.upstreams().current()


@pytest.mark.parametrize(
    ("kind", "variables", "logged_in", "answers"),
    [
        ("api", {"ANTHROPIC_API_KEY": "k"}, True, True),
        ("api", {}, True, False),
        ("claude-code", {"ANTHROPIC_API_KEY": "k"}, True, True),
        ("claude-code", {"ANTHROPIC_API_KEY": "k"}, False, False),
        ("claude-code", {"ANTHROPIC_API_KEY": "k", "PROXY_API_KEYS": "a:one,b:two"}, True, False),
        (
            "claude-code",
            {"ANTHROPIC_API_KEY": "k", "PROXY_API_KEYS": "a:one,b:two", "CLAUDE_CODE_SINGLE_USER": "yes"},
            True,
            True,
        ),
    ],
)
async def test_a_way_of_a_kind_has_a_login_of_its_own_that_may_serve(
    machine: Machine, kind: UpstreamName, variables: dict[str, str], *, logged_in: bool, answers: bool
) -> None:
    if logged_in:
        machine.claude.is_logged_in()
    upstreams = machine.upstreams(**variables)
    if answers:
        assert (await upstreams.of_kind(kind)).identity.kind == kind
        return
    with pytest.raises((NoLoginError, PersonalPlanError)):
        await upstreams.of_kind(kind)


async def test_claude_code_is_a_fallback_of_the_api_even_where_the_api_was_asked_for(machine: Machine) -> None:
    machine.claude.is_logged_in()
    upstreams = machine.upstreams(upstream="api", ANTHROPIC_API_KEY="k")
    assert (await upstreams.current()).identity.kind == "api"
    assert (await upstreams.of_kind("claude-code")).identity.payer == "plan"
