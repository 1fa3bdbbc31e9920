"""A key and the base URL it belongs to travel as a pair, or neither goes: to the CLI as to the API."""

from pathlib import Path

import pytest

from claude_openai_proxy.logins.login import UntrustedLoginError
from cli.running import finished
from selection.conftest import Machine

PAIR = {"ANTHROPIC_API_KEY": "sk-ant-of-the-file", "ANTHROPIC_BASE_URL": "http://127.0.0.1:9"}


def write_dotenv(home: Path, variables: dict[str, str]) -> None:
    (home / ".env").write_text("".join(f"{name}={text}\n" for name, text in variables.items()), encoding="utf-8")


async def test_the_cli_gets_the_pair_where_it_has_no_other_login(machine: Machine) -> None:
    write_dotenv(machine.home, PAIR)

    await machine.upstreams(upstream="claude-code").current()

    assert machine.claude.given == [{}, {}, PAIR]


async def test_the_cli_gets_neither_where_it_has_a_login_of_its_own(machine: Machine) -> None:
    machine.claude.is_logged_in()
    write_dotenv(machine.home, PAIR)

    await machine.upstreams(upstream="claude-code").current()

    assert machine.claude.given == [{}, {}]


async def test_a_token_of_the_user_is_not_sent_where_the_file_says(machine: Machine) -> None:
    write_dotenv(machine.home, PAIR)
    upstreams = machine.upstreams(upstream="claude-code", CLAUDE_CODE_OAUTH_TOKEN="o")

    with pytest.raises(UntrustedLoginError, match="would be sent to"):
        await upstreams.current()


async def test_a_key_of_the_user_does_not_go_with_the_url_of_the_file(machine: Machine) -> None:
    write_dotenv(machine.home, PAIR | {"ANTHROPIC_AUTH_TOKEN": "t"})
    upstreams = machine.upstreams(ANTHROPIC_API_KEY="k", ANTHROPIC_BASE_URL="http://127.0.0.1:10")

    assert (await upstreams.logins.credential()).secret == "k"
    assert upstreams.logins.cli_keys() == {}
    assert upstreams.logins.cli_environment()["ANTHROPIC_BASE_URL"] == "http://127.0.0.1:10"


async def test_a_key_of_the_file_may_go_where_the_user_says(machine: Machine) -> None:
    write_dotenv(machine.home, {"ANTHROPIC_API_KEY": "k"})

    await machine.upstreams(upstream="claude-code", ANTHROPIC_BASE_URL="http://127.0.0.1:10").current()

    assert machine.claude.given[-1] == {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": "http://127.0.0.1:10"}


@pytest.mark.parametrize("upstream", ["auto", "claude-code", "api"])
def test_the_doctor_never_gives_half_of_it(computer: Machine, upstream: str) -> None:
    write_dotenv(computer.home, PAIR)
    cli = {"CLAUDE_CLI_PATH": str(computer.claude.program)}

    finished("doctor", "--no-request", "--port", "0", "--upstream", upstream, home=computer.home, extra=cli)

    given = [] if upstream == "api" else computer.claude.given
    assert all(run in ({}, PAIR) for run in given)
    assert upstream == "api" or PAIR in given
