"""What is documented and what is read are the same settings."""

import re
from pathlib import Path

import pytest

from claude_openai_proxy.settings import SETTINGS, Flags, Setting, load_settings, table
from claude_openai_proxy.trust import Trust

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "claude_openai_proxy"
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")
DOCUMENT = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")


def example_values() -> dict[str, str]:
    return dict(re.findall(r"^#([A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE))


def test_every_setting_that_is_defined_is_in_the_table_and_read_somewhere() -> None:
    defined = {name: value for name, value in vars(table).items() if isinstance(value, Setting)}
    assert {id(setting) for setting in defined.values()} == {id(setting) for setting in SETTINGS}
    read = "".join(file.read_text(encoding="utf-8") for file in SOURCE.rglob("*.py") if file.name != "table.py")
    assert [name for name in defined if not re.search(rf"\btable\.{name}\b", read)] == []


def test_the_example_has_every_setting_that_may_stand_in_dotenv_and_no_other() -> None:
    assert set(example_values()) == {setting.name for setting in SETTINGS if setting.in_dotenv}


@pytest.mark.parametrize("setting", [one for one in SETTINGS if one.in_dotenv], ids=lambda setting: setting.name)
def test_the_example_shows_the_default(setting: Setting[object]) -> None:
    shown = example_values()[setting.name]

    assert shown in {"", "none"} if setting.shown_default == "none" else shown == setting.shown_default.split(" ")[0]


def test_the_example_with_every_line_active_reads_as_the_defaults(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(re.sub(r"^#([A-Z_]+=)", r"\1", EXAMPLE, flags=re.MULTILINE), encoding="utf-8")
    shown, defaults = load_settings(Flags(), {}, tmp_path), load_settings(Flags(env_file="none"), {}, empty(tmp_path))

    for name in ("host", "port", "upstream", "timeout", "total_timeout", "aliases", "drain_seconds", "log_format"):
        assert getattr(shown, name) == getattr(defaults, name), name


def empty(directory: Path) -> Path:
    (directory / "none").touch()
    return directory


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_the_document_has_a_row_for_each_setting(setting: Setting[object]) -> None:
    row = f"| `{setting.name}` | {setting.shown_default} | {setting.allowed} | {setting.description} |"

    assert row in DOCUMENT.splitlines()


def test_the_document_has_no_row_for_a_setting_that_does_not_exist() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| .* \| .* \| .* \|$", DOCUMENT, re.MULTILINE)

    assert rows == [setting.name for setting in SETTINGS]


@pytest.mark.parametrize("setting", [one for one in SETTINGS if one.flag], ids=lambda setting: setting.name)
def test_the_document_names_each_flag(setting: Setting[object]) -> None:
    assert f"`{setting.flag}`" in DOCUMENT


def test_the_document_names_each_setting_that_a_working_directory_must_not_decide() -> None:
    rows = [row for row in DOCUMENT.splitlines() if row.endswith(("stands in the same file |", "| never |"))]
    named = {setting.name for setting in SETTINGS if setting.least_trusted > Trust.DOTENV}

    assert {name for name in re.findall(r"`([A-Z_]+)`", " ".join(rows)) if "FILE" not in name} == named


def test_the_document_names_each_secret_that_may_stand_in_a_file() -> None:
    section = DOCUMENT.partition("### Secrets in files")[2].partition("\n## ")[0]

    assert all(f"`{setting.name}`" in section for setting in SETTINGS if setting.secret)
