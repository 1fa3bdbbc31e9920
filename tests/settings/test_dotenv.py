"""`.env` is read from the working directory only, as it stands, and a file that cannot be read is one clear line."""

from pathlib import Path

import pytest

from claude_openai_proxy.settings import Flags, SettingsError, load_settings


def test_no_directory_above_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=1\n")
    (tmp_path / "below").mkdir()

    assert load_settings(Flags(), {}, tmp_path / "below").port == 3000


def test_another_file_can_be_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=1\n")
    (tmp_path / "other.env").write_text("PORT=2\n")

    settings = load_settings(Flags(env_file="other.env"), {}, tmp_path)

    assert (settings.port, settings.sources["PORT"]) == (2, "other.env")
    assert settings.dotenv_path == tmp_path / "other.env"


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^other.env \(from --env-file\) does not exist\.$"):
        load_settings(Flags(env_file="other.env"), {}, tmp_path)


def test_quotes_comments_export_and_a_byte_order_mark_are_understood_and_nothing_is_expanded(tmp_path: Path) -> None:
    text = "\ufeff# comment\nexport PORT=4 # four\nDEFAULT_MODEL='opus'\nPROXY_API_KEYS=\"$HOME${HOME}\"\n"
    (tmp_path / ".env").write_text(text, encoding="utf-8")

    settings = load_settings(Flags(), {"HOME": "/root"}, tmp_path)

    assert (settings.port, settings.default_model) == (4, "opus")
    assert settings.client_keys[0].secret.reveal() == "$HOME${HOME}"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"PORT=3000\n= nothing\n", r"^\.env cannot be read: line 2 is not NAME=value\.$"),
        (b"PORT=3000\n\nDEFAULT_MODEL=\xe4\n", r"^\.env cannot be read: line 3 is not UTF-8 text\."),
        (b"PORT='3000\n", r"^\.env cannot be read: line 1 is not NAME=value\.$"),
        (b"PORT=\xff\xfe\n", r"^\.env cannot be read: line 1 is not UTF-8 text\."),
    ],
)
def test_an_invalid_file_is_one_line(tmp_path: Path, content: bytes, line: str) -> None:
    (tmp_path / ".env").write_bytes(content)

    with pytest.raises(SettingsError, match=line):
        load_settings(Flags(), {}, tmp_path)


def test_a_directory_of_that_name_is_one_line(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()

    with pytest.raises(SettingsError, match=r"^\.env cannot be read: "):
        load_settings(Flags(), {}, tmp_path)


def test_of_dotenv_only_keys_tokens_and_the_base_url_are_a_login(tmp_path: Path) -> None:
    names = ("ANTHROPIC_API_KEY", "CLAUDE_CODE_OAUTH_TOKEN", "CLAUDE_CODE_USE_BEDROCK", "ANTHROPIC_DEFAULT_OPUS_MODEL")
    (tmp_path / ".env").write_text("".join(f"{name}=1\n" for name in names))

    from_dotenv = load_settings(Flags(), {}, tmp_path).login_sources[-1]

    assert from_dotenv.variables == {"ANTHROPIC_API_KEY": "1"}
