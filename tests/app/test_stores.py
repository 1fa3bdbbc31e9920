"""What outlives a request: where the settings put it, who is told of trouble, and what it never holds up."""

import logging
import sqlite3
from pathlib import Path

import msgspec
import pytest

from claude_openai_proxy.app.installation import DATABASE, installation_key
from claude_openai_proxy.app.stores import stores
from claude_openai_proxy.app.wiring import wire
from claude_openai_proxy.doctor.storage import storage_row
from claude_openai_proxy.settings import Flags, Settings, load_settings
from claude_openai_proxy.storage.client_keys import StoredKey, new_secret
from claude_openai_proxy.storage.migration import newest
from cli.running import finished
from web.direct import call

ANN = StoredKey("key_1", "ann", created=1.0)


KEY = {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": "http://127.0.0.1:9", "UPSTREAM_RETRIES": "0"}


def settings(home: Path, **environment: str) -> Settings:
    return load_settings(Flags(demo="DEMO" in environment), {"HOME": str(home), **environment}, home)


async def start_lines(settings: Settings) -> list[str]:
    wiring = wire(settings)
    async with wiring.running():
        return await wiring.start_lines()


def state_of(home: Path) -> Path:
    return home / ".local/state/claude-openai-proxy"


async def test_a_key_outlives_the_process_that_stored_it(tmp_path: Path) -> None:
    first = stores(settings(tmp_path))
    assert await first.open() == ""
    await first.client_keys.add(ANN, new_secret())
    await first.aclose()

    second = stores(settings(tmp_path))
    assert (await second.client_keys.ring()).keys == (ANN,)
    assert second.state.where == str(state_of(tmp_path) / DATABASE)
    await second.aclose()


@pytest.mark.parametrize("told", [{"STATE": "memory"}, {"DEMO": "yes"}], ids=["by its name", "for the demo"])
async def test_in_memory_nothing_is_written(tmp_path: Path, told: dict[str, str]) -> None:
    wiring = wire(settings(tmp_path, **told))
    async with wiring.running():
        await wiring.stores.client_keys.add(ANN, new_secret())
        wiring.stores.seal()
    assert not state_of(tmp_path).exists()


async def test_the_start_says_where_remains_of_prompts_and_answers_rest(tmp_path: Path) -> None:
    lines = await start_lines(settings(tmp_path, **KEY))
    told = [line for line in lines if line.startswith("Kept, sealed:")]
    assert len(told) == 1
    assert str(state_of(tmp_path) / DATABASE) in told[0]
    assert "STATE=memory" in told[0]


@pytest.mark.parametrize("told", [{"STATE": "memory"}, {"DEMO": "yes"}], ids=["by its name", "for the demo"])
async def test_where_none_rest_the_start_says_nothing_of_it(tmp_path: Path, told: dict[str, str]) -> None:
    lines = await start_lines(settings(tmp_path, **({} if "DEMO" in told else KEY), **told))
    assert not any("Kept" in line for line in lines)


async def test_two_servers_use_one_directory(tmp_path: Path) -> None:
    one, other = stores(settings(tmp_path)), stores(settings(tmp_path))
    assert [await one.open(), await other.open()] == ["", ""]
    await one.client_keys.add(ANN, new_secret())

    assert (await other.client_keys.ring()).keys == (ANN,)
    await one.aclose()
    await other.aclose()


def test_the_key_of_the_settings_seals_and_without_one_the_kept_one_does(tmp_path: Path) -> None:
    given = stores(settings(tmp_path, STORAGE_KEY="0123456789abcdef")).seal()
    again = stores(settings(tmp_path, STORAGE_KEY="0123456789abcdef")).seal()
    kept = stores(settings(tmp_path)).seal()

    assert again.open(given.seal(b"said", b"row"), b"row") == b"said"
    assert kept.open(given.seal(b"said", b"row"), b"row") is None
    assert installation_key(settings(tmp_path))() == installation_key(settings(tmp_path))()


def test_a_short_key_is_refused_without_being_shown(tmp_path: Path) -> None:
    run = finished("serve", "--port", "0", home=tmp_path, extra={"STORAGE_KEY": "too-short"})
    assert run.returncode == 2
    assert "STORAGE_KEY from the environment is a value that is not shown" in run.stderr
    assert "too-short" not in run.stderr


def test_the_file_of_a_newer_program_refuses_the_start_in_a_line(tmp_path: Path) -> None:
    newer_file(tmp_path)
    run = finished("serve", "--port", "0", home=tmp_path, extra={"ANTHROPIC_API_KEY": "sk-ant-made-up", **nowhere()})

    (line,) = run.stderr.splitlines()
    assert run.returncode == 2
    assert "was written by a newer version of this program" in line


async def test_trouble_is_told_once_in_the_log_and_in_health_and_heals(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    state_of(tmp_path).parent.mkdir(parents=True)
    in_the_way = state_of(tmp_path)
    in_the_way.write_text("", encoding="utf-8")
    wiring = wire(settings(tmp_path, ANTHROPIC_API_KEY="sk-ant-made-up", **nowhere()))
    caplog.set_level(logging.WARNING)
    async with wiring.running():
        await wiring.stores.open()
        troubled = msgspec.json.decode((await call(wiring.application, "GET", "/health")).body)["storage"]
        in_the_way.unlink()
        await wiring.stores.client_keys.add(ANN, new_secret())
        well = msgspec.json.decode((await call(wiring.application, "GET", "/health")).body)["storage"]

    assert troubled["trouble"] == f"./.local/state/claude-openai-proxy/{DATABASE}: File exists."
    assert well == {"kind": "sqlite", "where": f"./.local/state/claude-openai-proxy/{DATABASE}"}
    told = [record.getMessage() for record in caplog.records if record.getMessage().startswith("Storage")]
    assert [line.partition(":")[0] for line in told] == ["Storage", "Storage works again."]


async def test_the_doctor_looks_and_makes_nothing(tmp_path: Path) -> None:
    assert (await storage_row(settings(tmp_path))).found.endswith(f"{DATABASE}: nothing kept yet")
    assert not state_of(tmp_path).exists()
    assert (await storage_row(settings(tmp_path, STATE="memory"))).status == "ok"

    newer_file(tmp_path)
    row = await storage_row(settings(tmp_path))
    assert (row.status, row.fix) == ("problem", "Update, or set STATE_DIR to another directory.")


def newer_file(home: Path) -> None:
    state_of(home).mkdir(parents=True, mode=0o700)
    connection = sqlite3.connect(state_of(home) / DATABASE)
    connection.execute(f"PRAGMA user_version={newest() + 1}")
    connection.close()


def nowhere() -> dict[str, str]:
    """A base URL at which nobody listens."""
    return {"ANTHROPIC_BASE_URL": "http://127.0.0.1:9"}
