"""Claude Code's settings files: the administrator's and the user's, read again when they change."""

import json
import os
from pathlib import Path, PurePath

import pytest

from claude_openai_proxy.logins.claude_settings import ClaudeSettingsFiles, managed_directory, user_directory


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def files(tmp_path: Path, clock: Clock | None = None) -> ClaudeSettingsFiles:
    return ClaudeSettingsFiles(user=tmp_path / "user", managed=tmp_path / "managed", clock=clock or Clock())


def test_without_files_there_are_no_layers(tmp_path: Path) -> None:
    assert files(tmp_path).layers() == ()


def test_the_administrator_comes_before_the_user_and_the_last_drop_in_first(tmp_path: Path) -> None:
    for name in ("user/settings.json", "managed/managed-settings.json"):
        write(tmp_path / name, {"env": {"A": name}, "apiKeyHelper": name})
    for name in ("10-a.json", "20-b.json", ".hidden.json", "note.txt"):
        write(tmp_path / "managed" / "managed-settings.d" / name, {"env": {"A": name}})

    found = files(tmp_path).layers()

    assert [layer.variables["A"] for layer in found] == [
        "20-b.json",
        "10-a.json",
        "managed/managed-settings.json",
        "user/settings.json",
    ]
    assert [layer.api_key_helper for layer in found] == ["", "", "managed/managed-settings.json", "user/settings.json"]
    assert found[-1].source == str(tmp_path / "user" / "settings.json")


def test_a_projects_settings_are_never_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / ".claude" / "settings.json", {"env": {"ANTHROPIC_API_KEY": "k"}})
    write(tmp_path / ".claude" / "settings.local.json", {"env": {"ANTHROPIC_API_KEY": "k"}})
    monkeypatch.chdir(tmp_path)

    assert files(tmp_path).layers() == ()


def test_numbers_and_booleans_become_text_and_other_keys_do_not_matter(tmp_path: Path) -> None:
    write(tmp_path / "user/settings.json", {"env": {"A": 1, "B": True, "C": None}, "model": "opus", "hooks": {}})

    assert files(tmp_path).layers()[0].variables == {"A": "1", "B": "true"}


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b'{"env": []}', b'{"env": {"A": {}}}', b"\xff", b'{"apiKeyHelper": 1}']
)
def test_a_file_that_cannot_be_used_says_so_and_is_not_used(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "user").mkdir()
    (tmp_path / "user" / "settings.json").write_bytes(content)

    (layer,) = files(tmp_path).layers()

    assert (layer.variables, layer.api_key_helper) == ({}, "")
    assert (
        layer.problem
        == f"{tmp_path / 'user' / 'settings.json'} is not used: it is not the JSON that Claude Code writes."
    )


def test_a_changed_file_is_read_again_and_an_unchanged_one_is_not(tmp_path: Path) -> None:
    clock = Clock()
    found = files(tmp_path, clock)
    assert found.layers() == ()

    write(tmp_path / "user/settings.json", {"env": {"A": "1"}})
    assert found.layers() == ()
    clock.now = 1.5
    first = found.layers()
    assert first[0].variables == {"A": "1"}
    clock.now = 3.0
    assert found.layers() is first

    write(tmp_path / "user/settings.json", {"env": {"A": "22"}})
    assert found.layers(now=True)[0].variables == {"A": "22"}
    (tmp_path / "user" / "settings.json").unlink()
    assert found.layers(now=True) == ()


def test_a_file_that_only_its_time_tells_apart_is_read_again(tmp_path: Path) -> None:
    found = files(tmp_path)
    write(tmp_path / "user/settings.json", {"env": {"A": "1"}})
    os.utime(tmp_path / "user" / "settings.json", ns=(1, 1))
    assert found.layers(now=True)[0].variables == {"A": "1"}

    write(tmp_path / "user/settings.json", {"env": {"A": "2"}})
    os.utime(tmp_path / "user" / "settings.json", ns=(2, 2))
    assert found.layers(now=True)[0].variables == {"A": "2"}


def test_where_the_files_are() -> None:
    assert managed_directory("linux") == PurePath("/etc/claude-code")
    assert managed_directory("darwin") == PurePath("/Library/Application Support/ClaudeCode")
    assert str(managed_directory("win32")) == r"C:\Program Files\ClaudeCode"
    assert user_directory({"HOME": "/home/a"}) == Path("/home/a/.claude")
    assert user_directory({"HOME": "/home/a", "CLAUDE_CONFIG_DIR": "/conf"}) == Path("/conf")
    assert user_directory({"USERPROFILE": "/users/a"}) == Path("/users/a/.claude")
    assert user_directory({}) is None
