"""End users' ids are told to Claude as pseudonyms that only this installation can make."""

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

from claude_openai_proxy.app.pseudonyms import Pseudonyms, principal_ids
from claude_openai_proxy.settings.values import client_keys
from claude_openai_proxy.storage.sealing import generated_key


def kept(directory: Path) -> Callable[[], bytes]:
    return partial(generated_key, directory)


def test_one_id_has_one_pseudonym_for_as_long_as_the_installation_lasts(tmp_path: Path) -> None:
    told = Pseudonyms(kept(tmp_path / "state"))("jane@example.com")
    assert len(told) == 64
    assert Pseudonyms(kept(tmp_path / "state"))("jane@example.com") == told
    assert Pseudonyms(kept(tmp_path / "state"))("john@example.com") != told


def test_nobody_else_can_make_it(tmp_path: Path) -> None:
    told = Pseudonyms(kept(tmp_path / "one"))("jane@example.com")
    assert Pseudonyms(kept(tmp_path / "another"))("jane@example.com") != told
    assert hashlib.sha256(b"jane@example.com").hexdigest() != told


def test_nothing_is_written_before_an_id_comes(tmp_path: Path) -> None:
    Pseudonyms(kept(tmp_path / "state"))
    assert not (tmp_path / "state").exists()


def test_where_no_secret_can_be_kept_one_lasts_as_long_as_the_process(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("", encoding="utf-8")
    pseudonyms = Pseudonyms(kept(in_the_way / "state"))
    assert pseudonyms("jane") == pseudonyms("jane")


def ids(directory: Path, keys: str) -> list[str]:
    read = client_keys(keys)
    id_of = principal_ids(read, kept(directory))
    return [id_of(key.name) for key in read]


def test_the_owner_of_a_key_has_an_id_that_outlives_the_key(tmp_path: Path) -> None:
    first = ids(tmp_path, "ann:secret-1,secret-2,secret-3")
    assert len(set(first)) == 3
    assert ids(tmp_path, "secret-3,ann:another-1") == [first[2], first[0]]


def test_nobody_can_tell_from_the_id_which_key_it_is(tmp_path: Path) -> None:
    first = ids(tmp_path / "one", "ann:secret-1,secret-2")
    assert not {*first} & {*ids(tmp_path / "another", "ann:secret-1,secret-2")}
    assert Pseudonyms(kept(tmp_path / "one"))("name ann") not in first
