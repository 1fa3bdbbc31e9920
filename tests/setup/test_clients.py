"""What is written into each client's file, beside what its user has there."""

import json
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_openai_proxy.setup import jsonc, yaml_text
from claude_openai_proxy.setup.block import with_block, without_block
from claude_openai_proxy.setup.client import ShownClient, WrittenClient
from claude_openai_proxy.setup.machine import Machine
from claude_openai_proxy.setup.shown_clients import SHOWN
from claude_openai_proxy.setup.target import KEY_VARIABLE, OfferedModel, Target, from_a_container
from claude_openai_proxy.setup.text_edit import EditError
from claude_openai_proxy.setup.user_file import Undo, planned
from claude_openai_proxy.setup.written_clients import WRITTEN

OPUS = OfferedModel("custom-claude-4-opus", "Claude Opus", 1_000_000, 128_000, images=True, alias=True)
SONNET = OfferedModel("custom-claude-4-sonnet", "Claude Sonnet", 1_000_000, 128_000, images=True, alias=True)
HAIKU = OfferedModel("claude-haiku-5-5", "Claude Haiku 5.5", 1_000_000, 128_000, images=False, alias=False)
BASE = "http://localhost:3000/v1"
OPEN = Target(BASE, "", (OPUS, SONNET, HAIKU), SONNET)
KEYED = Target(BASE, "sk-of-a-client", (OPUS, SONNET, HAIKU), HAIKU)

OWN_FILES = {
    "codex": '# mine\napproval_policy = "never" # mine\n',
    "opencode": '{\n  // mine\n  "model": "other/m", "provider": {"other": {"npm": "x"}},\n}\n',
    "kilo": '{"provider": {\n\t"other": {}\n}}',
    "continue": "# mine\nname: Me\nversion: 1.2.3\nschema: v1\nmodels:\n  - name: Other # mine\n    provider: openai\n",
    "llm": "# mine\n- model_id: other\n  model_name: other\n  api_base: http://x/v1\n",
    "librechat": "# mine\nversion: 1.2.1\nendpoints:\n  custom:\n    - name: Other # mine\n      apiKey: x\n",
    "cline": '{\n  "version": 1,\n  "modes": {},\n  "providers": {"other": {"settings": {}}}\n}\n',
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
    for own in (OWN_FILES.get(one.name, ""), *([""] if one.name != "librechat" else [])):
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
    load = {
        "crush": str,
        "codex": tomllib.loads,
        **dict.fromkeys(("aider", "continue", "librechat", "llm"), yaml_text.load),
    }.get(name, jsonc.load)
    assert _without_empty(load(removed)) == _without_empty(load(own))  # type: ignore[operator]  # types are callable


def _without_empty(value: object) -> object:
    if isinstance(value, dict):
        kept = {name: _without_empty(inner) for name, inner in value.items()}
        return {name: inner for name, inner in kept.items() if inner != {}}
    return value


@pytest.mark.parametrize("one", WRITTEN, ids=lambda one: one.name)
def test_a_key_is_written_only_where_no_variable_can_be_named(one: WrittenClient) -> None:
    written = one.write(KEYED)(OWN_FILES.get(one.name, ""))
    assert ("sk-of-a-client" in written) == (one.name == "cline")
    if one.name == "continue":
        assert f"${{{{ secrets.{KEY_VARIABLE} }}}}" in written
        assert any(f"{KEY_VARIABLE}=" in line for line in one.after(KEYED))
    if one.name in ("codex", "opencode", "kilo", "goose", "crush"):
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


LINES = st.lists(st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=9), max_size=5)


@given(before=LINES, after=LINES, ours=LINES, end=st.sampled_from(["", "\n"]))
def test_whatever_stands_around_our_marks_stays_byte_for_byte(
    before: list[str], after: list[str], ours: list[str], end: str
) -> None:
    """But for the end of the last line, which another line must not run into."""
    text = "\n".join(before) + end
    own = text if text.endswith("\n") or not text else f"{text}\n"
    written = with_block(text, ours)
    assert without_block(written) == own
    assert with_block(written, ours) == written
    rest = "".join(f"{line}\n" for line in after)
    assert without_block(written + rest) == own + rest


@pytest.mark.parametrize(
    "own",
    [
        'model = "mine"\n',
        "[model_providers.claude-openai-proxy]\n",
        "model_providers = 1\n",
        '[tui]\ntheme = "a table that our lines would fall into"\n',
        "not toml",
    ],
)
def test_what_codex_is_told_by_its_user_is_left_alone(own: str) -> None:
    with pytest.raises(EditError):
        client("codex").write(OPEN)(own)


def test_codexs_profile_stays_beside_what_its_user_adds() -> None:
    codex = client("codex")
    own, after = 'approval_policy = "never"\n', "[tui]\nanimations = false\n"
    written = codex.write(OPEN)(own) + after
    assert tomllib.loads(written)["model"] == SONNET.id
    assert written.count("experimental_bearer_token") == 1
    keyed = codex.write(KEYED)(written)
    assert tomllib.loads(keyed) == {
        "approval_policy": "never",
        "model": HAIKU.id,
        "model_provider": "claude-openai-proxy",
        "model_providers": {
            "claude-openai-proxy": {
                "name": "Claude OpenAI Proxy",
                "base_url": BASE,
                "wire_api": "responses",
                "env_key": KEY_VARIABLE,
                "model_catalog_url": f"{BASE}/models",
            }
        },
        "tui": {"animations": False},
    }
    assert codex.remove(keyed) == own + after


def test_what_is_odd_in_an_address_is_written_as_toml_has_it() -> None:
    odd = Target('http://localhost:3000/"\\\u00e9/v1', "", (SONNET,), SONNET)
    said = tomllib.loads(client("codex").write(odd)(""))["model_providers"]["claude-openai-proxy"]
    assert said["base_url"] == odd.base_url
    home = Machine({"HOME": "/h", "CODEX_HOME": "/c"}, "linux")
    assert client("codex").file(home) == Path("/c/claude-openai-proxy.config.toml")


def test_the_profile_is_as_it_is_printed() -> None:
    page = (Path(__file__).parents[2] / "docs" / "clients.md").read_text(encoding="utf-8")
    written = "\n".join(client("codex").write(OPEN)("").splitlines()[1:-1])
    assert f"```toml\n{written}\n```" in page


def test_clines_place_is_taken_by_nobody_else() -> None:
    cline = client("cline")
    written = cline.write(OPEN)("")
    used = written.replace("2026-01-01T00:00:00.000Z", "2026-11-27T10:00:00.000Z").replace(
        '"modes"', '"lastUsedProvider": "openai-compatible", "modes"'
    )
    assert cline.write(OPEN)(used) == used
    assert cline.write(KEYED)(used) != used
    assert json.loads(cline.remove(used))["providers"] == {}
    other = used.replace("localhost:3000", "api.example.com")
    with pytest.raises(EditError, match="it is taken: http://api"):
        cline.write(OPEN)(other)
    with pytest.raises(EditError, match="another provider's by now"):
        cline.remove(other)
    assert cline.remove("") == ""


@pytest.mark.parametrize(
    ("before", "last"),
    [('{"version": 1, "lastUsedProvider": "openrouter", "providers": {}}', "openrouter"), ("", None), ("{}", None)],
)
def test_clines_user_gets_back_the_provider_that_was_used_before_the_proof(before: str, last: str | None) -> None:
    cline = client("cline")
    assert cline.give_back is not None
    back = cline.give_back(before)
    used = jsonc.with_entry(cline.write(OPEN)(before), ("lastUsedProvider",), "openai-compatible")
    assert json.loads(back(used)).get("lastUsedProvider") == last
    chosen = jsonc.with_entry(used, ("lastUsedProvider",), "ollama")
    assert json.loads(back(chosen))["lastUsedProvider"] == "ollama"


@pytest.mark.parametrize("own", ['echo "no end\n', "x='\n# comment\n", "echo \\"])
def test_a_crushrc_whose_end_is_inside_a_text_is_left_alone(own: str) -> None:
    with pytest.raises(EditError, match="no shell script"):
        client("crush").write(OPEN)(own)


def test_librechats_file_is_never_made() -> None:
    with pytest.raises(EditError, match=r"no librechat\.yaml here"):
        client("librechat").write(OPEN)("")


def test_librechat_in_a_container_is_told_what_the_proxy_needs() -> None:
    librechat = client("librechat")
    inside = replace(KEYED, base_url=from_a_container(KEYED.base_url))
    written = librechat.write(inside)(OWN_FILES["librechat"])
    item = yaml_text.load(written)["endpoints"]["custom"][1]
    assert item["baseURL"] == "http://host.docker.internal:3000/v1"
    assert item["apiKey"] == f"${{{KEY_VARIABLE}}}"
    told = " ".join(librechat.after(inside))
    assert "ALLOWED_HOSTS=host.docker.internal" in told
    assert f"{KEY_VARIABLE}=" in told
    assert "ALLOWED_HOSTS" not in " ".join(librechat.after(OPEN))


ODD: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "no end of the last line": lambda text: text.rstrip("\n"),
    "Windows lines": lambda text: text.replace("\n", "\r\n"),
    "blank lines behind": lambda text: f"{text}\n\n  \n",
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("name", OWN_FILES)
def test_what_is_taken_back_is_the_file_of_before_byte_for_byte(name: str, odd: str, tmp_path: Path) -> None:
    file, undo, one = tmp_path / "their file", Undo(tmp_path / "kept"), client(name)
    before = ODD[odd](OWN_FILES[name]).encode()
    file.write_bytes(before)
    file.chmod(0o640)
    undo.write(name, planned(file, one.write(OPEN)))
    assert BASE.encode() in file.read_bytes()
    undo.write(name, planned(file, one.write(KEYED)))
    assert undo.take_back(name, file, one.remove).endswith("is as it was before.")
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (before, 0o640)


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
