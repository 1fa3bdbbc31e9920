"""The login of this moment: keys for the API upstream, picked up and renewed while the server runs."""

import json
from pathlib import Path

import pytest

from claude_openai_proxy.errors import NoLoginError
from claude_openai_proxy.logins.claude_settings import ClaudeSettingsFiles
from claude_openai_proxy.logins.credentials import Credential, CredentialSource
from claude_openai_proxy.logins.current import CurrentLogin
from claude_openai_proxy.logins.layers import Layer
from claude_openai_proxy.logins.login import UntrustedLoginError
from claude_openai_proxy.trust import Trust, UpstreamName

NO_LOGIN = "No Claude login found. Run: claude-openai-proxy login (or set ANTHROPIC_API_KEY), or try --demo"


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Place:
    """One person's machine: an environment, a `.env` and a settings file."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.clock = Clock()

    def write(self, **settings: object) -> None:
        (self.home / ".claude").mkdir(exist_ok=True)
        (self.home / ".claude" / "settings.json").write_text(json.dumps(settings), encoding="utf-8")

    def login(
        self, *, upstream: UpstreamName = "auto", dotenv: dict[str, str] | None = None, **variables: str
    ) -> CurrentLogin:
        environment = {"HOME": str(self.home), "PATH": "/usr/bin:/bin", **variables}
        files = ClaudeSettingsFiles(user=self.home / ".claude", managed=self.home / "managed", clock=self.clock)
        layers = (
            Layer("the environment", Trust.ENVIRONMENT, environment),
            Layer(".env", Trust.DOTENV, dotenv or {}),
        )
        return CurrentLogin(layers=layers, files=files, environment=environment, clock=self.clock, upstream=upstream)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


async def test_it_is_a_source_of_credentials(place: Place) -> None:
    source: CredentialSource = place.login(ANTHROPIC_API_KEY="k")

    assert await source.credential() == Credential(
        "api_key", "k", "https://api.anthropic.com", "ANTHROPIC_API_KEY from the environment"
    )
    assert source.describe() == "ANTHROPIC_API_KEY from the environment"


async def test_the_users_settings_come_between_the_environment_and_dotenv(place: Place) -> None:
    place.write(env={"ANTHROPIC_API_KEY": "from-settings"})

    over_dotenv = place.login(dotenv={"ANTHROPIC_API_KEY": "from-dotenv"})
    under_environment = place.login(ANTHROPIC_API_KEY="from-environment")

    assert (await over_dotenv.credential()).secret == "from-settings"
    assert (await under_environment.credential()).secret == "from-environment"


async def test_without_a_login_the_words_say_what_to_do(place: Place) -> None:
    login = place.login()

    with pytest.raises(NoLoginError) as missing:
        await login.credential()

    assert missing.value.message == NO_LOGIN
    assert (login.find(), login.describe()) == (None, "")


async def test_a_login_made_meanwhile_is_picked_up(place: Place) -> None:
    login = place.login()
    with pytest.raises(NoLoginError):
        await login.credential()

    place.write(env={"ANTHROPIC_AUTH_TOKEN": "t", "ANTHROPIC_BASE_URL": "https://gw.example"})
    place.clock.now += 2

    credential = await login.credential()
    assert (credential.kind, credential.secret, credential.base_url) == ("auth_token", "t", "https://gw.example")


async def test_a_settings_change_that_would_lead_a_key_astray_refuses_requests(place: Place) -> None:
    login = place.login(ANTHROPIC_API_KEY="k")
    await login.credential()

    place.write(env={"ANTHROPIC_BASE_URL": "https://other.example"})
    place.clock.now += 2

    with pytest.raises(
        UntrustedLoginError, match=r"ANTHROPIC_API_KEY from the environment would be sent to other\.example"
    ):
        await login.credential()
    assert login.describe() == ""


async def test_a_login_through_the_cli_is_no_credential(place: Place) -> None:
    login = place.login(CLAUDE_CODE_OAUTH_TOKEN="t")

    found = login.find()
    assert found is not None
    assert found.via == "claude-code"
    with pytest.raises(NoLoginError):
        await login.credential()


async def test_a_refused_key_is_not_tried_again_unless_another_is_there(place: Place) -> None:
    place.write(env={"ANTHROPIC_API_KEY": "old"})
    login = place.login()
    refused = await login.credential()

    assert await login.refused(refused) is False
    place.write(env={"ANTHROPIC_API_KEY": "newer"})
    assert await login.refused(refused) is True
    assert (await login.credential()).secret == "newer"


async def test_a_helper_is_asked_again_when_its_key_is_refused(place: Place) -> None:
    place.write(apiKeyHelper='echo x >> "$HOME/runs"; echo "key-$(wc -l < "$HOME/runs" | tr -d " ")"')
    login = place.login()
    first = await login.credential()
    assert (first.kind, first.secret) == ("api_key_helper", "key-1")
    assert first.source == f"apiKeyHelper from {place.home / '.claude' / 'settings.json'}"

    assert await login.refused(first) is True
    assert (await login.credential()).secret == "key-2"


async def test_the_helpers_time_is_in_milliseconds(place: Place) -> None:
    place.write(
        apiKeyHelper='echo x >> "$HOME/runs"; echo "key-$(wc -l < "$HOME/runs" | tr -d " ")"',
        env={"CLAUDE_CODE_API_KEY_HELPER_TTL_MS": 5000},
    )
    login = place.login()

    keys = []
    for _ in range(3):
        keys.append((await login.credential()).secret)
        place.clock.now += 3
    assert keys == ["key-1", "key-1", "key-2"]


async def test_the_helper_has_the_users_environment_without_the_keys_of_clients(place: Place) -> None:
    place.write(apiKeyHelper='echo "$VAULT-$REGION-${PROXY_API_KEYS:-unset}"', env={"REGION": "eu"})

    login = place.login(VAULT="v", PROXY_API_KEYS="client-key", dotenv={"ANTHROPIC_BASE_URL": ""})

    assert (await login.credential()).secret == "v-eu-unset"


async def test_another_helper_command_is_another_helper(place: Place) -> None:
    place.write(apiKeyHelper="echo one")
    login = place.login()
    assert (await login.credential()).secret == "one"

    place.write(apiKeyHelper="echo three")
    place.clock.now += 2
    assert (await login.credential()).secret == "three"


def test_model_lines_can_be_pinned(place: Place) -> None:
    place.write(env={"ANTHROPIC_DEFAULT_HAIKU_MODEL": "claude-haiku-4-5", "ANTHROPIC_DEFAULT_OPUS_MODEL": "claude-x"})

    login = place.login(
        ANTHROPIC_DEFAULT_OPUS_MODEL="claude-opus-5[1m]", dotenv={"ANTHROPIC_DEFAULT_SONNET_MODEL": "claude-y"}
    )

    assert login.pins() == {"opus": "claude-opus-5", "haiku": "claude-haiku-4-5"}


def test_a_settings_file_that_cannot_be_used_is_told(place: Place) -> None:
    (place.home / ".claude").mkdir()
    (place.home / ".claude" / "settings.json").write_text("{", encoding="utf-8")

    (problem,) = place.login().problems()

    assert "settings.json is not used" in problem


async def test_claudes_own_login_file_is_never_opened(place: Place) -> None:
    place.write()
    own = place.home / ".claude" / ".credentials.json"
    own.touch(mode=0)

    login = place.login()
    with pytest.raises(NoLoginError):
        await login.credential()

    assert all(".credentials" not in layer.source for layer in login.layers())
