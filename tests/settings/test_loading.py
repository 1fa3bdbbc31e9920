"""Settings come from flag, environment, `.env` and default, in this order, and each mistake is one clear line."""

from pathlib import Path

import pytest

from claude_openai_proxy.settings import Flags, Secret, Settings, SettingsError, load_settings


def load(
    cwd: Path, *, flags: dict[str, str] | None = None, environment: dict[str, str] | None = None, dotenv: str = ""
) -> Settings:
    if dotenv:
        (cwd / ".env").write_text(dotenv, encoding="utf-8")
    return load_settings(Flags(flags or {}), environment or {}, cwd)


def test_without_anything_the_defaults_hold(tmp_path: Path) -> None:
    settings = load(tmp_path)

    assert (settings.host, settings.port, settings.upstream) == ("localhost", 3000, "auto")
    assert (settings.timeout, settings.total_timeout, settings.upstream_retries) == (60.0, None, 1)
    assert (settings.max_body_mb, settings.drain_seconds) == (32, 30)
    assert (settings.log_level, settings.log_format, settings.unsupported_parameters) == ("info", "auto", "report")
    assert settings.aliases == {"custom-claude-4-opus": "opus", "custom-claude-4-sonnet": "sonnet"}
    assert (settings.default_model, settings.client_keys, settings.claude_cli_path) == (None, (), None)
    assert (settings.claude_pool_size, settings.single_user, settings.public) == (2, False, False)
    assert set(settings.sources.values()) == {"default"}


def test_a_flag_comes_before_the_environment_and_that_before_dotenv(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        flags={"PORT": "1"},
        environment={"PORT": "2", "DRAIN_SECONDS": "2"},
        dotenv="PORT=3\nDRAIN_SECONDS=3\nMAX_BODY_MB=3\n",
    )

    assert (settings.port, settings.drain_seconds, settings.max_body_mb) == (1, 2, 3)
    assert settings.sources["PORT"] == "--port"
    assert settings.sources["DRAIN_SECONDS"] == "the environment"
    assert settings.sources["MAX_BODY_MB"] == ".env"
    assert settings.sources["LOG_LEVEL"] == "default"


def test_an_empty_value_counts_as_absent(tmp_path: Path) -> None:
    assert load(tmp_path, environment={"PORT": " "}, dotenv="PORT=3001\n").port == 3001


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("PORT", "abc", "PORT from .env is 'abc', which is not allowed. Allowed: a whole number from 0 to 65535"),
        ("PORT", "65536", "PORT from .env is '65536'"),
        ("PORT", "-1", "PORT from .env is '-1'"),
        ("PROXY_HOST", "a b", "PROXY_HOST from .env is 'a b'"),
        ("PROXY_HOST", "http://a", "PROXY_HOST from .env is 'http://a'"),
        ("CLAUDE_UPSTREAM", "openai", "Allowed: auto, api or claude-code."),
        ("CLAUDE_API_TIMEOUT", "0", "CLAUDE_API_TIMEOUT from .env is '0'"),
        ("CLAUDE_API_TIMEOUT", "nan", "CLAUDE_API_TIMEOUT from .env is 'nan'"),
        ("CLAUDE_API_TIMEOUT", "none", "CLAUDE_API_TIMEOUT from .env is 'none'"),
        ("CLAUDE_API_TOTAL_TIMEOUT", "1e9", "CLAUDE_API_TOTAL_TIMEOUT from .env is '1e9'"),
        ("MODEL_ALIASES", "fast", "Allowed: name=target pairs, comma-separated"),
        ("MODEL_ALIASES", "a=opus,a=haiku", "MODEL_ALIASES from .env is 'a=opus,a=haiku'"),
        ("MODEL_ALIASES", "a=opus,,b=haiku", "MODEL_ALIASES from .env"),
        ("DEFAULT_MODEL", "two words", "DEFAULT_MODEL from .env is 'two words'"),
        ("ALLOWED_HOSTS", "https://a.example", "ALLOWED_HOSTS from .env"),
        ("ALLOWED_ORIGINS", "a.example", "ALLOWED_ORIGINS from .env is 'a.example'"),
        ("ALLOWED_ORIGINS", "https://a.example/path", "ALLOWED_ORIGINS from .env"),
        ("UNSUPPORTED_PARAMETERS", "ignore", "Allowed: report or reject."),
        ("MAX_BODY_MB", "0", "MAX_BODY_MB from .env is '0'"),
        ("DRAIN_SECONDS", "1.5", "DRAIN_SECONDS from .env is '1.5'"),
        ("UPSTREAM_RETRIES", "11", "UPSTREAM_RETRIES from .env is '11'"),
        ("LOG_LEVEL", "loud", "Allowed: debug, info, warning or error."),
        ("LOG_FORMAT", "xml", "Allowed: auto, console or json."),
        ("CLAUDE_POOL_SIZE", "many", "CLAUDE_POOL_SIZE from .env is 'many'"),
        ("MODEL_FALLBACKS", "opus", "MODEL_FALLBACKS from .env is 'opus'"),
        ("MODEL_FALLBACKS", "opus>sonnet,opus>haiku", "each first name once"),
        ("MODEL_FALLBACKS", "opus>sonnet,sonnet>opus", "none leading back to itself"),
        ("MODEL_FALLBACKS", "opus>opus", "none leading back to itself"),
        ("FALLBACK_BUDGET", "-1", "Allowed: US dollars, from 0 to 100000."),
        ("FALLBACK_BUDGET", "100001", "Allowed: US dollars, from 0 to 100000."),
        ("PLAN_METER", "ask", "Allowed: events or off."),
        ("CLAUDE_CODE_SINGLE_USER", "maybe", "Allowed: yes or no."),
        ("ANTHROPIC_BASE_URL", "ftp://a", "ANTHROPIC_BASE_URL from .env is 'ftp://a'"),
        ("ANTHROPIC_BASE_URL", "https://a/?b", "ANTHROPIC_BASE_URL from .env"),
        ("ANTHROPIC_BASE_URL", "https://a:99999", "ANTHROPIC_BASE_URL from .env"),
    ],
)
def test_a_bad_value_is_one_line_with_setting_source_value_and_what_is_allowed(
    tmp_path: Path, name: str, text: str, line: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        load(tmp_path, dotenv=f"{name}='{text}'\n")

    assert line in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_bad_value_of_a_flag_is_named_by_the_flag(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^PORT from --port is 'x', which is not allowed"):
        load(tmp_path, flags={"PORT": "x"})


@pytest.mark.parametrize("name", ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "PROXY_API_KEYS"])
def test_a_bad_secret_is_refused_without_being_shown(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(tmp_path, environment={name: "top secret"})

    assert str(refused.value).startswith(
        f"{name} from the environment is a value that is not shown, which is not allowed"
    )
    assert "top secret" not in str(refused.value)


def test_values_are_read_in_their_usual_spellings(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        environment={
            "PROXY_HOST": "[::1]",
            "CLAUDE_UPSTREAM": "Claude-Code",
            "CLAUDE_API_TIMEOUT": "2.5",
            "CLAUDE_API_TOTAL_TIMEOUT": "none",
            "MODEL_ALIASES": "fast = haiku, custom-claude-4-opus=claude-opus-5,",
            "ALLOWED_HOSTS": "Proxy.Example, 10.0.0.1, [FD00::1], *",
            "ALLOWED_ORIGINS": "https://App.Example/, http://localhost:5173, null",
            "CLAUDE_CODE_SINGLE_USER": "YES",
            "MODEL_FALLBACKS": "opus > sonnet, sonnet>haiku",
            "FALLBACK_BUDGET": "0.5",
        },
    )

    assert settings.host == "::1"
    assert settings.upstream == "claude-code"
    assert (settings.timeout, settings.total_timeout) == (2.5, None)
    assert settings.aliases == {
        "custom-claude-4-opus": "claude-opus-5",
        "custom-claude-4-sonnet": "sonnet",
        "fast": "haiku",
    }
    assert settings.allowed_hosts == ("proxy.example", "10.0.0.1", "[fd00::1]", "*")
    assert settings.allowed_origins == ("https://app.example", "http://localhost:5173", "null")
    assert settings.single_user
    assert settings.model_fallbacks == {"opus": "sonnet", "sonnet": "haiku"}
    assert settings.fallback_budget == 0.5


def test_who_lets_nothing_but_the_plan_pay_says_what_a_fallback_may(tmp_path: Path) -> None:
    contradiction = {"PLAN_ONLY": "yes", "CLAUDE_FALLBACK_UPSTREAM": "api"}
    with pytest.raises(SettingsError, match="set FALLBACK_BUDGET"):
        load(tmp_path, environment=contradiction)

    assert load(tmp_path, environment=contradiction | {"FALLBACK_BUDGET": "5"}).fallback_budget == 5
    assert load(tmp_path, environment={"PLAN_ONLY": "yes", "CLAUDE_FALLBACK_UPSTREAM": "claude-code"}).plan_only


def test_client_keys_have_names_given_or_by_place(tmp_path: Path) -> None:
    keys = load(tmp_path, environment={"PROXY_API_KEYS": "sk-one, laptop:sk-two"}).client_keys

    assert [(key.name, key.secret.reveal()) for key in keys] == [("key-1", "sk-one"), ("laptop", "sk-two")]


@pytest.mark.parametrize("text", ["a,a", "x:a,x:b", "x:", ":a", "x y:a", "sk-schlüssel"])
def test_client_keys_that_could_not_be_told_apart_or_sent_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError, match="PROXY_API_KEYS"):
        load(tmp_path, environment={"PROXY_API_KEYS": text})


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "::1"])
def test_loopback_needs_no_client_key(tmp_path: Path, host: str) -> None:
    assert not load(tmp_path, environment={"PROXY_HOST": host}).public


def test_the_program_to_run_is_not_taken_from_dotenv(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^CLAUDE_CLI_PATH stands in \.env, where it is not allowed"):
        load(tmp_path, dotenv="CLAUDE_CLI_PATH=/evil/claude\n")

    (tmp_path / ".env").unlink()
    assert load(tmp_path, environment={"CLAUDE_CLI_PATH": "/usr/bin/claude"}).claude_cli_path == "/usr/bin/claude"


def test_no_secret_is_in_any_printed_form(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        environment={"ANTHROPIC_API_KEY": "sk-a", "PROXY_API_KEYS": "sk-b", "HTTPS_PROXY": "http://u:sk-c@p:1"},
        dotenv="ANTHROPIC_AUTH_TOKEN=sk-d\n",
    )

    assert "sk-" not in f"{settings!r} {settings}"


def test_a_secret_prints_as_stars_and_is_revealed_on_purpose_only() -> None:
    secret = Secret("sk-a")

    assert (str(secret), repr(secret), f"{secret:>9}") == ("***", "***", "***")
    assert secret.reveal() == "sk-a"
    assert (secret == Secret("sk-a"), secret == Secret("sk-b"), secret == "sk-a") == (True, False, False)


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"STATE": "memory"}, "WORKERS=2 and STATE=memory say different things"),
        ({"REASONING_STORE": "memory"}, "WORKERS=2 and REASONING_STORE=memory say different things"),
        ({"RESPONSES_STORE": "memory"}, "WORKERS=2 and RESPONSES_STORE=memory say different things"),
        ({"MAX_CONCURRENT_REQUESTS": "1"}, "WORKERS=2 and MAX_CONCURRENT_REQUESTS=1: each worker needs one"),
        ({"CLAUDE_POOL_MAX": "1"}, "WORKERS=2 and CLAUDE_POOL_MAX=1: each worker needs one"),
    ],
)
def test_several_workers_need_something_to_share(tmp_path: Path, environment: dict[str, str], told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        load(tmp_path, environment={"WORKERS": "2", **environment})
    assert load(tmp_path, environment=environment).workers == 1


def test_several_workers_cannot_be_where_processes_are_not_forked(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="WORKERS=2: Windows has no way to start workers"):
        load_settings(Flags(), {"WORKERS": "2"}, tmp_path, platform="win32")
