"""What is written into each client's file, beside what its user has there."""

import json
from pathlib import Path

import pytest

from claude_openai_proxy.setup import jsonc, yaml_text
from claude_openai_proxy.setup.block import with_block, without_block
from claude_openai_proxy.setup.client import ShownClient, WrittenClient
from claude_openai_proxy.setup.machine import Machine
from claude_openai_proxy.setup.shown_clients import SHOWN
from claude_openai_proxy.setup.target import KEY_VARIABLE, OfferedModel, Target
from claude_openai_proxy.setup.text_edit import EditError
from claude_openai_proxy.setup.written_clients import WRITTEN

OPUS = OfferedModel("custom-claude-4-opus", "Claude Opus", 1_000_000, 128_000, images=True, alias=True)
SONNET = OfferedModel("custom-claude-4-sonnet", "Claude Sonnet", 1_000_000, 128_000, images=True, alias=True)
HAIKU = OfferedModel("claude-haiku-5-5", "Claude Haiku 5.5", 1_000_000, 128_000, images=False, alias=False)
BASE = "http://localhost:3000/v1"
OPEN = Target(BASE, "", (OPUS, SONNET, HAIKU), SONNET)
KEYED = Target(BASE, "sk-of-a-client", (OPUS, SONNET, HAIKU), HAIKU)

OWN_FILES = {
    "opencode": '{\n  // mine\n  "model": "other/m", "provider": {"other": {"npm": "x"}},\n}\n',
    "kilo": '{"provider": {\n\t"other": {}\n}}',
    "continue": "# mine\nname: Me\nversion: 1.2.3\nschema: v1\nmodels:\n  - name: Other # mine\n    provider: openai\n",
    "llm": "# mine\n- model_id: other\n  model_name: other\n  api_base: http://x/v1\n",
    "crush": "provider add other  # mine\n",
    "aider": "# mine\ndark-mode: true\n",
    "zed": '// mine\n{\n  "theme": "One",\n  "language_models": {"ollama": {}}, // here\n}\n',
    "vscode": '[\n  {"name": "Other", "vendor": "x"} // mine\n]\n',
}


def client(name: str) -> WrittenClient:
    return next(one for one in WRITTEN if one.name == name)


@pytest.mark.parametrize("target", [OPEN, KEYED], ids=["open", "keyed"])
@pytest.mark.parametrize("one", WRITTEN, ids=lambda one: one.name)
def test_writing_twice_is_writing_once_and_names_the_address(one: WrittenClient, target: Target) -> None:
    for own in ("", OWN_FILES.get(one.name, "")):
        edit = one.write(target)
        written = edit(own)
        assert edit(written) == written
        assert BASE in written
        assert target.model.id in written or one.name == "aider"


@pytest.mark.parametrize("name", OWN_FILES)
def test_what_the_user_has_stays_and_ours_goes_again(name: str) -> None:
    own, one = OWN_FILES[name], client(name)
    written = one.write(OPEN)(own)
    assert "mine" not in own or "mine" in written
    assert BASE in written
    removed = one.remove(written)
    assert BASE not in removed
    assert "custom-claude-4" not in removed
    load = {"crush": str, **dict.fromkeys(("aider", "continue", "llm"), yaml_text.load)}.get(name, jsonc.load)
    assert _without_empty(load(removed)) == _without_empty(load(own))  # type: ignore[operator]  # types are callable


def _without_empty(value: object) -> object:
    if isinstance(value, dict):
        kept = {name: _without_empty(inner) for name, inner in value.items()}
        return {name: inner for name, inner in kept.items() if inner != {}}
    return value


@pytest.mark.parametrize("one", WRITTEN, ids=lambda one: one.name)
def test_a_key_is_written_only_where_no_variable_can_be_named(one: WrittenClient) -> None:
    written = one.write(KEYED)("")
    assert ("sk-of-a-client" in written) == (one.name == "continue")
    if one.name in ("opencode", "kilo", "goose", "crush"):
        assert KEY_VARIABLE in written
        assert any("export" in line for line in one.after(KEYED))


@pytest.mark.parametrize(
    "one", [one for one in WRITTEN if one.name not in ("goose", "crush")], ids=lambda one: one.name
)
def test_a_file_that_does_not_parse_is_not_touched(one: WrittenClient) -> None:
    with pytest.raises(EditError):
        one.write(OPEN)('{"a": [}\n b: }')


def test_the_model_asked_for_comes_first_and_the_aliases_after_it() -> None:
    assert [model.id for model in KEYED.offered] == [HAIKU.id, OPUS.id, SONNET.id]
    assert [model.id for model in OPEN.offered] == [SONNET.id, OPUS.id]


@pytest.mark.parametrize("own", ["openai-api-base: http://x\n", "openai-api-key: mine\n", "- a list\n"])
def test_what_aider_is_told_by_its_user_is_left_alone(own: str) -> None:
    with pytest.raises(EditError):
        client("aider").write(OPEN)(own)


def test_gooses_file_is_ours_alone() -> None:
    goose = client("goose")
    assert json.loads(goose.write(OPEN)("whatever was there"))["base_url"] == BASE
    with pytest.raises(EditError, match="delete it yourself"):
        goose.remove('{"changed": true}')


def test_lines_between_our_marks() -> None:
    once = with_block("a\nb", ["one"])
    assert once == "a\nb\n# >>> claude-openai-proxy\none\n# <<< claude-openai-proxy\n"
    assert with_block(f"{once}c\n", ["two"]) == once.replace("one", "two") + "c\n"
    assert without_block(f"{once}c\n") == "a\nb\nc\n"


@pytest.mark.parametrize("shown", SHOWN, ids=lambda shown: shown.name)
def test_what_is_shown_has_the_address_and_no_key(shown: ShownClient) -> None:
    text = "\n".join(shown.how(KEYED))
    assert "localhost:3000" in text or "host.docker.internal:3000" in text
    assert "sk-of-a-client" not in text


def test_files_are_looked_for_where_each_platform_has_them(tmp_path: Path) -> None:
    linux = Machine({"HOME": str(tmp_path)}, "linux")
    moved = Machine({"HOME": str(tmp_path), "XDG_CONFIG_HOME": "/x", "LLM_USER_PATH": "/l"}, "linux")
    mac = Machine({"HOME": str(tmp_path)}, "darwin")
    windows = Machine({"USERPROFILE": str(tmp_path), "APPDATA": "/roaming"}, "win32")
    assert client("opencode").file(moved) == Path("/x/opencode/opencode.json")
    assert client("llm").file(linux) == tmp_path / ".config/io.datasette.llm/extra-openai-models.yaml"
    assert client("llm").file(moved) == Path("/l/extra-openai-models.yaml")
    assert client("llm").file(mac).parts[-4:-2] == ("Library", "Application Support")
    assert client("vscode").file(windows) == Path("/roaming/Code/User/chatLanguageModels.json")
    (tmp_path / ".config" / "kilo").mkdir(parents=True)
    (tmp_path / ".config" / "kilo" / "kilo.jsonc").write_text("{}")
    assert client("kilo").file(linux).name == "kilo.jsonc"
