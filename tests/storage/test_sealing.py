"""What is sealed opens with its key, in its place, and nowhere else."""

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_openai_proxy.storage.interface import StorageRefusedError
from claude_openai_proxy.storage.sealing import KEY_FILE, Seal, generated_key, key_of

SEAL = Seal(bytes(range(32)))


@given(st.binary(), st.binary())
def test_what_was_sealed_opens(plain: bytes, about: bytes) -> None:
    sealed = SEAL.seal(plain, about)
    assert SEAL.open(sealed, about) == plain
    assert not plain or plain not in sealed or len(plain) < 4


@given(st.binary(min_size=1), st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_one_changed_byte_does_not_open(plain: bytes, place: int, change: int) -> None:
    sealed = bytearray(SEAL.seal(plain, b"row 1"))
    sealed[place % len(sealed)] ^= change
    assert SEAL.open(bytes(sealed), b"row 1") is None


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01short", b"\x02" + bytes(40)])
def test_what_was_never_sealed_does_not_open(sealed: bytes) -> None:
    assert SEAL.open(sealed, b"") is None


def test_another_key_and_another_place_do_not_open() -> None:
    sealed = SEAL.seal(b"thinking", b"row 1")
    assert SEAL.open(sealed, b"row 2") is None
    other = Seal(bytes(32))
    assert other.open(sealed, b"row 1") is None
    assert other.fingerprint != SEAL.fingerprint


def test_a_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    directory = tmp_path / "state"
    key = generated_key(directory)
    assert len(key) == 32
    assert generated_key(directory) == key
    assert [path.name for path in directory.iterdir()] == [KEY_FILE]
    assert stat.S_IMODE((directory / KEY_FILE).stat().st_mode) == 0o600


@pytest.mark.parametrize(("content", "mode", "why"), [("00" * 32, 0o644, "chmod 600"), ("no key", 0o600, "32 bytes")])
def test_a_key_file_that_is_none_or_open_to_others_is_refused(
    tmp_path: Path, content: str, mode: int, why: str
) -> None:
    path = tmp_path / KEY_FILE
    path.write_text(content)
    path.chmod(mode)
    with pytest.raises(StorageRefusedError, match=why):
        generated_key(tmp_path)


def test_a_chosen_key_is_taken_as_hexadecimal_or_by_its_digest() -> None:
    assert key_of("ab" * 32) == bytes([0xAB] * 32)
    assert key_of("a passphrase of mine") != key_of("a passphrase of his")
    assert len(key_of("z" * 64)) == 32
    with pytest.raises(ValueError, match="at least 16"):
        key_of("short")
