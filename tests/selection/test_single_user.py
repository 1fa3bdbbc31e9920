"""One person's plan stays one person's: at the start, and for a login that comes later."""

import json
import signal
import urllib.request

import pytest
from openai import AsyncOpenAI, PermissionDeniedError

from claude_openai_proxy.app.upstreams import selected_upstream
from claude_openai_proxy.app.wiring import create_app
from claude_openai_proxy.errors import PersonalPlanError
from claude_openai_proxy.service.client_keys import ClientKeys
from claude_openai_proxy.storage.client_keys import MemoryClientKeys, StoredKey, new_id, new_secret
from claude_openai_proxy.upstreams.selection import ASK_AGAIN_SECONDS, SelectedUpstream
from claude_openai_proxy.web.errors import to_failure
from cli.running import finished, running
from selection.conftest import Machine
from web.serving import served

TWO_KEYS = {"PROXY_API_KEYS": "laptop:first-key,editor:second-key"}
PUBLIC = {"PROXY_API_KEYS": "laptop:first-key", "PROXY_HOST": "0.0.0.0"}
WHY_KEYS = (
    "A Claude subscription is for one person's own use, and the proxy would serve it with 2 client keys. "
    "If only you use it, set CLAUDE_CODE_SINGLE_USER=yes; otherwise use an API key: claude-openai-proxy --upstream api"
)
WHY_PUBLIC = WHY_KEYS.replace("with 2 client keys", "on a public address")


async def refusal(upstreams: SelectedUpstream) -> PersonalPlanError:
    with pytest.raises(PersonalPlanError) as refused:
        await upstreams.current()
    return refused.value


@pytest.mark.parametrize(("door", "why"), [(TWO_KEYS, WHY_KEYS), (PUBLIC, WHY_PUBLIC)], ids=["keys", "public"])
@pytest.mark.parametrize("token", [{}, {"CLAUDE_CODE_OAUTH_TOKEN": "o"}], ids=["subscription", "token"])
async def test_a_personal_plan_is_not_shared(
    machine: Machine, door: dict[str, str], why: str, token: dict[str, str]
) -> None:
    machine.claude.is_logged_in()
    upstreams = machine.upstreams(**door, **token)

    error = await refusal(upstreams)

    failure = to_failure(error, now=0.0, retried=False)
    assert (error.message, failure.status, failure.error.code) == (why, 403, "single_user_only")
    assert await upstreams.start_refusal() == why
    assert (await upstreams.status()).detail == why


@pytest.mark.parametrize("door", [TWO_KEYS, PUBLIC], ids=["keys", "public"])
async def test_who_says_to_be_alone_is_served(machine: Machine, door: dict[str, str]) -> None:
    machine.claude.is_logged_in()
    upstreams = machine.upstreams(**door, CLAUDE_CODE_SINGLE_USER="yes")

    upstream = await upstreams.current()

    assert (upstream.identity.kind, await upstreams.start_refusal()) == ("claude-code", "")


@pytest.mark.parametrize("key", ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"])
@pytest.mark.parametrize("upstream", ["auto", "claude-code"])
async def test_a_key_may_serve_many(machine: Machine, key: str, upstream: str) -> None:
    upstreams = machine.upstreams(upstream=upstream, **TWO_KEYS, **{key: "k"})

    await upstreams.current()

    assert await upstreams.start_refusal() == ""


async def test_one_key_on_loopback_is_one_person(machine: Machine) -> None:
    machine.claude.is_logged_in()
    upstreams = machine.upstreams(PROXY_API_KEYS="laptop:first-key")

    upstream = await upstreams.current()

    assert upstream.identity.kind == "claude-code"


async def test_a_login_that_comes_later_is_refused_to_the_clients(machine: Machine) -> None:
    upstreams = machine.upstreams(**TWO_KEYS)
    assert await upstreams.start_refusal() == ""

    machine.claude.is_logged_in()
    machine.now += ASK_AGAIN_SECONDS

    assert (await refusal(upstreams)).message == WHY_KEYS


async def test_keys_that_are_stored_while_it_runs_count_before_the_next_use(machine: Machine) -> None:
    machine.claude.is_logged_in()
    store = MemoryClientKeys()
    keys = ClientKeys(store=store, clock=lambda: machine.now, wall_clock=lambda: machine.now)
    upstreams = selected_upstream(machine.settings(), clock=lambda: machine.now, client_keys=lambda: keys.count)
    machine.made.append(upstreams)
    for name in ("laptop", "editor"):
        assert (await upstreams.current()).identity.payer == "plan"
        await store.add(StoredKey(new_id(), name, created=machine.now), new_secret())
        await keys.refresh()

    assert (await refusal(upstreams)).message == WHY_KEYS


async def test_the_official_sdk_raises_permission_denied(machine: Machine) -> None:
    machine.claude.is_logged_in()

    async with (
        served(create_app(machine.settings(**TWO_KEYS))) as url,
        AsyncOpenAI(base_url=f"{url}/v1", api_key="first-key", max_retries=0) as client,
    ):
        with pytest.raises(PermissionDeniedError) as refused:
            await client.chat.completions.create(
                model="custom-claude-4-sonnet", messages=[{"role": "user", "content": "Hello"}]
            )

    assert WHY_KEYS in refused.value.message
    assert refused.value.code == "single_user_only"


# ---- the command ----------------------------------------------------------------------------------------------------


def test_the_start_is_refused_before_it_listens(computer: Machine) -> None:
    computer.claude.is_logged_in()
    cli = {"CLAUDE_CLI_PATH": str(computer.claude.program)}

    run = finished("--port", "0", home=computer.home, extra=TWO_KEYS | cli)

    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == f"claude-openai-proxy: {WHY_KEYS}\n"


def test_a_shadowed_subscription_is_told_at_the_start(computer: Machine) -> None:
    computer.claude.is_logged_in()
    extra = {"CLAUDE_CLI_PATH": str(computer.claude.program), "ANTHROPIC_API_KEY": "k"}
    nowhere = {"ANTHROPIC_BASE_URL": "http://127.0.0.1:9"}

    with running("--port", "0", home=computer.home, extra=extra | nowhere) as command:
        command.line(r"^Upstream: api, login: ANTHROPIC_API_KEY from the environment$")
        command.line(
            r"^The key comes before your Claude Max subscription\. "
            r"To use that: claude-openai-proxy --upstream claude-code$"
        )


def test_a_cli_that_hangs_holds_up_neither_the_start_nor_the_end(computer: Machine) -> None:
    computer.claude.answers(hangs=True)
    extra = {"CLAUDE_CLI_PATH": str(computer.claude.program), "ANTHROPIC_API_KEY": "k"}
    nowhere = {"ANTHROPIC_BASE_URL": "http://127.0.0.1:9"}

    with running("--port", "0", home=computer.home, extra=extra | nowhere) as command:
        port = command.port()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=60) as answer:
            assert json.load(answer)["upstream"] == "api"
        command.signal(signal.SIGTERM)

        assert command.end() == 0
