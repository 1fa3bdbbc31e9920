"""What the documents promise is there: commands, settings, links, versions."""

import re
import subprocess
from pathlib import Path

import msgspec
import pytest

from claude_openai_proxy import __version__
from claude_openai_proxy.commands.table import COMMANDS, parser
from claude_openai_proxy.logins.login import NO_LOGIN
from claude_openai_proxy.settings import SETTINGS
from claude_openai_proxy.telemetry.log_entry import LogEntry
from docs.documents import READMES, ROOT, blocks, documents, headings, relative_links, table_column

RUN = "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/claude-openai-proxy\n"
TEST = "python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/pytest\n"
SETTING_NAMES = {setting.name for setting in SETTINGS}
# Variables of Claude Code and of OpenAI's SDKs that the documents name, and that are no settings of the proxy.
FOREIGN_NAMES = r"OPENAI_(BASE_URL|API_KEY)|CLAUDE_CODE_(OAUTH_TOKEN|USE_\w+|EXTRA_BODY)|ANTHROPIC_DEFAULT_\w+|PATH"


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("readme", READMES, ids=named)
def test_readme_begins_with_the_two_commands(readme: Path) -> None:
    assert [block.code for block in blocks(readme)][:2] == [RUN, TEST]


@pytest.mark.parametrize("readme", READMES, ids=named)
def test_readme_has_the_sentence_of_a_missing_login(readme: Path) -> None:
    assert f"{NO_LOGIN}\n" in [block.code for block in blocks(readme)]


@pytest.mark.parametrize("document", documents(), ids=named)
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    for link in relative_links(document):
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document

        assert target.exists(), link
        assert not anchor or anchor in {heading.anchor for heading in headings(target)}, link


@pytest.mark.parametrize(("readme", "heading"), [(READMES[0], "Settings"), (READMES[1], "设置")])
def test_every_setting_in_the_table_of_readme_exists(readme: Path, heading: str) -> None:
    listed = set(table_column(readme, heading, 0))

    assert "PORT" in listed
    assert listed <= SETTING_NAMES


@pytest.mark.parametrize("document", [*READMES, ROOT / "docs" / "operations.md"], ids=named)
def test_every_variable_that_is_assigned_in_a_command_is_a_setting(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assigned = {name for name in re.findall(r"\b([A-Z][A-Z_]{3,})=", text) if not re.fullmatch(FOREIGN_NAMES, name)}

    assert assigned
    assert assigned <= SETTING_NAMES


def test_configuration_names_every_command_and_every_flag() -> None:
    flags = {
        flag for name in COMMANDS for flag in parser(name).flags() if flag.startswith("--")
    }  # fmt: skip
    listed = " ".join(table_column(ROOT / "docs" / "configuration.md", "Commands", 0)).split()

    assert {*COMMANDS} <= {word.strip("`,") for word in listed}
    assert flags - {"--help"} <= set(listed)


def test_operations_explains_every_field_of_a_log_line() -> None:
    fields = [field.name for field in msgspec.structs.fields(LogEntry)]

    assert table_column(ROOT / "docs" / "operations.md", "Logs", 0) == fields


def test_operations_explains_every_repair_and_no_other() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "src").rglob("*.py")))
    used = set(re.findall(r'(?:\.repair(?:_each)?\(|\.note\(|_note\(facts, |repairs\.append\()"(\w+)"', code))
    explained = table_column(ROOT / "docs" / "operations.md", "Repairs", 0)

    assert used <= set(explained)
    assert [word for word in explained if f'"{word}"' not in code] == []


def test_every_benchmark_that_performance_names_exists() -> None:
    scripts = re.findall(r"python (benchmarks/\w+\.py)", (ROOT / "docs" / "performance.md").read_text(encoding="utf-8"))

    assert scripts
    assert [script for script in scripts if not (ROOT / script).is_file()] == []


def test_the_changelog_keeps_a_changelog() -> None:
    sections = [heading for heading in headings(ROOT / "CHANGELOG.md") if heading.level > 1]
    versions = [heading.title for heading in sections if heading.level == 2]

    assert versions[0] == "[Unreleased]"
    assert versions[1].startswith(f"[{__version__}]")
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - (\d{4}-\d\d-\d\d|Unreleased)", title) for title in versions[1:])
    assert {heading.title for heading in sections if heading.level == 3} <= {
        "Added",
        "Changed",
        "Deprecated",
        "Removed",
        "Fixed",
        "Security",
    }


def test_every_decision_is_numbered_listed_and_complete() -> None:
    folder = ROOT / "docs" / "decisions"
    records = sorted(path for path in folder.glob("*.md") if path.name != "README.md")

    assert [path.name[:4] for path in records] == [f"{number:04d}" for number in range(1, len(records) + 1)]
    assert list(relative_links(folder / "README.md")) == [path.name for path in records]
    for path in records:
        assert [heading.title for heading in headings(path)][1:] == ["Context", "Decision", "Consequence"], path.name


def test_no_file_names_a_folder_of_the_machine_it_was_written_on() -> None:
    folders = [str(folder) for folder in (ROOT, Path.home()) if len(folder.parts) > 2]
    for path in tracked_files():
        text = path.read_text(encoding="utf-8", errors="ignore")

        assert not any(folder in text for folder in folders), path


def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        return documents()
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]
