"""`setup open-webui --at`, against a stand-in that has the shapes of Open WebUI's API."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_openai_proxy.app.wiring import create_app
from claude_openai_proxy.commands import setup
from claude_openai_proxy.commands.invocation import Invocation
from claude_openai_proxy.commands.table import read
from claude_openai_proxy.settings import Flags, load_settings
from claude_openai_proxy.setup.open_webui import with_connection, without_connection
from web.serving import served

ADMIN = "sk-of-the-admin"


class StandIn:
    """Its state; `models` are those that it lists."""

    def __init__(self) -> None:
        self.config: dict[str, Any] = {
            "ENABLE_OPENAI_API": False,
            "OPENAI_API_BASE_URLS": ["https://other/v1"],
            "OPENAI_API_KEYS": ["sk-other"],
            "OPENAI_API_CONFIGS": {"0": {"enable": True, "tags": ["x"]}},
        }
        self.models = ["custom-claude-4-sonnet"]
        self.updates = 0


class Handler(BaseHTTPRequestHandler):
    server: "Server"

    def do_GET(self) -> None:
        documents = {
            "/openai/config": self.server.state.config,
            "/api/models": {"data": [{"id": id_} for id_ in self.server.state.models]},
        }
        self._answer(documents.get(self.path))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.state.config = body
        self.server.state.updates += 1
        self._answer(body)

    def _answer(self, document: object) -> None:
        allowed = self.headers["authorization"] == f"Bearer {ADMIN}"
        data = json.dumps(document if allowed else {"detail": "401"}).encode()
        self.send_response(200 if allowed and document is not None else 401)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    state: StandIn


@pytest.fixture
def webui() -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Handler)
    server.state = StandIn()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    settings = load_settings(Flags(demo=True), {"HOME": str(tmp_path)}, tmp_path)
    async with served(create_app(settings)) as address:
        yield f"{address}/v1"


async def call(webui: Server, home: Path, url: str, *words: str, key: str = ADMIN) -> int:
    at = f"http://127.0.0.1:{webui.server_port}/"
    every = ["setup", "open-webui", "--at", at, "--url", url, *words]
    environment = {"HOME": str(home), "OPEN_WEBUI_API_KEY": key}
    return await asyncio.to_thread(lambda: setup.run(Invocation(read(every), every, environment, home)))


async def test_a_connection_more_and_one_less(
    webui: Server, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = webui.state.config
    assert await call(webui, tmp_path, url, "--dry-run") == 0
    assert webui.state.updates == 0
    assert await call(webui, tmp_path, url, "--yes") == 0
    out = capsys.readouterr().out
    assert f"+ {url}" in out
    assert "ok       custom-claude-4-sonnet is in its list" in out
    assert "sk-other" not in out
    config = webui.state.config
    assert config["ENABLE_OPENAI_API"] is True
    assert config["OPENAI_API_BASE_URLS"] == ["https://other/v1", url]
    assert config["OPENAI_API_KEYS"] == ["sk-other", "any"]
    assert config["OPENAI_API_CONFIGS"]["0"] == {"enable": True, "tags": ["x"]}
    assert await call(webui, tmp_path, url, "--yes") == 0
    assert webui.state.updates == 1
    assert await call(webui, tmp_path, url, "--undo", "--yes") == 0
    assert webui.state.config == before | {"ENABLE_OPENAI_API": True}


async def test_in_a_container_this_machine_has_another_name(webui: Server, url: str, tmp_path: Path) -> None:
    local = url.replace("127.0.0.1", "localhost")
    assert await call(webui, tmp_path, local, "--container", "--yes") == 0
    assert webui.state.config["OPENAI_API_BASE_URLS"][1] == local.replace("localhost", "host.docker.internal")


async def test_a_model_that_it_does_not_list_is_a_problem(webui: Server, url: str, tmp_path: Path) -> None:
    webui.state.models = []
    assert await call(webui, tmp_path, url, "--yes") == 1


async def test_a_wrong_key_is_named(
    webui: Server, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await call(webui, tmp_path, url, "--yes", key="wrong") == 1
    assert "OPEN_WEBUI_API_KEY" in capsys.readouterr().err


async def test_another_layout_is_left_alone(
    webui: Server, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    webui.state.config = {"OPENAI": {}}
    assert await call(webui, tmp_path, url, "--yes") == 1
    assert "by hand" in capsys.readouterr().err
    assert webui.state.updates == 0


@given(
    st.lists(st.sampled_from(["a", "b", "c"]), unique=True),
    st.integers(0, 3),
    st.dictionaries(st.sampled_from(["0", "1", "2", "a"]), st.fixed_dictionaries({"x": st.integers()})),
)
def test_what_was_there_is_there_again(urls: list[str], keys: int, configs: dict[str, object]) -> None:
    kept = {place: value for place, value in configs.items() if not place.isdecimal() or int(place) < len(urls)}
    config = {
        "ENABLE_OPENAI_API": True,
        "OPENAI_API_BASE_URLS": urls,
        "OPENAI_API_KEYS": [f"key of {url}" for url in urls[:keys]],
        "OPENAI_API_CONFIGS": kept,
    }
    added = with_connection(config, "ours", "")
    assert dict(zip(added["OPENAI_API_BASE_URLS"], added["OPENAI_API_KEYS"], strict=True))["ours"] == "any"
    removed = without_connection(added, "ours")
    assert removed["OPENAI_API_KEYS"][: min(keys, len(urls))] == config["OPENAI_API_KEYS"]
    assert (removed["OPENAI_API_BASE_URLS"], removed["OPENAI_API_CONFIGS"]) == (urls, kept)


def test_those_behind_it_keep_their_own() -> None:
    config = {
        "OPENAI_API_BASE_URLS": ["a", "ours", "c"],
        "OPENAI_API_KEYS": ["1", "2", "3"],
        "OPENAI_API_CONFIGS": {"0": "A", "1": "O", "2": "C"},
    }
    assert without_connection(config, "ours") == {
        "OPENAI_API_BASE_URLS": ["a", "c"],
        "OPENAI_API_KEYS": ["1", "3"],
        "OPENAI_API_CONFIGS": {"0": "A", "1": "C"},
    }
