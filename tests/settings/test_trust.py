"""What opens the door, turns the road or moves secrets is not for a `.env` that came with somebody else's project."""

import re
from pathlib import Path

import pytest

from claude_openai_proxy.app.upstreams import selected_upstream
from claude_openai_proxy.logins.login import UntrustedLoginError
from claude_openai_proxy.settings import SETTINGS, Flags, Settings, SettingsError, load_settings
from claude_openai_proxy.trust import Trust

OWN_KEY = "ANTHROPIC_API_KEY=sk-ant-made-up\n"
DOORS = [
    ("PROXY_HOST", "0.0.0.0\nPROXY_API_KEYS=a-long-random-client-key"),
    ("PROXY_API_KEYS", "a-long-random-client-key"),
    ("ALLOWED_HOSTS", "evil.example"),
    ("ALLOWED_ORIGINS", "https://evil.example"),
    ("TRUSTED_PROXIES", "10.0.0.0/8"),
    ("CLAUDE_CODE_SINGLE_USER", "yes"),
    ("ANTHROPIC_BASE_URL", "http://127.0.0.1:9"),
    ("ANTHROPIC_WORKSPACE_ID", "wrkspc_1"),
    ("CLAUDE_FALLBACK_UPSTREAM", "api"),
    ("FALLBACK_BUDGET", "100"),
    ("LEDGER_DAYS", "0"),
]


class Person:
    """A home with a project in it; the start is in the project."""

    def __init__(self, directory: Path) -> None:
        self.home = directory / "home"
        self.project = directory / "project"
        self.config = self.home / ".config" / "claude-openai-proxy"
        for place in (self.config, self.project):
            place.mkdir(parents=True)

    def writes(self, text: str) -> None:
        (self.project / ".env").write_text(text, encoding="utf-8")

    def keeps(self, text: str) -> None:
        """In the configuration file of the user's own."""
        (self.config / ".env").write_text(text, encoding="utf-8")

    def settings(
        self, given: dict[str, str] | None = None, *, env_file: str | None = None, cwd: Path | None = None
    ) -> Settings:
        environment = {"HOME": str(self.home), "PATH": "/usr/bin:/bin", **(given or {})}
        return load_settings(Flags(env_file=env_file), environment, cwd or self.project, platform="linux")

    def starts(
        self, given: dict[str, str] | None = None, *, env_file: str | None = None, cwd: Path | None = None
    ) -> Settings:
        """As the server does: settings, then the login. Raises where the start is refused."""
        settings = self.settings(given, env_file=env_file, cwd=cwd)
        selected_upstream(settings).configured()
        return settings


@pytest.fixture
def person(tmp_path: Path) -> Person:
    return Person(tmp_path)


LOGINS = [{}, {"ANTHROPIC_API_KEY": "k"}, {"CLAUDE_CODE_OAUTH_TOKEN": "o"}, {"CLAUDE_UPSTREAM": "claude-code"}]


@pytest.mark.parametrize(("name", "text"), DOORS, ids=[name for name, _ in DOORS])
@pytest.mark.parametrize("login", LOGINS, ids=lambda login: "+".join(login) or "none")
def test_a_door_that_the_file_opens_to_somebody_elses_login_refuses_the_start(
    person: Person, name: str, text: str, login: dict[str, str]
) -> None:
    person.writes(f"PORT=3001\n{name}={text}\n")

    with pytest.raises((SettingsError, UntrustedLoginError)) as refused:
        person.starts(login)

    message = str(refused.value)
    assert f"{name} (line 2)" in message
    assert "--env-file .env" in message


@pytest.mark.parametrize(("name", "text"), DOORS, ids=[name for name, _ in DOORS])
@pytest.mark.parametrize("login", LOGINS, ids=lambda login: "+".join(login) or "none")
def test_the_flag_confirms_the_file(person: Person, name: str, text: str, login: dict[str, str]) -> None:
    person.writes(f"{name}={text}\n")

    assert person.starts(login, env_file=".env").sources[name] == ".env"


@pytest.mark.parametrize(("name", "text"), DOORS, ids=[name for name, _ in DOORS])
def test_a_key_of_the_file_itself_confirms_it(person: Person, name: str, text: str) -> None:
    person.writes(f"{OWN_KEY}{name}={text}\n")

    assert person.starts().sources[name] == ".env"


@pytest.mark.parametrize(("name", "text"), DOORS, ids=[name for name, _ in DOORS])
def test_the_users_own_file_needs_no_confirmation(person: Person, name: str, text: str) -> None:
    person.keeps(f"{name}={text}\n")

    assert person.starts({"ANTHROPIC_API_KEY": "k"}).sources[name] == str(person.config / ".env")
    assert person.starts({"ANTHROPIC_API_KEY": "k"}, cwd=person.config).sources[name] == str(person.config / ".env")


@pytest.mark.parametrize("own", ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_USE_BEDROCK"])
def test_a_key_of_the_file_that_is_not_the_one_in_use_confirms_nothing(person: Person, own: str) -> None:
    person.writes("ANTHROPIC_AUTH_TOKEN=theirs\nALLOWED_ORIGINS=https://evil.example\n")

    with pytest.raises(UntrustedLoginError, match=re.escape("ALLOWED_ORIGINS (line 2)")):
        person.starts({own: "1"})


def test_a_token_and_a_url_of_the_file_do_not_outrank_the_users_key(person: Person) -> None:
    person.writes("ANTHROPIC_AUTH_TOKEN=theirs\nANTHROPIC_BASE_URL=https://evil.example\n")

    with pytest.raises(UntrustedLoginError, match=r"ANTHROPIC_API_KEY from the environment would be sent to evil"):
        person.starts({"ANTHROPIC_API_KEY": "k"})


def test_a_token_of_the_file_alone_does_not_outrank_the_users_key(person: Person) -> None:
    person.writes("ANTHROPIC_AUTH_TOKEN=theirs\n")

    login = selected_upstream(person.settings({"ANTHROPIC_API_KEY": "k"})).configured()

    assert login is not None
    assert login.source == "ANTHROPIC_API_KEY from the environment"


def test_a_login_that_comes_later_does_not_get_the_door_of_the_file(person: Person) -> None:
    person.writes(f"{OWN_KEY}ALLOWED_ORIGINS=https://evil.example\n")
    now = [0.0]
    upstreams = selected_upstream(person.settings(), clock=lambda: now[0])
    upstreams.configured()

    (person.home / ".claude").mkdir()
    (person.home / ".claude" / "settings.json").write_text('{"env": {"ANTHROPIC_API_KEY": "k"}}')
    now[0] += 2

    with pytest.raises(UntrustedLoginError, match="ALLOWED_ORIGINS"):
        upstreams.configured()


def test_what_does_no_harm_works_from_the_file_with_every_login(person: Person) -> None:
    harmless = (
        "PORT=3001\nLOG_LEVEL=debug\nMODEL_ALIASES=fast=haiku\nDEFAULT_MODEL=sonnet\nCLAUDE_API_TIMEOUT=5\n"
        "PROXY_HOST=127.0.0.1\nCLAUDE_CODE_SINGLE_USER=no\nANTHROPIC_BASE_URL=https://api.anthropic.com/\n"
        "LEDGER_DAYS=800\n"
    )
    person.writes(harmless)

    assert person.starts({"CLAUDE_CODE_OAUTH_TOKEN": "o"}).port == 3001


def test_a_value_that_a_more_trusted_source_overrides_does_not_matter(person: Person) -> None:
    person.writes("ALLOWED_HOSTS=evil.example\n")

    assert person.starts({"ALLOWED_HOSTS": "mine.example"}).allowed_hosts == ("mine.example",)


def test_what_only_the_user_says_is_refused_with_its_line(person: Person) -> None:
    person.writes(f"{OWN_KEY}CLAUDE_CLI_PATH=/evil/claude\nANTHROPIC_AUTH_TOKEN_FILE=/home/u/.ssh/id_ed25519\n")

    with pytest.raises(SettingsError) as refused:
        person.settings()

    assert [problem.partition(": set it")[0] for problem in refused.value.problems] == [
        "ANTHROPIC_AUTH_TOKEN_FILE stands in .env, where it is not allowed (line 3)",
        "CLAUDE_CLI_PATH stands in .env, where it is not allowed (line 2)",
    ]


def test_every_row_that_opens_or_moves_something_needs_a_confirmation() -> None:
    confirmed = {setting.name for setting in SETTINGS if setting.least_trusted > Trust.DOTENV}

    assert confirmed >= {*(name for name, _ in DOORS), "CLAUDE_CLI_PATH"}


# ---- the user's own file --------------------------------------------------------------------------------------------


def test_the_users_own_file_comes_after_dotenv_of_the_working_directory(person: Person) -> None:
    person.keeps("PORT=1\nDRAIN_SECONDS=1\n")
    person.writes("PORT=2\n")

    settings = person.settings()

    assert (settings.port, settings.drain_seconds) == (2, 1)
    assert settings.files == (".env", str(person.config / ".env"))


@pytest.mark.parametrize(
    ("platform", "variables", "place"),
    [
        ("linux", {"HOME": "{0}"}, ".config/claude-openai-proxy"),
        ("linux", {"HOME": "/nowhere", "XDG_CONFIG_HOME": "{0}/xdg"}, "xdg/claude-openai-proxy"),
        ("darwin", {"HOME": "{0}"}, "Library/Application Support/claude-openai-proxy"),
        ("win32", {"APPDATA": "{0}/Roaming", "USERPROFILE": "{0}"}, "Roaming/claude-openai-proxy"),
    ],
)
def test_the_users_own_file_is_where_the_platform_keeps_configuration(
    tmp_path: Path, platform: str, variables: dict[str, str], place: str
) -> None:
    (tmp_path / place).mkdir(parents=True)
    (tmp_path / place / ".env").write_text("PORT=4\n")
    environment = {name: text.format(tmp_path) for name, text in variables.items()}

    assert load_settings(Flags(), environment, tmp_path, platform=platform).port == 4


def test_a_key_of_the_users_own_file_is_a_login_as_good_as_one_of_the_environment(person: Person) -> None:
    person.keeps("ANTHROPIC_API_KEY=mine\nANTHROPIC_BASE_URL=https://gw.example\n")
    person.writes("ANTHROPIC_API_KEY=theirs\n")

    login = selected_upstream(person.settings()).configured()

    assert login is not None
    assert (login.secret, login.base_url) == ("mine", "https://gw.example")


# ---- secrets in files of their own ----------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["environment", "named file", "own file"])
def test_a_secret_may_stand_in_a_file_that_the_user_names(person: Person, source: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("sk-ant-of-a-file\n")
    if source == "named file":
        person.writes(f"ANTHROPIC_API_KEY_FILE={secret}\n")
    if source == "own file":
        person.keeps(f"ANTHROPIC_API_KEY_FILE={secret}\n")
    given = {"ANTHROPIC_API_KEY_FILE": str(secret)} if source == "environment" else {}

    login = selected_upstream(person.settings(given, env_file=".env" if source == "named file" else None)).configured()

    assert login is not None
    assert login.secret == "sk-ant-of-a-file"


def test_client_keys_in_a_file_stand_a_line_each(person: Person) -> None:
    (person.project / "keys").write_text("laptop:first\neditor:second\n")

    keys = person.settings({"PROXY_API_KEYS_FILE": "keys"}).client_keys

    assert [(key.name, key.secret.reveal()) for key in keys] == [("laptop", "first"), ("editor", "second")]


@pytest.mark.parametrize(
    ("content", "told"),
    [(None, "is not a file"), (b"", "is empty"), (b"\xff\xfe", "is not UTF-8 text"), (b"k" * 70_000, "too large")],
)
def test_a_secret_file_that_is_none_is_told(person: Person, content: bytes | None, told: str) -> None:
    if content is not None:
        (person.project / "secret").write_bytes(content)

    with pytest.raises(
        SettingsError, match=rf"^ANTHROPIC_API_KEY_FILE from the environment names '.*', which .*{told}"
    ):
        person.settings({"ANTHROPIC_API_KEY_FILE": "secret"})


def test_a_secret_and_a_file_for_it_are_one_too_many(person: Person) -> None:
    with pytest.raises(SettingsError, match="ANTHROPIC_API_KEY and ANTHROPIC_API_KEY_FILE are both set"):
        person.settings({"ANTHROPIC_API_KEY": "k", "ANTHROPIC_API_KEY_FILE": "secret"})
