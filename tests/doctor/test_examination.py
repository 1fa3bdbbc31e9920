"""What the doctor says of a machine, and that one thing which is wrong does not hide the others."""

import asyncio
import json
import tempfile
from datetime import date
from pathlib import Path

import pytest

from claude_openai_proxy import __version__
from claude_openai_proxy.app.stores import stores
from claude_openai_proxy.app.wiring import create_app
from claude_openai_proxy.doctor.machine import python_row
from claude_openai_proxy.settings import Flags, load_settings
from claude_openai_proxy.simulator import Simulator
from claude_openai_proxy.storage.client_keys import StoredKey, new_secret
from doctor.conftest import Examine
from selection.fake_claude import FakeClaude
from web.serving import served

KEY = {"ANTHROPIC_API_KEY": "sk-ant-hush"}
CHECKS = [
    "Python", "Proxy", "Configuration", "Port", "Storage", "Claude Code CLI", "Contract check", "Claude Code login",
    "Claude Code settings", "Login by key", "Upstream in use", "Unused login", "Single user",
    "Models", "Round trip (api)", "Round trip (claude-code)",
]  # fmt: skip


async def test_every_check_has_a_row_in_its_order(examined: Examine) -> None:
    found = await examined()

    assert [row.check for row in found.report.rows] == CHECKS
    assert found.report.version == __version__


async def test_a_key_that_works_is_all_it_takes(examined: Examine, simulator_url: str, simulator: Simulator) -> None:
    found = await examined(**KEY, ANTHROPIC_BASE_URL=simulator_url, with_request=True)

    assert found.report.ok
    assert found["Login by key"].found.startswith(f"ANTHROPIC_API_KEY from the environment, sent to {simulator_url} ")
    assert found["Upstream in use"].found.startswith("api: ANTHROPIC_API_KEY from the environment comes first")
    assert "custom-claude-4-sonnet -> claude-sonnet-5-5 answered: first text after " in found["Round trip (api)"].found
    assert found.status("Round trip (claude-code)") == "skipped"
    assert [request.path for request in simulator.requests if request.method == "POST"] == ["/v1/messages"]


async def test_a_pinned_model_is_the_one_that_is_tried(examined: Examine, simulator_url: str) -> None:
    pinned = {"ANTHROPIC_DEFAULT_SONNET_MODEL": "claude-haiku-4-5", "UNSUPPORTED_PARAMETERS": "reject"}
    found = await examined(**KEY, **pinned, ANTHROPIC_BASE_URL=simulator_url, with_request=True)

    assert found["Round trip (api)"].found.startswith("custom-claude-4-sonnet -> claude-haiku-4-5 answered: ")


async def test_without_requests_claude_is_not_asked(
    examined: Examine, simulator_url: str, simulator: Simulator
) -> None:
    found = await examined(**KEY, ANTHROPIC_BASE_URL=simulator_url)

    assert found["Round trip (api)"].found == "--no-request"
    assert not simulator.requests


async def test_no_login_is_a_problem_with_the_command_that_logs_in(examined: Examine) -> None:
    found = await examined()

    assert not found.report.ok
    assert found["Upstream in use"].found == "No Claude login found"
    assert found["Upstream in use"].fix == "Run: claude-openai-proxy login (or set ANTHROPIC_API_KEY), or try --demo"
    assert found["Claude Code login"].found == "not logged in"


async def test_a_subscription_is_told_with_who_is_billed(examined: Examine, claude: FakeClaude) -> None:
    claude.is_logged_in()

    found = await examined()

    assert found["Claude Code CLI"].found.startswith(f"2.1.330 at {claude.program} ")
    assert found["Claude Code login"].found == "Claude Max subscription (subscription), billed: your Claude Max plan"
    assert found["Upstream in use"].found.startswith("claude-code: Claude Code's own login comes first")


async def test_a_cli_that_breaks_its_contract_is_a_problem_and_not_asked(examined: Examine, claude: FakeClaude) -> None:
    claude.is_logged_in()

    found = await examined(with_request=True)

    assert found.status("Contract check") == "problem"
    assert "--upstream api" in found["Contract check"].fix
    assert found.status("Round trip (claude-code)") == "skipped"


async def test_a_disk_that_takes_no_files_is_a_row(
    examined: Examine, claude: FakeClaude, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    claude.is_logged_in()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))

    found = await examined()

    assert found["Contract check"].found.startswith("[Errno 2] No such file or directory")
    assert found.status("Claude Code login") == "ok"


async def test_a_cli_that_nobody_needs_is_a_warning_at_most(examined: Examine, claude: FakeClaude) -> None:
    claude.answers(version="1.0.60 (Claude Code)")

    found = await examined(**KEY)

    assert found.report.ok
    assert found.status("Claude Code CLI") == "warning"
    assert found["Claude Code CLI"].fix == f"Run: {claude.program} update"
    assert (found.status("Contract check"), found.status("Claude Code login")) == ("skipped", "skipped")


async def test_a_missing_cli_that_was_asked_for_is_a_problem(examined: Examine, claude: FakeClaude) -> None:
    claude.program.unlink()

    found = await examined(**KEY, CLAUDE_UPSTREAM="claude-code")

    assert found.problems == ["Claude Code CLI", "Upstream in use"]
    assert found["Claude Code CLI"].fix.startswith("Install it (https://code.claude.com/docs/en/setup)")


async def test_the_cli_is_left_alone_where_the_api_was_asked_for(examined: Examine, claude: FakeClaude) -> None:
    found = await examined(**KEY, CLAUDE_UPSTREAM="api", with_request=False)

    assert found["Claude Code CLI"].found == "not asked for: the upstream is api"
    assert claude.asked == []


async def test_of_a_token_that_was_set_up_it_is_told_that_its_year_ends_unannounced(
    examined: Examine, claude: FakeClaude
) -> None:
    found = await examined(CLAUDE_CODE_OAUTH_TOKEN="made-up")
    told = found["Claude Code login"].found
    assert told.startswith("CLAUDE_CODE_OAUTH_TOKEN (token), billed: the plan the token was made for; made by ")
    assert told.endswith("it works for a year: since when, neither the CLI nor the token tells")
    claude.is_logged_in()
    assert "for a year" not in (await examined())["Claude Code login"].found
    assert "for a year" not in (await examined(ANTHROPIC_AUTH_TOKEN="made-up"))["Claude Code login"].found


async def test_a_shadowed_subscription_is_a_warning(examined: Examine, claude: FakeClaude) -> None:
    claude.is_logged_in()

    found = await examined(**KEY)

    assert found["Unused login"].found == "a key comes before your Claude Max subscription, which is not used"
    assert "--upstream claude-code" in found["Unused login"].fix


async def test_a_plan_that_would_be_shared_is_a_problem(examined: Examine, claude: FakeClaude) -> None:
    claude.is_logged_in()

    found = await examined(PROXY_API_KEYS="a:secret-one,b:secret-two")

    assert found["Single user"].found.endswith("the proxy would serve it with 2 client keys")
    assert "CLAUDE_CODE_SINGLE_USER=yes" in found["Single user"].fix
    assert found.status("Upstream in use") == "problem"


async def test_stored_keys_count_as_those_of_the_setting_do(
    examined: Examine, claude: FakeClaude, person: dict[str, str], home: Path
) -> None:
    kept = stores(load_settings(Flags(), person, home))
    one, two, gone = (StoredKey(f"key_{name}", name) for name in ("ann", "bob", "cid"))
    for key in (one, gone):
        await kept.client_keys.add(key, new_secret())
    await kept.client_keys.revoke("cid", now=1.0)
    claude.is_logged_in()
    assert (await examined())["Single user"].found == "nothing to refuse: this machine only, client keys: 1"

    await kept.client_keys.add(two, new_secret())
    await kept.aclose()
    found = await examined()
    assert found["Single user"].found.endswith("the proxy would serve it with 2 client keys")
    assert found.status("Upstream in use") == "problem"
    both = await examined(CLAUDE_CODE_SINGLE_USER="yes")
    assert both.status("Single user") == "ok"


async def test_stored_keys_that_cannot_be_read_are_not_none(
    examined: Examine, claude: FakeClaude, person: dict[str, str], home: Path
) -> None:
    claude.is_logged_in()
    directory = load_settings(Flags(), person, home).storage.directory
    directory.mkdir(parents=True, mode=0o700)
    (directory / "state.db").write_bytes(b"This is no database. " * 400)
    (directory / "state.db").chmod(0o600)
    found = await examined()
    assert found["Single user"].found == "the stored client keys cannot be read: nobody knows how many there are"
    assert found.status("Single user") == "problem"
    assert found.status("Storage") == "warning"


async def test_the_doctor_makes_no_file_in_order_to_count_keys(
    examined: Examine, person: dict[str, str], home: Path
) -> None:
    await examined()
    assert not load_settings(Flags(), person, home).storage.directory.exists()


async def test_a_refused_key_says_what_to_do(examined: Examine, simulator_url: str, simulator: Simulator) -> None:
    simulator.account.refuse_keys = {"sk-ant-hush"}

    found = await examined(**KEY, ANTHROPIC_BASE_URL=simulator_url, with_request=True)

    assert found.problems == ["Round trip (api)"]
    assert "invalid x-api-key" in found["Round trip (api)"].found
    assert "renew the key" in found["Round trip (api)"].fix


async def test_an_unreachable_api_says_what_to_look_at(examined: Examine, free_port: int) -> None:
    found = await examined(**KEY, ANTHROPIC_BASE_URL=f"http://127.0.0.1:{free_port}", with_request=True)

    assert found.problems == ["Round trip (api)"]
    assert "HTTPS_PROXY" in found["Round trip (api)"].fix


async def test_a_key_that_would_go_where_dotenv_says_is_a_problem(examined: Examine, home: Path) -> None:
    (home / ".env").write_text("ANTHROPIC_BASE_URL=https://other.example\n", encoding="utf-8")

    found = await examined(**KEY, with_request=True)

    assert found["Login by key"].found.startswith("ANTHROPIC_API_KEY from the environment would be sent to other.exam")
    assert found.status("Claude Code CLI") == "ok"
    assert found.status("Round trip (api)") == "skipped"


async def test_a_helper_that_fails_is_a_problem(examined: Examine, home: Path) -> None:
    (home / ".claude").mkdir()
    (home / ".claude" / "settings.json").write_text(json.dumps({"apiKeyHelper": "exit 3"}), encoding="utf-8")

    found = await examined(with_request=True)

    assert found.status("Login by key") == "problem"
    assert found.status("Round trip (api)") == "skipped"


async def test_a_settings_file_that_cannot_be_read_is_a_warning(examined: Examine, home: Path) -> None:
    (home / ".claude").mkdir()
    (home / ".claude" / "settings.json").write_text("{", encoding="utf-8")

    found = await examined(**KEY)

    assert found["Claude Code settings"].found.endswith("it is not the JSON that Claude Code writes.")


async def test_a_model_that_goes_soon_is_a_warning_where_a_setting_leads_there(
    examined: Examine, simulator_url: str
) -> None:
    soon = {"today": date(2026, 11, 27), "with_request": True, "ANTHROPIC_BASE_URL": simulator_url, **KEY}

    pinned = (await examined(MODEL_ALIASES="daily=claude-sonnet-4-5", DEFAULT_MODEL="gpt-9", **soon))["Models"]
    unused = (await examined(**soon))["Models"]

    assert pinned.status == "warning"
    assert "DEFAULT_MODEL is gpt-9, which is no alias, line or model that your login offers." in pinned.fix
    assert "claude-sonnet-4-5 is retired on 2026-11-30; daily leads there." in pinned.fix
    assert unused.status == "ok"
    assert "is retired on 2026-11-30" in unused.found


async def test_what_can_be_used_but_is_not_meant_is_a_warning(examined: Examine, home: Path) -> None:
    (home / ".env").write_text("PROT=3012\n", encoding="utf-8")

    row = (await examined())["Configuration"]

    assert (row.status, row.fix) == ("warning", "PROT in .env (line 1) is not a setting: did you mean PORT?")


async def test_all_bad_settings_have_a_row_each(examined: Examine) -> None:
    found = await examined(LOG_LEVEL="loud", MAX_BODY_MB="x")

    assert found.problems == ["Configuration", "Configuration"]


async def test_a_door_that_dotenv_opens_is_a_row_with_the_flag(
    examined: Examine, home: Path, claude: FakeClaude
) -> None:
    claude.is_logged_in()
    (home / ".env").write_text("ALLOWED_ORIGINS=https://evil.example\n", encoding="utf-8")

    row = (await examined())["Upstream in use"]

    assert row.status == "problem"
    assert "ALLOWED_ORIGINS (line 1)" in row.found
    assert "--env-file .env" in row.fix


async def test_the_demo_needs_nothing(examined: Examine, claude: FakeClaude) -> None:
    found = await examined(demo=True, with_request=True)

    assert found.report.ok
    assert found.status("Round trip (demo)") == "ok"
    assert claude.asked == []


async def test_a_bad_setting_is_a_row_and_the_rest_is_skipped(examined: Examine) -> None:
    found = await examined(LOG_LEVEL="loud")

    assert found.problems == ["Configuration"]
    assert found["Configuration"].found == "LOG_LEVEL from the environment is 'loud', which is not allowed"
    assert found["Configuration"].fix == "Allowed: debug, info, warning or error."
    assert found.status("Python") == "ok"
    assert found.status("Port") == "skipped"


async def test_the_configuration_names_the_source_of_each_setting(examined: Examine, home: Path) -> None:
    (home / ".env").write_text("DRAIN_SECONDS=5\n", encoding="utf-8")

    assert (await examined(MAX_BODY_MB="8"))["Configuration"].found == (
        "PORT, MAX_BODY_MB, UPSTREAM_RETRIES, CLAUDE_CLI_PATH from the environment; DRAIN_SECONDS from .env"
    )


# ---- the port -------------------------------------------------------------------------------------------------------


async def say_nothing_of_use(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
    writer.close()


async def test_a_free_port_is_fine(examined: Examine, free_port: int) -> None:
    assert (await examined())["Port"].found == f"{free_port} on localhost: free"


async def test_a_port_that_another_program_has_is_a_problem(examined: Examine) -> None:
    another = await asyncio.start_server(say_nothing_of_use, "127.0.0.1", 0)
    async with another:
        port = (await examined(PORT=str(another.sockets[0].getsockname()[1])))["Port"]

    assert port.status == "problem"
    assert "is taken by another program" in port.found
    assert "--port" in port.fix


async def test_a_port_that_this_proxy_has_is_fine(examined: Examine, home: Path) -> None:
    app = create_app(load_settings(Flags(demo=True), {"HOME": str(home)}, home))
    async with served(app) as url:
        port = url.rpartition(":")[2]
        row = (await examined(PORT=port))["Port"]

    assert row.status == "ok"
    assert row.found == f"{port} on localhost: this proxy runs there already ({__version__}, upstream demo, ok)"


# ---- small things ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "status"), [((3, 10, 14), "problem"), ((3, 11, 0), "ok"), ((4, 0, 0), "ok")])
def test_a_python_that_is_too_old_is_a_problem(version: tuple[int, ...], status: str) -> None:
    assert python_row(version).status == status


async def test_no_secret_is_in_any_row(examined: Examine, claude: FakeClaude, simulator_url: str) -> None:
    claude.is_logged_in()

    found = await examined(
        **KEY, CLAUDE_CODE_OAUTH_TOKEN="oauth-hush", PROXY_API_KEYS="a:key-hush", ANTHROPIC_BASE_URL=simulator_url,
        HTTPS_PROXY="http://user:password-hush@127.0.0.1:9", NO_PROXY="127.0.0.1", with_request=True,
    )  # fmt: skip

    assert "hush" not in repr(found.report)
    assert "a@b.example" not in repr(found.report)
