"""End users' ids are told to Claude as pseudonyms that only this installation can make."""

import hashlib
from pathlib import Path

from claude_openai_proxy.app.pseudonyms import Pseudonyms


def test_one_id_has_one_pseudonym_for_as_long_as_the_installation_lasts(tmp_path: Path) -> None:
    told = Pseudonyms(tmp_path / "state")("jane@example.com")
    assert len(told) == 64
    assert Pseudonyms(tmp_path / "state")("jane@example.com") == told
    assert Pseudonyms(tmp_path / "state")("john@example.com") != told


def test_nobody_else_can_make_it(tmp_path: Path) -> None:
    told = Pseudonyms(tmp_path / "one")("jane@example.com")
    assert Pseudonyms(tmp_path / "another")("jane@example.com") != told
    assert hashlib.sha256(b"jane@example.com").hexdigest() != told


def test_nothing_is_written_before_an_id_comes(tmp_path: Path) -> None:
    Pseudonyms(tmp_path / "state")
    assert not (tmp_path / "state").exists()


def test_where_no_secret_can_be_kept_one_lasts_as_long_as_the_process(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("", encoding="utf-8")
    pseudonyms = Pseudonyms(in_the_way / "state")
    assert pseudonyms("jane") == pseudonyms("jane")
