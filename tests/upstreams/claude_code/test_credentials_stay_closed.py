"""The proxy itself never opens, reads or sends a login: the CLI alone does."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import claude_openai_proxy
from claude_openai_proxy.simulator import Script, Simulator
from upstreams.claude_code.conftest import MakeUpstream
from upstreams.claude_code.requests_of_the_tests import answer, asking, text_of

# Not `.claude.json.lock`: an empty folder of the CLI's in a private home, met where that home is removed.
SECRET_FILES = re.compile(r"\.credentials\.json|\.claude\.json$|keychain", re.IGNORECASE)
OPENED: list[str] = []
LISTENING = [False]


def listen(event: str, arguments: tuple[object, ...]) -> None:
    """Audit hooks cannot be removed again, so it is switched."""
    if LISTENING[0] and event == "open":
        OPENED.append(str(arguments[0]))


sys.addaudithook(listen)


@contextmanager
def opened_files() -> Iterator[list[str]]:
    OPENED.clear()
    LISTENING[0] = True
    try:
        yield OPENED
    finally:
        LISTENING[0] = False


async def test_no_file_with_credentials_is_opened_in_the_proxys_own_process(
    make_upstream: MakeUpstream, simulator: Simulator, login_file: dict[str, str], tmp_path: Path
) -> None:
    simulator.play(Script.text("Hi"))
    upstream = make_upstream(login=login_file, look_again=True, pool_size=1, state_dir=tmp_path / "state")

    with opened_files() as opened:
        (tmp_path / "seen").write_text("the hook listens")
        assert text_of(await answer(upstream, asking())) == "Hi"
        await upstream.status(deep=True)
        await upstream.aclose()

    assert any(name.endswith("seen") for name in opened)
    assert [name for name in opened if SECRET_FILES.search(name)] == []


@pytest.mark.parametrize(
    "forbidden",
    [
        r"\.credentials\.json",
        r"refresh_?token",
        r"claudeAiOauth",
        r"sk-ant-oat",
        r"oauth/token",
        r"find-generic-password",
    ],
)
def test_no_source_knows_how_a_login_is_kept(forbidden: str) -> None:
    sources = Path(claude_openai_proxy.__file__).parent.rglob("*.py")

    assert [path.name for path in sources if re.search(forbidden, path.read_text(), re.IGNORECASE)] == []
