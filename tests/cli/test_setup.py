"""`setup` from the first look to the undo, against a running demo, with clients that are scripts."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from claude_openai_proxy.app.wiring import create_app
from claude_openai_proxy.commands import setup
from claude_openai_proxy.commands.invocation import Invocation
from claude_openai_proxy.commands.table import read
from claude_openai_proxy.settings import Flags, SettingsError, load_settings
from claude_openai_proxy.setup import jsonc, proof
from claude_openai_proxy.setup.running_proxy import RunningProxy
from claude_openai_proxy.setup.target import KEY_VARIABLE
from web.serving import served


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "bin").mkdir()
    return tmp_path


def environment(home: Path) -> dict[str, str]:
    return {"HOME": str(home), "PATH": f"{home / 'bin'}:/usr/bin:/bin", "HTTP_PROXY": "http://127.0.0.1:9"}


def exists(path: str) -> bool:
    return Path(path).exists()


def put_program(home: Path, name: str, script: str) -> None:
    program = home / "bin" / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def asks(url: str, model: str = "custom-claude-4-sonnet") -> str:
    """What a client does, as a shell command: one question to the proxy."""
    body = f'{{"model": "{model}", "messages": [{{"role": "user", "content": "Hi"}}]}}'
    headers = "-H 'Content-Type: application/json' -H \"Authorization: Bearer ${CLAUDE_OPENAI_PROXY_KEY:-any}\""
    return f"curl -s --noproxy '*' -A a-client/1 -o /dev/null {headers} -d '{body}' {url}/chat/completions"


@pytest.fixture
async def url(home: Path, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """Of a demo; with `PROXY_API_KEYS` where the test asks for keys."""
    keys: Mapping[str, str] = getattr(request, "param", {})
    settings = load_settings(Flags(demo=True), environment(home) | dict(keys), home)
    async with served(create_app(settings)) as address:
        yield f"{address}/v1"


async def call(home: Path, *words: str, **more: str) -> int:
    given = environment(home) | more
    return await asyncio.to_thread(
        lambda: setup.run(Invocation(read(["setup", *words]), ["setup", *words], given, home))
    )


async def test_without_a_name_every_client_is_listed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put_program(home, "llm", "true")
    assert await call(home) == 0
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line.strip()}
    assert "installed" in rows["llm"]
    assert "not found" in rows["opencode"]
    assert "by hand" in rows["cursor"]


async def test_it_writes_proves_and_takes_back(home: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    script = 'printf "%s\\n" "$@" > "$HOME/asked"; pwd >> "$HOME/asked"; ls -A; echo ready'
    put_program(home, "opencode", f"{asks(url)}; {script}")
    file = home / ".config" / "opencode" / "opencode.json"
    file.parent.mkdir(parents=True)
    file.write_text('{"theme": "dark"} // mine\n')
    assert await call(home, "opencode", "--url", url, "--yes") == 0
    out = capsys.readouterr().out
    assert jsonc.load(file.read_text())["provider"]["claude-openai-proxy"]["options"]["baseURL"] == url
    assert "billed: nobody" in out
    assert out.count("\nok ") == 3
    assert "ok       opencode itself: ready (seen as a-client/1, HTTP 200)" in out
    program, *_, folder = (home / "asked").read_text().splitlines()
    assert program == "run"
    assert not exists(folder)
    assert await call(home, "opencode", "--url", url, "--yes", "--no-proof") == 0
    assert "has it already" in capsys.readouterr().out
    assert await call(home) == 0
    assert "set up" in capsys.readouterr().out
    assert await call(home, "opencode", "--undo") == 0
    assert file.read_text() == '{"theme": "dark"} // mine\n'


async def test_a_look_writes_nothing(home: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert await call(home, "zed", "--url", url, "--dry-run") == 0
    assert "+" in capsys.readouterr().out
    assert not (home / ".config" / "zed").exists()


async def test_nobody_is_taken_for_yes(home: Path, url: str) -> None:
    with pytest.raises(SettingsError, match="--yes"):
        await call(home, "zed", "--url", url)
    assert not (home / ".config" / "zed").exists()


async def test_the_first_failure_is_named_and_ends_the_proof(
    home: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    put_program(home, "cn", "echo no such model >&2; exit 3")
    assert await call(home, "continue", "--url", url, "--yes") == 1
    out = capsys.readouterr().out
    assert "problem  cn itself: no such model" in out
    assert out.count("\nok ") == 2


def test_a_proxy_that_still_looks_for_its_login_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    answers = iter(["checking", "checking", "no_login"])
    running = RunningProxy("http://127.0.0.1:9/v1")
    monkeypatch.setattr(RunningProxy, "health", lambda _: {"status": next(answers), "detail": "No login."})
    assert proof._answers(running) == proof.Step("the proxy answers", ok=False, detail="No login.")
    assert len(slept) == 2


async def test_a_client_that_asks_somebody_else_is_no_proof(
    home: Path, url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof, "LOG_SECONDS", 0.0)
    put_program(home, "cn", "echo ready")
    assert await call(home, "continue", "--url", url, "--yes") == 1
    assert "problem  cn itself: ready (the proxy has seen no request of it)" in capsys.readouterr().out
    put_program(home, "cn", f"{asks(url, 'no-such-model')}; echo ready")
    assert await call(home, "continue", "--url", url, "--prove") == 1
    assert "problem  cn itself: ready (seen as a-client/1, HTTP 404)" in capsys.readouterr().out


@pytest.mark.parametrize("url", [{"PROXY_API_KEYS": "me:sk-one"}], indirect=True)
async def test_where_the_log_is_not_shown_the_clients_own_word_counts(
    home: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    put_program(home, "opencode", "echo ready")
    keyed = {"CLAUDE_OPENAI_PROXY_KEY": "sk-one", "STATE": "memory"}
    assert await call(home, "opencode", "--url", url, "--yes", **keyed) == 0
    assert "its request was not looked for: The server asks for an operator's key" in capsys.readouterr().out


async def test_a_client_is_asked_with_the_variables_that_it_needs(
    home: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    put_program(home, "cline", f'{asks(url)}; echo "as $CLINE_SESSION_BACKEND_MODE"')
    assert await call(home, "cline", "--url", url, "--yes") == 0
    assert "cline itself: as local (" in capsys.readouterr().out


async def test_a_client_that_is_not_here_is_set_up_all_the_same(
    home: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await call(home, "llm", "--url", url, "--yes") == 0
    out = capsys.readouterr().out
    assert "llm is not installed here" in out
    assert out.count("\nok ") == 2


async def test_without_a_proxy_nothing_is_written(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert await call(home, "llm", "--url", "http://127.0.0.1:9/v1", "--yes") == 1
    assert "Start the proxy first" in capsys.readouterr().err
    assert not (home / ".config").exists()


@pytest.mark.parametrize("url", [{"PROXY_API_KEYS": "me:sk-one"}], indirect=True)
async def test_a_proxy_with_keys_asks_for_one(home: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert await call(home, "opencode", "--url", url, "--yes") == 1
    assert KEY_VARIABLE in capsys.readouterr().err
    assert await call(home, "opencode", "--url", url, "--yes", CLAUDE_OPENAI_PROXY_KEY="sk-one") == 0
    written = (home / ".config" / "opencode" / "opencode.json").read_text()
    assert "sk-one" not in written
    assert f"{{env:{KEY_VARIABLE}}}" in written
    assert "sk-one" not in capsys.readouterr().out


async def test_what_cannot_be_written_is_shown(home: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert await call(home, "cursor", "--url", url) == 0
    assert url in capsys.readouterr().out
    with pytest.raises(SettingsError, match="Nothing is ever written"):
        await call(home, "cursor", "--undo")


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody is here."""
    monkeypatch.setattr(setup, "somebody_is_here", lambda: True)


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(
    ("client", "clipboard"), [("xcode", "{url}"), ("openai", "export OPENAI_BASE_URL={url} OPENAI_API_KEY=any")]
)
async def test_values_are_copied_and_the_first_request_with_them_is_waited_for(
    client: str, clipboard: str, home: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The program of the clipboard makes it here."""
    put_program(home, "xclip", f'cat > "$HOME/clipboard"; {asks(url)}')
    assert await call(home, client, "--url", url, DISPLAY=":0") == 0
    out = capsys.readouterr().out
    assert "ok       its first request: by a-client/1, HTTP 200" in out
    assert (home / "clipboard").read_text() == clipboard.format(url=url)
    assert f"On the clipboard: {clipboard.format(url=url)}" in out


@pytest.mark.parametrize("words", [["zed", "--yes"], ["xcode"]])
async def test_a_first_request_that_does_not_come_is_told(
    words: list[str], home: Path, url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof, "FIRST_REQUEST_SECONDS", 0.0)
    assert await call(home, *words, "--url", url) == 0
    assert "first request" not in capsys.readouterr().out
    assert await call(home, *words, "--url", url, "--prove") == 1
    assert "problem  its first request: none came within 0 s" in capsys.readouterr().out
    assert await call(home, *words, "--url", url, "--no-proof") == 0


@pytest.mark.usefixtures("terminal")
async def test_whoever_does_not_wait_is_told_how_to_look_again(
    home: Path, url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(setup, "first_request", interrupted)
    put_program(home, "xclip", "exit 1")
    assert await call(home, "xcode", "--url", url, DISPLAY=":0") == 0
    out = capsys.readouterr().out
    assert "To look again: claude-openai-proxy setup xcode --prove" in out
    assert "On the clipboard" not in out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["opencod"], "did you mean opencode"),
        (["zed", "--url", "file:///etc"], "http"),
        (["zed", "--model", "none"], "none"),
    ],
)
async def test_mistakes_are_named(
    home: Path, url: str, words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    address = [] if "--url" in words else ["--url", url]
    try:
        assert await call(home, *words, *address, "--yes") == 1
        said = capsys.readouterr().err
    except SettingsError as error:
        said = str(error)
    assert told in said


async def test_a_file_that_does_not_parse_is_not_touched(
    home: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = home / ".config" / "zed" / "settings.json"
    file.parent.mkdir(parents=True)
    file.write_text("{ broken")
    assert await call(home, "zed", "--url", url, "--yes") == 1
    assert "not valid JSON" in capsys.readouterr().err
    assert file.read_text() == "{ broken"
