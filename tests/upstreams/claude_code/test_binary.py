"""Finding the CLI, and what its processes are told."""

import asyncio
from pathlib import Path

import pytest

from claude_openai_proxy.errors import NoLoginError, UpstreamConnectionError, UpstreamProtocolError
from claude_openai_proxy.upstreams.claude_code.binary import find_cli, inspect
from claude_openai_proxy.upstreams.claude_code.environment import ARGUMENTS, config_directory, process_environment
from upstreams.claude_code.fake_cli import install_fake_cli

PATH = {"PATH": "/usr/bin:/bin"}


def made(program: Path) -> Path:
    program.parent.mkdir(parents=True)
    return install_fake_cli(program.parent)


def test_the_configured_program_comes_first(tmp_path: Path) -> None:
    on_path = made(tmp_path / "bin" / "claude")

    assert find_cli("/somewhere/claude", {"PATH": str(on_path.parent)}) == Path("/somewhere/claude")
    assert find_cli("", {"PATH": str(on_path.parent)}) == on_path


def test_the_usual_places_are_searched_below_the_given_home(tmp_path: Path) -> None:
    installed = made(tmp_path / ".local" / "bin" / "claude")

    assert find_cli("", {"HOME": str(tmp_path), "PATH": ""}) == installed


async def test_a_program_tells_its_version_once_it_changes_it_is_asked_again(tmp_path: Path) -> None:
    binary = await inspect(install_fake_cli(tmp_path, version="2.1.400 (Claude Code)"), PATH)

    assert binary.version == "2.1.400"
    assert binary.unchanged()
    binary.path.write_text("#!/bin/sh\n# updated")
    assert not binary.unchanged()
    binary.path.unlink()
    assert not binary.unchanged()


@pytest.mark.parametrize("missing", [None, Path("/nowhere/claude")])
async def test_without_a_cli_the_line_says_where_to_get_it(missing: Path | None) -> None:
    with pytest.raises(NoLoginError, match=r"Install it \(https://code\.claude\.com"):
        await inspect(missing, PATH)


async def test_a_cli_too_old_says_how_to_update(tmp_path: Path) -> None:
    cli = install_fake_cli(tmp_path, version="1.0.88 (Claude Code)")

    with pytest.raises(UpstreamProtocolError, match=r"is version 1\.0\.88; 2\.1\.0 is needed\. Run: .* update$"):
        await inspect(cli, PATH)


async def test_another_program_of_that_name_is_found_out(tmp_path: Path) -> None:
    cli = install_fake_cli(tmp_path, version="Claude, the desktop pet")

    with pytest.raises(UpstreamProtocolError, match="is not the Claude Code CLI"):
        await inspect(cli, PATH)


KEPT = {
    "HOME": "/home/me",
    "LC_ALL": "C.UTF-8",
    "XDG_CONFIG_HOME": "/c",
    "HTTPS_PROXY": "http://p",
    "NODE_EXTRA_CA_CERTS": "/ca.pem",
    "CLAUDE_CONFIG_DIR": "/c/claude",
    "ANTHROPIC_BASE_URL": "https://gateway",
    "AWS_REGION": "eu-west-1",
    "CLAUDE_CODE_USE_VERTEX": "1",
    "ANTHROPIC_DEFAULT_OPUS_MODEL": "claude-opus-5",
}


@pytest.mark.parametrize("name", KEPT)
def test_a_process_sees_what_it_needs(name: str) -> None:
    assert process_environment(KEPT)[name] == KEPT[name]


@pytest.mark.parametrize(
    "name",
    [
        "CLAUDECODE",
        "CLAUDE_CODE_ENTRYPOINT",
        "OPENAI_API_KEY",
        "PROXY_API_KEYS",
        "CLAUDE_CODE_EXTRA_BODY",
        "ANTHROPIC_MODEL",
        "NODE_OPTIONS",
        "LD_PRELOAD",
        "BASH_ENV",
        "GITHUB_TOKEN",
    ],
)
def test_a_process_sees_nothing_else(name: str) -> None:
    assert name not in process_environment({**KEPT, name: "x"})


def test_what_the_proxy_sets_wins_over_the_environment() -> None:
    assert process_environment({"CLAUDE_CODE_MAX_RETRIES": "10"})["CLAUDE_CODE_MAX_RETRIES"] == "0"


def test_the_configuration_directory_is_left_to_the_cli_unless_it_was_set() -> None:
    assert "CLAUDE_CONFIG_DIR" not in process_environment({"HOME": "/home/me"})
    assert config_directory({"HOME": "/home/me"}) == Path("/home/me/.claude")
    assert config_directory({"HOME": "/home/me", "CLAUDE_CONFIG_DIR": "/c"}) == Path("/c")
    assert config_directory({}) is None


def test_no_prompt_is_ever_in_the_arguments() -> None:
    assert ARGUMENTS[:3] == ("-p", "--tools", "")


GRANDCHILD = """#!/bin/sh
( trap '' TERM; sleep 60 ) &
echo $! > {pid}
{ends}
"""


@pytest.mark.parametrize("ends", ["exit 0", "wait"])
async def test_a_question_ends_with_its_limit_whoever_holds_the_pipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends: str
) -> None:
    monkeypatch.setattr("claude_openai_proxy.upstreams.claude_code.binary.QUESTION_SECONDS", 0.5)
    cli = tmp_path / "claude"
    cli.write_text(GRANDCHILD.format(pid=tmp_path / "pid", ends=ends))
    cli.chmod(0o755)

    async with asyncio.timeout(15):
        with pytest.raises(UpstreamConnectionError, match="did not answer"):
            await inspect(cli, PATH)
        pid = (tmp_path / "pid").read_text().strip()
        while _program(pid):  # noqa: ASYNC110  # nobody tells the end of a process that is not a child
            await asyncio.sleep(0.01)


def _program(pid: str) -> str:
    """What a process runs; "" once it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""
