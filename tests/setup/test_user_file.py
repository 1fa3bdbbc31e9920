"""Users' files are changed in one step and given back as they were."""

import os
import stat
from pathlib import Path

import pytest

from claude_openai_proxy.setup.jsonc import with_entry, without_entry
from claude_openai_proxy.setup.text_edit import EditError
from claude_openai_proxy.setup.user_file import Change, Undo, planned, write_in_place

BEFORE = '{\n  "theme": "dark" // mine\n}\n'


def add(text: str) -> str:
    return with_entry(text, ("provider", "ours"), {"url": "http://localhost:3000/v1"})


def remove(text: str) -> str:
    return without_entry(text, ("provider", "ours"))


@pytest.fixture
def undo(tmp_path: Path) -> Undo:
    return Undo(tmp_path / "state" / "setup")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.json"
    path.write_text(BEFORE)
    return path


def test_an_unchanged_file_comes_back_to_the_byte(undo: Undo, file: Path) -> None:
    undo.write("zed", planned(file, add))
    assert '"ours"' in file.read_text()
    assert undo.knows("zed", file)
    assert undo.take_back("zed", file, remove) == f"{file} is as it was before."
    assert file.read_text() == BEFORE
    assert not undo.knows("zed", file)


def test_writing_again_still_gives_back_what_was_there_first(undo: Undo, file: Path) -> None:
    undo.write("zed", planned(file, add))
    undo.write("zed", planned(file, lambda text: with_entry(text, ("provider", "ours"), {"url": "other"})))
    undo.take_back("zed", file, remove)
    assert file.read_text() == BEFORE


def test_a_file_changed_since_loses_our_entry_alone(undo: Undo, file: Path) -> None:
    undo.write("zed", planned(file, add))
    file.write_text(file.read_text().replace('"dark"', '"light"'))
    assert undo.take_back("zed", file, remove) == f"{file} has been changed since: only our entry was taken out."
    assert file.read_text() == '{\n  "theme": "light", // mine\n  "provider": {\n  }\n}\n'


def test_what_somebody_wrote_between_two_of_ours_is_not_lost(undo: Undo, file: Path) -> None:
    undo.write("zed", planned(file, add))
    file.write_text(file.read_text().replace('"dark"', '"light"'))
    undo.write("zed", planned(file, lambda text: with_entry(text, ("provider", "ours"), {"url": "second"})))
    undo.write("zed", planned(file, lambda text: with_entry(text, ("provider", "ours"), {"url": "third"})))
    assert undo.take_back("zed", file, remove) == f"{file} has been changed since: only our entry was taken out."
    assert file.read_text() == '{\n  "theme": "light", // mine\n  "provider": {\n  }\n}\n'


def test_what_somebody_writes_while_we_ask_is_not_lost(undo: Undo, file: Path, tmp_path: Path) -> None:
    changes = planned(file, add), planned(tmp_path / "new.json", add)
    for change in changes:
        change.path.write_text("theirs")
        with pytest.raises(EditError, match="has been changed meanwhile"):
            undo.write("zed", change)
        assert change.path.read_text() == "theirs"
        assert not undo.knows("zed", change.path)


@pytest.mark.parametrize("call", ["fsync", "chmod", "chown", "replace"])
def test_what_fails_leaves_the_file_and_nothing_beside_it(
    call: str, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise PermissionError(1, "no")

    if call == "chown":
        os.chown(file, 12_345, 12_346) if os.geteuid() == 0 else pytest.skip("only root can give a file away")
    if call in ("chmod", "replace"):
        monkeypatch.setattr(Path, call, fails)
    else:
        monkeypatch.setattr(os, call, fails)
    with pytest.raises(PermissionError):
        write_in_place(file, b"{}")
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]
    assert file.read_text() == BEFORE


def test_a_link_that_leads_nowhere_yet_is_followed(undo: Undo, tmp_path: Path) -> None:
    link = tmp_path / "link.json"
    link.symlink_to(tmp_path / "dotfiles" / "real.json")
    undo.write("zed", planned(link, add))
    assert (tmp_path / "dotfiles" / "real.json").is_file()
    undo.take_back("zed", link, remove)
    assert link.is_symlink()
    assert not link.exists()


def test_a_file_of_ours_alone_goes(undo: Undo, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "new.json"
    undo.write("codex", planned(path, add))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert undo.take_back("codex", path, remove) == f"{path} is removed: it was ours alone."
    assert not path.exists()
    assert undo.take_back("codex", path, remove) == f"{path} is gone already."


def test_mode_and_link_stay(file: Path, tmp_path: Path) -> None:
    file.chmod(0o640)
    link = tmp_path / "link.json"
    link.symlink_to(file)
    write_in_place(link, b"{}")
    assert link.is_symlink()
    assert file.read_bytes() == b"{}"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "link.json"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_the_owner_stays(file: Path) -> None:
    os.chown(file, 12_345, 12_346)
    write_in_place(file, b"{}")
    assert (file.stat().st_uid, file.stat().st_gid) == (12_345, 12_346)


def test_what_is_kept_is_private_and_not_beside_the_file(undo: Undo, file: Path, tmp_path: Path) -> None:
    undo.write("zed", planned(file, add))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "state"]
    kept = list((tmp_path / "state" / "setup").iterdir())
    assert len(kept) == 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}
    assert stat.S_IMODE((tmp_path / "state" / "setup").stat().st_mode) == 0o700


def test_a_file_that_is_no_text_is_left_alone(file: Path) -> None:
    file.write_bytes(b"\xff\xfe{}")
    with pytest.raises(EditError, match="not UTF-8"):
        planned(file, add)


def test_the_difference_is_shown(file: Path) -> None:
    change = planned(file, add)
    assert change.changes_anything
    assert [line for line in change.diff() if line.startswith("+ ")] == [
        '+  "theme": "dark", // mine',
        '+  "provider": {',
        '+    "ours": {',
        '+      "url": "http://localhost:3000/v1"',
        "+    }",
        "+  }",
    ]
    assert not Change(file, b"{}", b"{}").changes_anything
